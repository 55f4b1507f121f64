#include "worker/device/cpu/link_model.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

absl::Time At(double seconds) {
  return absl::UnixEpoch() + absl::Seconds(seconds);
}

// 100 bytes a second to the device, 50 to the host.
LinkTimeline NewTimeline(bool shared) {
  return LinkTimeline({100, 50, shared});
}

TEST(LinkTimelineTest, TakesAsLongAsTheBytesOfItsDirection) {
  LinkTimeline link = NewTimeline(false);
  EXPECT_EQ(link.Transfer(CopyLane::kPromote, 200, At(1)), At(3));
  EXPECT_EQ(link.Transfer(CopyLane::kDemote, 200, At(1)), At(5));
}

TEST(LinkTimelineTest, ACopyBeginsWhenTheOneBeforeItEnds) {
  LinkTimeline link = NewTimeline(false);
  EXPECT_EQ(link.Transfer(CopyLane::kPromote, 200, At(0)), At(2));
  EXPECT_EQ(link.Transfer(CopyLane::kPromote, 100, At(1)), At(3));
  EXPECT_EQ(link.Transfer(CopyLane::kPromote, 100, At(10)), At(11))
      << "an idle link does not catch up";
}

TEST(LinkTimelineTest, OnASharedBusDirectionsTakeTurns) {
  LinkTimeline link = NewTimeline(true);
  EXPECT_EQ(link.Transfer(CopyLane::kPromote, 200, At(0)), At(2));
  EXPECT_EQ(link.Transfer(CopyLane::kDemote, 50, At(0)), At(3));
  EXPECT_EQ(link.Transfer(CopyLane::kPromote, 100, At(0)), At(4));
}

TEST(LinkTimelineTest, NothingTakesNoTime) {
  LinkTimeline link = NewTimeline(false);
  EXPECT_EQ(link.Transfer(CopyLane::kPromote, 0, At(1)), At(1));
}

}  // namespace
}  // namespace hydra
