#include "client/render/json.h"

#include "gtest/gtest.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {
namespace {

TEST(JsonTest, NamesFieldsAsTheContractDoesAndKeepsZeros) {
  v1::CancelResponse response;
  EXPECT_EQ(JsonLine(response), "{\"cancelled_job_ids\":[]}\n");
  response.add_cancelled_job_ids("j1");
  EXPECT_EQ(JsonText(response),
            "{\n \"cancelled_job_ids\": [\n  \"j1\"\n ]\n}\n");
}

}  // namespace
}  // namespace hydra
