#include "client/render/json.h"

#include "gtest/gtest.h"
#include "hydra/v1/hydra.pb.h"
#include "nlohmann/json.hpp"

namespace hydra {
namespace {

TEST(JsonTest, NamesFieldsAsTheContractDoesAndKeepsZeros) {
  v1::CancelResponse response;
  EXPECT_EQ(JsonLine(response), "{\"cancelled_job_ids\":[]}\n");
  response.add_cancelled_job_ids("j1");
  EXPECT_EQ(JsonText(response),
            "{\n \"cancelled_job_ids\": [\n  \"j1\"\n ]\n}\n");
}

// Such strings cannot come over the wire, but must not end the program.
TEST(JsonTest, IsValidWhateverBytesAStringHas) {
  v1::CancelResponse response;
  response.add_cancelled_job_ids("a\xff" "b\xc3");
  response.add_cancelled_job_ids("\x1b[2J\xc2\x9b" "31m");
  for (const std::string& text : {JsonLine(response), JsonText(response)}) {
    EXPECT_TRUE(nlohmann::json::accept(text)) << text;
    EXPECT_EQ(text.find('\x1b'), text.npos);
    EXPECT_EQ(text.find("\xc2\x9b"), text.npos) << "it is a control character";
  }
}

}  // namespace
}  // namespace hydra
