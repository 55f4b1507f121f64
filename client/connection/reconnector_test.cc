#include "client/connection/reconnector.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ReconnectorTest : public ::testing::Test {
 protected:
  Reconnector Make(absl::Duration give_up_after) {
    ReconnectPolicy policy;
    policy.first_pause = absl::ZeroDuration();
    policy.longest_pause = absl::ZeroDuration();
    policy.give_up_after = give_up_after;
    return Reconnector(policy, &interrupt_, [this](const std::string& text) {
      notices_.push_back(text);
    });
  }

  Interrupt interrupt_;
  std::vector<std::string> notices_;
};

TEST_F(ReconnectorTest, TriesAgainWhenTheServerIsGoneAndSaysSoOnce) {
  Reconnector reconnector = Make(absl::Hours(1));
  EXPECT_TRUE(reconnector.WaitToRetry(absl::UnavailableError("gone")).ok());
  EXPECT_TRUE(reconnector.WaitToRetry(absl::UnavailableError("gone")).ok());
  ASSERT_THAT(notices_, SizeIs(1));
  EXPECT_THAT(notices_[0], HasSubstr("gone"));
  reconnector.Connected();
  reconnector.Connected();
  ASSERT_THAT(notices_, SizeIs(2));
  EXPECT_EQ(notices_[1], "connected again");
}

TEST_F(ReconnectorTest, AStreamThatEndsTooEarlyIsOpenedAgain) {
  Reconnector reconnector = Make(absl::Hours(1));
  EXPECT_TRUE(reconnector.WaitToRetry(absl::OkStatus()).ok());
}

TEST_F(ReconnectorTest, GivesUpAfterAWhile) {
  Reconnector reconnector = Make(absl::ZeroDuration());
  EXPECT_EQ(reconnector.WaitToRetry(absl::UnavailableError("gone")).code(),
            absl::StatusCode::kUnavailable);
  EXPECT_THAT(notices_, IsEmpty()) << "nothing was tried again";
}

TEST_F(ReconnectorTest, DoesNotRepeatWhatCannotHelp) {
  Reconnector reconnector = Make(absl::Hours(1));
  EXPECT_EQ(reconnector.WaitToRetry(absl::NotFoundError("no job j9")),
            absl::NotFoundError("no job j9"));
}

TEST_F(ReconnectorTest, StopsWhenTheUserHasEnough) {
  Reconnector reconnector = Make(absl::Hours(1));
  interrupt_.Trigger();
  EXPECT_EQ(reconnector.WaitToRetry(absl::UnavailableError("gone")).code(),
            absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace hydra
