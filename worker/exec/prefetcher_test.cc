#include "worker/exec/prefetcher.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/device/testing/test_device.h"

namespace hydra {
namespace {

using worker::v1::BlockVersion;
using worker::v1::Task;

constexpr int64_t kKib = 1024;
constexpr int64_t kPlenty = 64 * kKib;

// A device of 8 KiB, and versions of 2 KiB full of their number.
class PrefetcherTest : public testing::Test {
 protected:
  PrefetcherTest()
      : pool_(16 * 512),
        device_(NewTestDevice(8 * kKib)),
        cache_(&device_->arena()),
        io_(
            device_.get(),
            [this](int64_t offset, int64_t bytes) {
              return absl::MakeSpan(
                  reinterpret_cast<std::byte*>(pool_.data()) + offset, bytes);
            },
            &cache_) {
    for (size_t i = 0; i < pool_.size(); ++i) {
      pool_[i] = static_cast<float>(i / 512);
    }
  }

  static BlockVersion Version(uint64_t number) {
    BlockVersion version;
    version.set_version(number);
    version.set_offset_bytes(static_cast<int64_t>(number) * 2 * kKib);
    version.set_size_bytes(2 * kKib);
    return version;
  }
  static std::vector<BlockVersion> Versions(
      const std::vector<uint64_t>& numbers) {
    std::vector<BlockVersion> versions;
    for (uint64_t number : numbers) versions.push_back(Version(number));
    return versions;
  }

  // Tasks that read so.
  static Prefetcher::FindComing Coming(
      const std::vector<std::vector<uint64_t>>& reads) {
    return [reads](int index) -> std::optional<Prefetcher::ComingTask> {
      if (index >= static_cast<int>(reads.size())) return std::nullopt;
      return Prefetcher::ComingTask{Versions(reads[index]), {}};
    };
  }

  std::vector<uint64_t> OnDevice() const {
    std::vector<uint64_t> numbers;
    for (uint64_t number = 1; number < 16; ++number) {
      if (cache_.Contains(VersionId(number))) numbers.push_back(number);
    }
    return numbers;
  }

