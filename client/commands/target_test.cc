#include "client/commands/target.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Refusal(absl::string_view id) {
  return std::string(ParseTarget(id).status().message());
}

TEST(ParseTargetTest, TellsJobsFromSweeps) {
  EXPECT_EQ(*ParseTarget("j12"), TargetKind::kJob);
  EXPECT_EQ(*ParseTarget("s3"), TargetKind::kSweep);
}

TEST(ParseTargetTest, RefusesWhatIsNoIdWithWhatWasMeant) {
  EXPECT_THAT(Refusal("12"), HasSubstr("did you mean j12?"));
  EXPECT_THAT(Refusal("J12"), HasSubstr("did you mean j12?"));
  EXPECT_THAT(Refusal(" s3\n"), HasSubstr("did you mean s3?"));
  EXPECT_THAT(Refusal("j012"), HasSubstr("did you mean j12?"));
  EXPECT_THAT(Refusal("j1,j2"), HasSubstr("separated by blanks"));
  for (const char* id : {"", "j", "j0", "j-1", "j1x", "x1", "all"}) {
    EXPECT_THAT(Refusal(id),
                AllOf(HasSubstr("is no id"), Not(HasSubstr("did you mean"))))
        << id;
  }
  EXPECT_THAT(Refusal("j\x1b[2J"), Not(HasSubstr("\x1b")));
}

TEST(WantJobTest, SaysWhatToDoWithASweep) {
  EXPECT_EQ(WantJob("j4"), absl::OkStatus());
  EXPECT_THAT(
      std::string(WantJob("s4").message()),
      AllOf(HasSubstr("hydra list --sweep s4"), HasSubstr("hydra results s4")));
}

TEST(WantSweepTest, SaysWhatToDoWithAJob) {
  EXPECT_EQ(WantSweep("s4"), absl::OkStatus());
  EXPECT_THAT(std::string(WantSweep("j4").message()),
              HasSubstr("hydra describe j4"));
}

}  // namespace
}  // namespace hydra
