#include "scheduler/service/project.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "common/jobfile/mistakes.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

Caller CallerIn(std::vector<gid_t> groups) {
  return {1000, 1, std::make_shared<const std::vector<gid_t>>(groups)};
}

void ExpectMistake(const absl::Status& status, const std::string& what) {
  const Mistakes mistakes = MistakesOf(status);
  ASSERT_THAT(mistakes, SizeIs(1)) << status;
  EXPECT_EQ(mistakes[0].field(), "project");
  EXPECT_THAT(mistakes[0].description(), HasSubstr(what));
}

TEST(ProjectTest, IsAGroupThatTheCallerIsIn) {
  EXPECT_EQ(*FindProject(CallerIn({7, 0}), "root"), gid_t{0});
  EXPECT_EQ(*FindProject(CallerIn({12100}), "12100"), gid_t{12100});
  EXPECT_EQ(*FindProject(CallerIn({7}), ""), std::nullopt);
  EXPECT_EQ(*FindProject(Caller(), ""), std::nullopt);
}

TEST(ProjectTest, OthersGroupsAreNone) {
  ExpectMistake(FindProject(CallerIn({7}), "root").status(),
                "you are not in the group 'root'");
  ExpectMistake(FindProject(Caller{1000}, "root").status(),
                "you are not in the group 'root'");
  ExpectMistake(FindProject(CallerIn({7}), "no-such-group").status(),
                "there is no group 'no-such-group'");
  ExpectMistake(FindProject(Caller(), "root").status(), "by TCP");
}

}  // namespace
}  // namespace hydra
