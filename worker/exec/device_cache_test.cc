#include "worker/exec/device_cache.h"

#include <memory>
#include <vector>

#include "ATen/ops/empty.h"
#include "c10/util/Exception.h"
#include "gtest/gtest.h"
#include "worker/device/cpu/cpu_device.h"

namespace hydra {
namespace {

constexpr int64_t kKib = 1024;

// A device of 8 KiB, and tensors of 2 KiB.
class DeviceCacheTest : public testing::Test {
 protected:
  DeviceCacheTest()
      : device_(CpuDevice::Create(0, 8 * kKib).value()),
        cache_(&device_->arena()) {}

  static at::Tensor TwoKib() { return at::empty({512}); }

  const std::unique_ptr<Device> device_;
  DeviceCache cache_;
  std::vector<at::Tensor> held_;
};

TEST_F(DeviceCacheTest, ListsWhatIsThere) {
  EXPECT_TRUE(cache_.Versions().empty());
  for (uint64_t version : {1, 2, 3}) cache_.Put(VersionId(version), {TwoKib()});
  cache_.Get(VersionId(1));
  cache_.Drop(VersionId(2));
  EXPECT_EQ(cache_.Versions(), (std::vector{VersionId(1), VersionId(3)}));
}

TEST_F(DeviceCacheTest, GivesBackWhatWasPut) {
  at::Tensor tensor = TwoKib();
  cache_.Put(VersionId(7), {tensor});
  EXPECT_TRUE(cache_.Get(VersionId(7))->tensor.is_same(tensor));
  EXPECT_FALSE(cache_.Get(VersionId(8)).has_value());
  cache_.Drop(VersionId(7));
  EXPECT_FALSE(cache_.Get(VersionId(7)).has_value());
}

TEST_F(DeviceCacheTest, TheLeastRecentlyUsedVersionMakesRoom) {
  for (uint64_t version : {1, 2, 3, 4}) {
    cache_.Put(VersionId(version), {TwoKib()});
  }
  cache_.Get(VersionId(1));
  const at::Tensor fifth = TwoKib();
  EXPECT_TRUE(cache_.Get(VersionId(1)).has_value());
  EXPECT_FALSE(cache_.Get(VersionId(2)).has_value());
  EXPECT_TRUE(cache_.Get(VersionId(3)).has_value());
}

TEST_F(DeviceCacheTest, WhatIsReadSoonestStaysLongest) {
  for (uint64_t version : {1, 2, 3, 4}) {
    cache_.Put(VersionId(version), {TwoKib()});
  }
  cache_.Expect({VersionId(2), VersionId(9), VersionId(1), VersionId(3)});
  for (uint64_t gone : {4, 3, 1, 2}) {
    EXPECT_TRUE(cache_.Contains(VersionId(gone)));
    const at::Tensor more = at::empty({512});
    EXPECT_FALSE(cache_.Contains(VersionId(gone))) << gone;
    cache_.Put(VersionId(gone + 100), {more});
    // In use from now on.
    held_.push_back(more);
  }
}

TEST_F(DeviceCacheTest, EvictsWhatNobodyReadsSoonWhenAsked) {
  for (uint64_t version : {1, 2, 3}) {
    cache_.Put(VersionId(version), {TwoKib()});
  }
  cache_.Expect({VersionId(2)});
  EXPECT_TRUE(cache_.EvictUnexpected());
  EXPECT_FALSE(cache_.Contains(VersionId(1))) << "used least recently";
  EXPECT_TRUE(cache_.EvictUnexpected());
  EXPECT_FALSE(cache_.EvictUnexpected());
  EXPECT_TRUE(cache_.Contains(VersionId(2)));
  cache_.Expect({});
  EXPECT_TRUE(cache_.EvictUnexpected());
}

TEST_F(DeviceCacheTest, TellsTheFirstUseOfWhatWasPrefetched) {
  cache_.Put(VersionId(1), {TwoKib(), {}, /*prefetched=*/true});
  EXPECT_TRUE(cache_.Get(VersionId(1))->prefetched);
  EXPECT_FALSE(cache_.Get(VersionId(1))->prefetched);
}

TEST_F(DeviceCacheTest, MemoryThatIsNotInUseIsSpare) {
  const at::Tensor held = TwoKib();
  cache_.Put(VersionId(1), {held});
  EXPECT_EQ(cache_.SpareBytes(), 0);
  cache_.Put(VersionId(2), {TwoKib()});
  EXPECT_EQ(cache_.SpareBytes(), 2 * kKib);
  // The device may still be copying.
  const at::Tensor coming = TwoKib();
  cache_.Put(VersionId(3), {coming, {}, /*prefetched=*/true});
  EXPECT_EQ(cache_.SpareBytes(), 4 * kKib);
}

TEST_F(DeviceCacheTest, WhatAnybodyHoldsStays) {
  const at::Tensor held = TwoKib();
  cache_.Put(VersionId(1), {held});
  at::Tensor view;
  {
    at::Tensor viewed = TwoKib();
    view = viewed.narrow(0, 5, 3);
    cache_.Put(VersionId(2), {viewed});
  }
  cache_.Put(VersionId(3), {TwoKib()});
  cache_.Put(VersionId(4), {TwoKib()});
  const at::Tensor fifth = at::empty({1024});
  EXPECT_TRUE(cache_.Get(VersionId(1)).has_value());
  EXPECT_TRUE(cache_.Get(VersionId(2)).has_value());
  EXPECT_EQ(cache_.version_count(), 2);
  EXPECT_THROW(TwoKib(), c10::OutOfMemoryError);
}

TEST_F(DeviceCacheTest, DroppingFreesTheMemory) {
  for (uint64_t version : {1, 2, 3, 4}) {
    cache_.Put(VersionId(version), {TwoKib()});
  }
  cache_.DropAll();
  EXPECT_EQ(device_->arena().used_bytes(), 0);
}

}  // namespace
}  // namespace hydra
