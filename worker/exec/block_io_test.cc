#include "worker/exec/block_io.h"

#include <memory>
#include <vector>

#include "ATen/ops/equal.h"
#include "ATen/ops/full.h"
#include "c10/util/Exception.h"
#include "gtest/gtest.h"
#include "worker/device/testing/test_device.h"

namespace hydra {
namespace {

using worker::v1::BlockVersion;

// A pool of 64 numbers: 0, 1, 2, ...
class BlockIoTest : public testing::Test {
 protected:
  BlockIoTest()
      : pool_(64),
        device_(NewTestDevice(1 << 20)),
        cache_(&device_->arena()),
        io_(device_.get(), Host(), &cache_) {
    for (int i = 0; i < 64; ++i) pool_[i] = static_cast<float>(i);
  }

  HostRange Host() {
    return [this](int64_t offset, int64_t bytes) {
      return absl::MakeSpan(reinterpret_cast<std::byte*>(pool_.data()) + offset,
                            bytes);
    };
  }

  static BlockVersion Version(uint64_t version, int64_t first, int64_t count) {
    BlockVersion block;
    block.set_version(version);
    block.set_offset_bytes(first * 4);
    block.set_size_bytes(count * 4);
    return block;
  }

  std::vector<float> pool_;
  const std::unique_ptr<Device> device_;
  DeviceCache cache_;
  BlockIo io_;
};

TEST_F(BlockIoTest, PromotesOnceAndFindsItAgain) {
  const BlockVersion version = Version(1, 16, 16);
  const at::Tensor tensor = io_.Promote(version, 16, BlockIo::Reuse::kLikely);
  EXPECT_EQ(tensor[3].item<float>(), 19);
  EXPECT_TRUE(device_->arena().Contains(tensor.const_data_ptr()));
  EXPECT_EQ(io_.promoted_bytes(), 64);
  EXPECT_TRUE(io_.Promote(version, 16, BlockIo::Reuse::kNever).is_same(tensor));
  EXPECT_EQ(io_.promoted_bytes(), 64);
  EXPECT_EQ(io_.cached_bytes(), 64);
  EXPECT_FALSE(cache_.Get(VersionId(1)).has_value());
}

TEST_F(BlockIoTest, ZeroVersionsMoveNoBytes) {
  BlockVersion version = Version(1, 0, 16);
  version.set_zero(true);
  EXPECT_EQ(
      io_.Promote(version, 16, BlockIo::Reuse::kNever).sum().item<float>(), 0);
  EXPECT_EQ(io_.promoted_bytes(), 0);
}

TEST_F(BlockIoTest, MovesRanges) {
  const at::Tensor range = io_.Empty({4});
  io_.PromoteRange(Version(1, 16, 16), 8, range);
  EXPECT_EQ(range[0].item<float>(), 24);
  io_.Demote(range, Version(2, 48, 16), 2);
  device_->Synchronize();
  EXPECT_EQ(pool_[49], 49);
  EXPECT_EQ(pool_[50], 24);
  EXPECT_EQ(pool_[53], 27);
  EXPECT_EQ(pool_[54], 54);
  EXPECT_EQ(io_.demoted_bytes(), 16);
}

TEST_F(BlockIoTest, RangesOfACachedVersionComeFromTheCache) {
  cache_.Put(VersionId(1), {at::full({16}, 5.f)});
  const at::Tensor range = io_.Empty({4});
  io_.PromoteRange(Version(1, 16, 16), 8, range);
  EXPECT_EQ(range[0].item<float>(), 5);
  EXPECT_EQ(io_.promoted_bytes(), 0);
  EXPECT_EQ(io_.cached_bytes(), 16);
}

TEST_F(BlockIoTest, NothingReachesBeyondItsSlot) {
  EXPECT_THROW(io_.Promote(Version(1, 0, 16), 17, BlockIo::Reuse::kNever),
               c10::Error);
  EXPECT_THROW(io_.Demote(io_.Empty({4}), Version(1, 0, 16), 13), c10::Error);
}

TEST_F(BlockIoTest, TheTailOfASlotIsZeroed) {
  io_.ZeroTail(Version(1, 16, 16), 13);
  EXPECT_EQ(std::vector<float>(pool_.begin() + 28, pool_.begin() + 33),
            std::vector<float>({28, 0, 0, 0, 32}));
  io_.ZeroTail(Version(2, 32, 16), 16);
  EXPECT_EQ(pool_[47], 47);
  EXPECT_EQ(pool_[48], 48);
}

TEST_F(BlockIoTest, ViewsLieInThePoolUnlessTheVersionIsOnTheDevice) {
  const BlockVersion version = Version(1, 16, 16);
  EXPECT_EQ(io_.View(version, 16).const_data_ptr(), &pool_[16]);
  const at::Tensor cached = io_.Promote(version, 16, BlockIo::Reuse::kLikely);
  EXPECT_EQ(io_.View(version, 16).const_data_ptr(), cached.const_data_ptr());
}

TEST_F(BlockIoTest, WhatIsOnItsWayToTheDeviceIsViewedWhereItIs) {
  const BlockVersion version = Version(1, 16, 16);
  ASSERT_EQ(io_.Prefetch(version), BlockIo::Prefetched::kBegun);
  if (device_->CopiesBeside()) {
    EXPECT_EQ(io_.View(version, 16).const_data_ptr(), &pool_[16]);
  }
  const at::Tensor cached = io_.Promote(version, 16, BlockIo::Reuse::kLikely);
  EXPECT_EQ(io_.promoted_bytes(), 64) << "a view does not count";
  EXPECT_EQ(io_.View(version, 16).const_data_ptr(), cached.const_data_ptr());
}

TEST_F(BlockIoTest, ReadsAndWritesInPlaceWhereMemoryIsTheSame) {
  const BlockVersion version = Version(1, 16, 16);
  BlockVersion zero = Version(2, 0, 16);
  zero.set_zero(true);
  EXPECT_FALSE(io_.ReadInPlace(zero, 4, 8).defined());
  if (!device_->HostMemoryIsDeviceMemory()) {
    EXPECT_THROW(io_.ReadInPlace(version, 4, 8), c10::Error);
    EXPECT_THROW(io_.WriteInPlace(version, 4, 8), c10::Error);
    return;
  }
  EXPECT_EQ(io_.ReadInPlace(version, 4, 8).const_data_ptr(), &pool_[20]);
  EXPECT_EQ(io_.promoted_bytes(), 32);
  EXPECT_EQ(io_.WriteInPlace(version, 4, 8).const_data_ptr(), &pool_[20]);
  EXPECT_EQ(io_.demoted_bytes(), 32);
  EXPECT_THROW(io_.WriteInPlace(version, 9, 8), c10::Error);

  cache_.Put(VersionId(1), {at::full({16}, 5.f)});
  EXPECT_EQ(io_.ReadInPlace(version, 4, 8)[7].item<float>(), 5);
  EXPECT_EQ(io_.promoted_bytes(), 32);
  EXPECT_EQ(io_.cached_bytes(), 32);
}

TEST_F(BlockIoTest, RollbackDropsWhatTheTaskMadeAndNothingElse) {
  io_.Promote(Version(1, 0, 16), 16, BlockIo::Reuse::kLikely);
  io_.Keep(Version(2, 16, 16), io_.Empty({16}));
  io_.Rollback();
  EXPECT_TRUE(cache_.Get(VersionId(1)).has_value());
  EXPECT_FALSE(cache_.Get(VersionId(2)).has_value());
}

}  // namespace
}  // namespace hydra
