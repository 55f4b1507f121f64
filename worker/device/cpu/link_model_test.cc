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
  EXPECT_EQ(link.Transfer(CopyLane::kPromote, 200, At(1)).end, At(3));
  EXPECT_EQ(link.Transfer(CopyLane::kDemote, 200, At(1)).end, At(5));
}

TEST(LinkTimelineTest, ACopyBeginsWhenTheOneBeforeItEnds) {
  LinkTimeline link = NewTimeline(false);
  EXPECT_EQ(link.Transfer(CopyLane::kPromote, 200, At(0)).end, At(2));
  EXPECT_EQ(link.Transfer(CopyLane::kPromote, 100, At(1)).end, At(3));
  EXPECT_EQ(link.Transfer(CopyLane::kPromote, 100, At(10)).end, At(11))
      << "an idle link does not catch up";
}

TEST(LinkTimelineTest, OnASharedBusDirectionsTakeTurns) {
  LinkTimeline link = NewTimeline(true);
  EXPECT_EQ(link.Transfer(CopyLane::kPromote, 200, At(0)).end, At(2));
  EXPECT_EQ(link.Transfer(CopyLane::kDemote, 50, At(0)).end, At(3));
  EXPECT_EQ(link.Transfer(CopyLane::kPromote, 100, At(0)).end, At(4));
}

TEST(LinkModelTest, IsReadFromText) {
  const LinkModel link = ParseLink("8e9,5e8").value();
  EXPECT_EQ(link.to_device_bytes_per_second, 8e9);
  EXPECT_EQ(link.to_host_bytes_per_second, 5e8);
  EXPECT_FALSE(link.shared);
  EXPECT_TRUE(ParseLink("1,2,shared")->shared);
  for (const char* wrong : {"", "8e9", "8e9,", "0,1", "1,-1", "nan,1", "1,2,3",
                            "1,2,shared,", "1,2 shared"}) {
    EXPECT_FALSE(ParseLink(wrong).ok()) << wrong;
  }
}

TEST(LinkTimelineTest, NothingTakesNoTime) {
  LinkTimeline link = NewTimeline(false);
  EXPECT_EQ(link.Transfer(CopyLane::kPromote, 0, At(1)).end, At(1));
}

}  // namespace
}  // namespace hydra
