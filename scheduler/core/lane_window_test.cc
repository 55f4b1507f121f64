#include "scheduler/core/lane_window.h"

#include <gtest/gtest.h>

#include "common/status/proto_time.h"

namespace hydra {
namespace {

class LaneWindowTest : public ::testing::Test {
 protected:
  void Add(double at, double busy, double wait, double promote) {
    worker::v1::DeviceStatus status;
    *status.mutable_busy() = ToProto(absl::Seconds(busy));
    *status.mutable_copy_wait() = ToProto(absl::Seconds(wait));
    *status.mutable_promote() = ToProto(absl::Seconds(promote));
    window_.Add(absl::FromUnixSeconds(1000) + absl::Seconds(at), status);
  }

  LaneWindow window_;
};

TEST_F(LaneWindowTest, SharesAreOfTheLastSecondsAlone) {
  EXPECT_FALSE(window_.Now().computing.has_value());
  // Before, it did nothing.
  for (int i = 0; i <= 100; ++i) Add(i, 50, 20, 3);
  EXPECT_DOUBLE_EQ(*window_.Now().computing, 0);
  for (int i = 1; i <= 50; ++i) {
    Add(100 + 0.1 * i, 50 + 0.1 * i, 20 + 0.025 * i, 3 + 0.05 * i);
  }
  const LaneWindow::Shares shares = window_.Now();
  EXPECT_NEAR(*shares.computing, 0.75, 1e-6) << "it waited for the rest";
  EXPECT_NEAR(*shares.promoting, 0.5, 1e-6);
  EXPECT_FALSE(shares.demoting.has_value()) << "nobody says";
}

TEST_F(LaneWindowTest, SaysNothingOfAMoment) {
  Add(0, 0, 0, 0);
  Add(0.9, 0.9, 0, 0);
  EXPECT_FALSE(window_.Now().computing.has_value());
  Add(1, 0.5, 0, 0);
  EXPECT_DOUBLE_EQ(*window_.Now().computing, 0.5);
}

TEST_F(LaneWindowTest, AnotherProcessCountsFromZero) {
  Add(0, 100, 0, 0);
  window_.Clear();
  EXPECT_FALSE(window_.Now().computing.has_value());
  Add(1, 0, 0, 0);
  Add(3, 1, 0, 0);
  EXPECT_DOUBLE_EQ(*window_.Now().computing, 0.5);
}

TEST_F(LaneWindowTest, AnOlderWorkerDoesNotSayWhatItWaitedFor) {
  worker::v1::DeviceStatus status;
  for (int i = 0; i < 3; ++i) {
    *status.mutable_busy() = ToProto(absl::Seconds(i));
    window_.Add(absl::FromUnixSeconds(1000 + i), status);
  }
  EXPECT_FALSE(window_.Now().computing.has_value());
}

}  // namespace
}  // namespace hydra