  std::vector<float> pool_;
  const std::unique_ptr<Device> device_;
  DeviceCache cache_;
  BlockIo io_;
  Task task_;
};

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(PrefetcherTest, FetchesItsOwnInOrderAsFarAsThereIsRoom) {
  Prefetcher prefetcher(&io_, &cache_, task_, Versions({5, 4, 3, 2, 1}), {},
                        kPlenty);
  prefetcher.FetchOwn();
  EXPECT_THAT(OnDevice(), ElementsAre(2, 3, 4, 5));
  const at::Tensor used = io_.Promote(Version(5), 512, BlockIo::Reuse::kNever);
  EXPECT_EQ(used[7].item<float>(), 5);
  EXPECT_EQ(io_.promoted_bytes(), 2 * kKib) << "counted once it is used";
  prefetcher.FetchOwn();
  EXPECT_THAT(OnDevice(), ElementsAre(2, 3, 4)) << "5 is still in use";
}

TEST_F(PrefetcherTest, GoesOnWhenThereIsRoomAgain) {
  Prefetcher prefetcher(&io_, &cache_, task_, Versions({5, 4, 3, 2, 1}), {},
                        kPlenty);
  prefetcher.FetchOwn();
  io_.Promote(Version(5), 512, BlockIo::Reuse::kNever);
  prefetcher.FetchOwn();
  EXPECT_THAT(OnDevice(), ElementsAre(1, 2, 3, 4));
}

TEST_F(PrefetcherTest, TakesTheRoomOfWhatNobodyIsKnownToRead) {
  {
    Prefetcher before(&io_, &cache_, task_, Versions({11, 12, 13, 14}), {},
                      kPlenty);
    before.FetchOwn();
  }
  // What is on its way cannot make room.
  device_->Synchronize();
  Prefetcher prefetcher(&io_, &cache_, task_, Versions({1, 13}), {}, kPlenty);
  prefetcher.FetchOwn();
  EXPECT_THAT(OnDevice(), ElementsAre(1, 12, 13, 14));
}

TEST_F(PrefetcherTest, TakesNoRoomOfWhatIsReadSooner) {
  Prefetcher prefetcher(&io_, &cache_, task_, Versions({1, 2, 3, 4}),
                        Coming({{5}}), kPlenty);
  prefetcher.FetchNext(0);
  EXPECT_THAT(OnDevice(), ElementsAre(1, 2, 3, 4));
}

TEST_F(PrefetcherTest, TheNextTaskIsFetchedWithinTheRoomThatIsLeft) {
  bool known = false;
  Prefetcher prefetcher(
      &io_, &cache_, task_, Versions({1}),
      [&](int index) {
        return known ? Coming({{5, 6, 7}})(index) : std::nullopt;
      },
      5 * kKib);
  prefetcher.FetchNext(0);
  EXPECT_THAT(OnDevice(), ElementsAre(1)) << "nobody knows the next one yet";
  known = true;
  prefetcher.FetchNext(2 * kKib);
  EXPECT_THAT(OnDevice(), ElementsAre(1, 5));
  prefetcher.FetchNext(0);
  EXPECT_THAT(OnDevice(), ElementsAre(1, 5, 6));
}

TEST_F(PrefetcherTest, WhatComingTasksReadStaysThoughThereIsNoRoomForMore) {
  {
    Prefetcher before(&io_, &cache_, task_, Versions({11, 12, 13}), {},
                      kPlenty);
    before.FetchOwn();
  }
  device_->Synchronize();
  Prefetcher prefetcher(&io_, &cache_, task_, {}, Coming({{5}, {11}}), 0);
  const at::Tensor needed = io_.Empty({2 * 512});
  EXPECT_THAT(OnDevice(), ElementsAre(11));
}

TEST_F(PrefetcherTest, WhatTheRunningTaskMakesIsNotFetched) {
  *task_.add_writes() = Version(6);
  Prefetcher prefetcher(&io_, &cache_, task_, {}, Coming({{5, 6}}), kPlenty);
  prefetcher.FetchNext(0);
  EXPECT_THAT(OnDevice(), ElementsAre(5));
}

TEST_F(PrefetcherTest, SeveralTasksAreFetchedButForWhatTheyMakeThemselves) {
  std::vector<Prefetcher::ComingTask> tasks = {{Versions({5}), {VersionId(6)}},
                                               {Versions({6, 7}), {}},
                                               {{}, {}},
                                               {Versions({8}), {}}};
  size_t known = 1;
  Prefetcher prefetcher(
      &io_, &cache_, task_, {},
      [&](int index) {
        return index < static_cast<int>(known) ? std::optional(tasks[index])
                                               : std::nullopt;
      },
      kPlenty);
  prefetcher.FetchNext(0);
  EXPECT_THAT(OnDevice(), ElementsAre(5));
  known = tasks.size();
  prefetcher.FetchNext(0);
  EXPECT_THAT(OnDevice(), ElementsAre(5, 7, 8));
}

TEST_F(PrefetcherTest, WhatTheHostIsMakingIsPassedOverUntilItIsThere) {
  absl::Notification go;
  io_.updates().Do([&] { go.WaitForNotification(); });
  io_.MadeOnHost(Version(5));
  Prefetcher prefetcher(&io_, &cache_, task_, Versions({5, 1}),
                        Coming({{5, 6}}), kPlenty);
  prefetcher.FetchNext(0);
  EXPECT_THAT(OnDevice(), ElementsAre(1, 6));
  go.Notify();
  io_.updates().Await(0, 1);
  prefetcher.FetchNext(0);
  EXPECT_THAT(OnDevice(), ElementsAre(1, 5, 6));
}

TEST_F(PrefetcherTest, WhatWasFetchedMakesRoomForWhatIsNeeded) {
  Prefetcher prefetcher(&io_, &cache_, task_, Versions({1, 2, 3}),
                        Coming({{5}}), kPlenty);
  prefetcher.FetchNext(0);
  EXPECT_THAT(OnDevice(), ElementsAre(1, 2, 3, 5));
  const at::Tensor needed = io_.Empty({2 * 512});
  EXPECT_THAT(OnDevice(), ElementsAre(1, 2)) << "those that are read soonest";
  EXPECT_EQ(
      io_.Promote(Version(3), 512, BlockIo::Reuse::kNever)[0].item<float>(), 3);
}

}  // namespace
}  // namespace hydra
