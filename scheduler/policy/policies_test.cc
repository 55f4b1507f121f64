#include "scheduler/policy/policies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace hydra {
namespace {

using ::testing::HasSubstr;

TEST(PoliciesTest, EachNameMakesAPolicyAndSoDoesNone) {
  for (const std::string& name : PolicyNames()) {
    EXPECT_TRUE(MakePolicy(name).ok()) << name;
  }
  EXPECT_TRUE(MakePolicy("").ok());
}

TEST(PoliciesTest, AnUnknownNameIsRefusedWithThoseThatThereAre) {
  const absl::Status refused = MakePolicy("lifo").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("found \"lifo\"; one of sharded-lrtf, fifo"));
}

}  // namespace
}  // namespace hydra
