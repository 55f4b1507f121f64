#include "worker/exec/departures.h"

#include <memory>
#include <vector>

#include "ATen/ops/full.h"
#include "gtest/gtest.h"
#include "worker/device/testing/test_device.h"

namespace hydra {
namespace {

// On a device that copies at once nothing is ever on its way.
class DeparturesTest : public testing::Test {
 protected:
  // Four floats of `value`, to a place of the host's.
  void Depart(uint64_t version, float value) {
    host_.push_back(std::vector<float>(4));
    const Mark mark = device_->CopyToHost(
        at::full({4}, value),
        {reinterpret_cast<std::byte*>(host_.back().data()), 16});
    departures_.Add(VersionId(version), mark, 16);
  }

  int64_t On(int64_t bytes) const {
    return device_->CopiesBeside() ? bytes : 0;
  }

  std::vector<std::vector<float>> host_;
  const std::unique_ptr<Device> device_ = NewTestDevice(1 << 20);
  Departures departures_{device_.get()};
};

TEST_F(DeparturesTest, AVersionIsThereWhenItHasBeenAwaited) {
  Depart(1, 7);
  Depart(2, 8);
  EXPECT_EQ(departures_.Bytes(), On(32));
  departures_.Await(VersionId(1));
  EXPECT_EQ(host_[0][3], 7);
  EXPECT_EQ(departures_.Bytes(), On(16));
  departures_.Await(VersionId(3));
  EXPECT_EQ(departures_.Bytes(), On(16)) << "nobody has seen version 3";
  departures_.WaitFor(VersionId(2));
  EXPECT_EQ(host_[1][3], 8);
  EXPECT_EQ(departures_.Bytes(), 0);
}

TEST_F(DeparturesTest, AVersionIsThereWithTheLastOfItsCopies) {
  Depart(1, 7);
  Depart(2, 8);
  Depart(1, 9);
  departures_.LimitTo(32);
  departures_.Await(VersionId(1));
  EXPECT_EQ(host_[2][0], 9);
}

// Operations may come after it; that the host has it, nobody has seen.
TEST_F(DeparturesTest, AVersionThatOperationsWaitForMayNotBeThereYet) {
  Depart(1, 7);
  departures_.LimitTo(0);
  EXPECT_EQ(departures_.Bytes(), 0);
  departures_.Await(VersionId(1));
  EXPECT_EQ(host_[0][3], 7);
  EXPECT_TRUE(device_->IsDone(departures_.NewestOf(VersionId(1))));
}

TEST_F(DeparturesTest, TheOldestOnesAreWaitedForWhereTooManyAreOnTheirWay) {
  for (int i = 0; i < 4; ++i) Depart(i + 1, static_cast<float>(i));
  departures_.LimitTo(20);
  EXPECT_EQ(departures_.Bytes(), On(16));
  EXPECT_EQ(host_[2][0], 2);
  departures_.LimitTo(0);
  EXPECT_EQ(host_[3][0], 3);
}

}  // namespace
}  // namespace hydra
