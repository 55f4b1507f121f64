#include "common/pool/pool_file.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "common/pool/limit_locked_memory.h"
#include "common/pool/pool_file_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class PoolFileTest : public PoolFileFixture {
 protected:
  PoolFileTest() : PoolFileFixture(ScratchPlace::kDisk) {}
};

TEST_F(PoolFileTest, AllocatesAllOfAPrivateFile) {
  const auto pool = Create();
  struct stat stat = {};
  ASSERT_EQ(::stat(options_.path.c_str(), &stat), 0);
  EXPECT_EQ(stat.st_size, kSize);
  EXPECT_GE(stat.st_blocks * 512, kSize);
  EXPECT_EQ(stat.st_mode & 07777, 0600);
  EXPECT_EQ(pool->size_bytes(), kSize);
  EXPECT_EQ(pool->data_offset(), 4096);
  EXPECT_EQ(pool->path(), options_.path);
}

TEST_F(PoolFileTest, OwnerAndWorkerSeeEachOthersBytes) {
  const auto pool = Create();
  const auto worker = PoolFile::Open(options_.path, pool->instance_id());
  ASSERT_TRUE(worker.ok()) << worker.status();
  EXPECT_EQ((*worker)->size_bytes(), kSize);
  EXPECT_EQ((*worker)->instance_id(), pool->instance_id());
  std::memcpy(pool->Range(8192, 5).data(), "hello", 5);
  EXPECT_EQ(std::memcmp((*worker)->Range(8192, 5).data(), "hello", 5), 0);
  (*worker)->Range(kSize - 1, 1)[0] = std::byte{7};
  EXPECT_EQ(pool->Range(kSize - 1, 1)[0], std::byte{7});
}

TEST_F(PoolFileTest, RangesOutsideOfTheDataAreFatal) {
  const auto pool = Create();
  EXPECT_EQ(pool->Range(4096, kSize - 4096).size(), kSize - 4096);
  EXPECT_EQ(pool->Range(kSize, 0).size(), 0);
  EXPECT_DEATH(pool->Range(4095, 1), "");
  EXPECT_DEATH(pool->Range(4096, kSize - 4095), "");
  EXPECT_DEATH(pool->Range(kSize + 1, 0), "");
  EXPECT_DEATH(pool->Range(8192, -1), "");
  EXPECT_DEATH(pool->Range(8192, INT64_MAX), "");
}

TEST_F(PoolFileTest, RefusesASecondDaemonAndNamesTheFirst) {
  Child daemon([&] {
    static auto* pool = new auto(PoolFile::Create(options_));
    return pool->ok();
  });
  const absl::Status status = CreateError();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(status.message(), absl::StrCat("pool ", options_.path,
                                           " is owned by a live daemon (pid ",
                                           daemon.pid(), ")"));
}

TEST_F(PoolFileTest, ReplacesThePoolOfAKilledDaemon) {
  Child daemon([&] {
    static auto* pool = new auto(PoolFile::Create(options_));
    if (pool->ok()) (**pool)->Range(4096, 1)[0] = std::byte{9};
    return pool->ok();
  });
  EXPECT_FALSE(CreateError().ok());
  daemon.Kill();
  EXPECT_EQ(Create()->Range(4096, 1)[0], std::byte{0});
}

TEST_F(PoolFileTest, ASecondCreateInOneProcessIsRefusedToo) {
  const auto pool = Create();
  EXPECT_EQ(CreateError().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(PoolFile::Open(options_.path, pool->instance_id()).ok());
}

TEST_F(PoolFileTest, OnlyOneOfManyRacingDaemonsGetsTheFile) {
  for (int round = 0; round < 50; ++round) {
    std::vector<absl::StatusOr<std::unique_ptr<PoolFile>>> pools(8);
    std::vector<std::thread> daemons;
    for (auto& pool : pools) {
      daemons.emplace_back([&] { pool = PoolFile::Create(options_); });
    }
    for (std::thread& daemon : daemons) daemon.join();
    int owners = 0;
    for (const auto& pool : pools) {
      if (pool.ok()) {
        ++owners;
        EXPECT_TRUE(PoolFile::Open(options_.path, (*pool)->instance_id()).ok());
      } else {
        EXPECT_EQ(pool.status().code(), absl::StatusCode::kAlreadyExists)
            << pool.status();
      }
    }
    EXPECT_EQ(owners, 1);
  }
}

TEST_F(PoolFileTest, AWorkerKeepsTheOldBytesWhenThePoolIsReplaced) {
  auto old_pool = Create();
  const auto worker =
      PoolFile::Open(options_.path, old_pool->instance_id()).value();
  worker->Range(4096, 1)[0] = std::byte{5};
  old_pool.reset();
  const auto pool = Create();
  EXPECT_NE(pool->instance_id(), worker->instance_id());
  EXPECT_EQ(worker->Range(4096, 1)[0], std::byte{5});
  EXPECT_EQ(pool->Range(4096, 1)[0], std::byte{0});
  EXPECT_FALSE(pool->HasWorkers());
}

TEST_F(PoolFileTest, KnowsWhetherSomeWorkerIsThere) {
  const auto pool = Create();
  EXPECT_FALSE(pool->HasWorkers());
  Child first([&] {
    static auto* mine =
        new auto(PoolFile::Open(options_.path, pool->instance_id()));
    return mine->ok();
  });
  auto second = PoolFile::Open(options_.path, pool->instance_id()).value();
  EXPECT_TRUE(pool->HasWorkers());
  second.reset();
  EXPECT_TRUE(pool->HasWorkers());
  first.Kill();
  EXPECT_FALSE(pool->HasWorkers());
}

TEST_F(PoolFileTest, KeepsTheFileUnlessAskedToRemoveIt) {
  Create().reset();
  EXPECT_TRUE(Exists(options_.path));
  auto pool = Create();
  pool->RemoveOnClose();
  EXPECT_TRUE(Exists(options_.path));
  pool.reset();
  EXPECT_FALSE(Exists(options_.path));
}

TEST_F(PoolFileTest, DoesNotRemoveAFileThatTookItsPlace) {
  auto pool = Create();
  pool->RemoveOnClose();
  ASSERT_EQ(unlink(options_.path.c_str()), 0);
  std::ofstream(options_.path) << "not a pool, but somebody needs it";
  pool.reset();
  EXPECT_TRUE(Exists(options_.path));
}

TEST_F(PoolFileTest, LeavesAFileAloneThatIsNotAPool) {
  std::ofstream(options_.path) << "weights that took a month to train";
  EXPECT_EQ(CreateError().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(CreateError().message()),
              AllOf(HasSubstr(options_.path), HasSubstr("not a pool")));
  EXPECT_TRUE(Exists(options_.path));
}

TEST_F(PoolFileTest, ReplacesAnEmptyFile) {
  std::ofstream(options_.path).close();
  EXPECT_NE(Create(), nullptr);
}

TEST_F(PoolFileTest, DoesNotFollowALink) {
  const std::string target = directory_.PathOf("target");
  ASSERT_EQ(symlink(target.c_str(), options_.path.c_str()), 0);
  EXPECT_FALSE(CreateError().ok());
  EXPECT_FALSE(Exists(target));
}

TEST_F(PoolFileTest, NamesAMissingDirectory) {
  options_.path = directory_.PathOf("none/pool");
  EXPECT_EQ(CreateError().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(CreateError().message()), HasSubstr(options_.path));
}

TEST_F(PoolFileTest, RefusesASizeWithoutRoomForASlot) {
  options_.size_bytes = 4096 + 63;
  EXPECT_EQ(CreateError().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(Exists(options_.path));
  options_.size_bytes = 4096 + 64;
  EXPECT_NE(Create(), nullptr);
}

TEST_F(PoolFileTest, RefusesANegativeHeadroom) {
  options_.memory_headroom_bytes = -1;
  EXPECT_EQ(CreateError().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(PoolFileTest, SaysHowMuchTheFileSystemLacks) {
  options_.size_bytes = int64_t{1} << 60;
  const absl::Status status = CreateError();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("needs 1152921504606846976 B"),
                    HasSubstr("file system"), HasSubstr("smaller pool")));
  EXPECT_FALSE(Exists(options_.path));
}

TEST_F(PoolFileTest, RemovesTheFileWhenTheAllocationFails) {
  Child child([&] {
    signal(SIGXFSZ, SIG_IGN);
    const struct rlimit limit = {kSize / 2, kSize / 2};
    return setrlimit(RLIMIT_FSIZE, &limit) == 0 && !CreateError().ok();
  });
  EXPECT_FALSE(Exists(options_.path));
}

TEST_F(PoolFileTest, OpenSaysThatThereIsNoFile) {
  EXPECT_EQ(PoolFile::Open(options_.path, InstanceId{}).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(PoolFileTest, OpenRefusesAnotherInstanceAndNamesBoth) {
  const auto pool = Create();
  const InstanceId other = {1, 2};
  const absl::Status status = PoolFile::Open(options_.path, other).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(
      std::string(status.message()),
      AllOf(HasSubstr(pool->instance_id().ToHex()), HasSubstr(other.ToHex())));
  EXPECT_FALSE(pool->HasWorkers());
}

TEST_F(PoolFileTest, OpenRefusesATruncatedPool) {
  const auto pool = Create();
  ASSERT_EQ(truncate(options_.path.c_str(), kSize - 1), 0);
  EXPECT_THAT(std::string(PoolFile::Open(options_.path, pool->instance_id())
                              .status()
                              .message()),
              AllOf(HasSubstr(absl::StrCat(kSize - 1)),
                    HasSubstr(absl::StrCat(kSize))));
}

TEST_F(PoolFileTest, OpenRefusesADamagedHeader) {
  const InstanceId id = Create()->instance_id();
  std::fstream(options_.path, std::ios::in | std::ios::out).seekp(20) << 'x';
  EXPECT_THAT(std::string(PoolFile::Open(options_.path, id).status().message()),
              HasSubstr("damaged"));
}

TEST_F(PoolFileTest, OpenRefusesAShortFile) {
  std::ofstream(options_.path) << "HYDRAPL\n";
  EXPECT_THAT(
      std::string(
          PoolFile::Open(options_.path, InstanceId{}).status().message()),
      HasSubstr("too short"));
}

// Prints what the locking of each pool came to, under a limit that holds one.
void LockOneAfterTheOther(std::unique_ptr<PoolFile> first, PoolFile& second) {
  LimitLockedMemory(first->size_bytes());
  std::cerr << first->LockInMemory() << "; " << first->LockInMemory() << "; "
            << second.LockInMemory() << "; ";
  first.reset();
  std::cerr << second.LockInMemory() << "\n";
  _exit(0);
}

TEST_F(PoolFileTest, LocksItsBytesInMemoryUntilItIsClosed) {
  if (!kMemoryCanBeLocked) GTEST_SKIP();
  options_.size_bytes = 64 << 10;
  auto owner = Create();
  const auto worker =
      PoolFile::Open(options_.path, owner->instance_id()).value();
  EXPECT_EXIT(LockOneAfterTheOther(std::move(owner), *worker),
              testing::ExitedWithCode(0),
              "OK; OK; RESOURCE_EXHAUSTED: pool .*/pool: cannot lock 65536 B "
              ".* is 65536 B.*; OK");
}

TEST_F(PoolFileTest, OnlyAnOwnerRemovesThePool) {
  const auto pool = Create();
  const auto worker =
      PoolFile::Open(options_.path, pool->instance_id()).value();
  EXPECT_DEATH(worker->RemoveOnClose(), "only its owner");
}

// The same on memory, with a kernel that is short of it.
class PoolOnTmpfsTest : public PoolFileTest {
 protected:
  PoolOnTmpfsTest() {
    disk_path_ = options_.path;
    options_.path = tmpfs_.PathOf("pool");
    options_.memory_headroom_bytes = 0;
    options_.memory_paths.meminfo = tmpfs_.PathOf("meminfo");
    options_.memory_paths.self_cgroup = tmpfs_.PathOf("cgroup");
    options_.memory_paths.cgroup_v2_root = tmpfs_.path();
    options_.memory_paths.cgroup_v1_memory_root = tmpfs_.PathOf("none");
    SetMachineAvailable(100 * kSize);
  }

  void SetMachineAvailable(int64_t bytes) {
    tmpfs_.Write("meminfo",
                 absl::StrCat("MemAvailable: ", bytes / 1024, " kB\n"));
  }
  void SetCgroup(int64_t limit_bytes, int64_t used_bytes) {
    tmpfs_.Write("cgroup", "0::/\n");
    tmpfs_.Write("memory.max", absl::StrCat(limit_bytes, "\n"));
    tmpfs_.Write("memory.current", absl::StrCat(used_bytes, "\n"));
  }

  const ScratchDirectory tmpfs_{ScratchPlace::kMemory};
  std::string disk_path_;
};

TEST_F(PoolOnTmpfsTest, KnowsThatItIsMemory) {
  EXPECT_TRUE(Create()->is_tmpfs());
}

TEST_F(PoolOnTmpfsTest, AnOrdinaryFileIsNotLimitedByMemory) {
  SetMachineAvailable(0);
  options_.path = disk_path_;
  EXPECT_FALSE(Create()->is_tmpfs());
}

TEST_F(PoolOnTmpfsTest, SaysHowMuchMemoryTheMachineLacks) {
  SetMachineAvailable(kSize / 2);
  const absl::Status status = CreateError();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("needs 1048576 B"), HasSubstr("machine's memory"),
                    HasSubstr("has 524288 B")));
  EXPECT_FALSE(Exists(options_.path));
}

TEST_F(PoolOnTmpfsTest, SaysHowMuchTheCgroupLacks) {
  SetCgroup(/*limit_bytes=*/kSize, /*used_bytes=*/kSize / 4);
  const absl::Status status = CreateError();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("needs 1048576 B"), HasSubstr("cgroup"),
                    HasSubstr("has 786432 B"), HasSubstr("memory limit")));
  EXPECT_FALSE(Exists(options_.path));
}

TEST_F(PoolOnTmpfsTest, FitsExactly) {
  SetMachineAvailable(kSize);
  SetCgroup(/*limit_bytes=*/2 * kSize, /*used_bytes=*/kSize);
  EXPECT_NE(Create(), nullptr);
}

TEST_F(PoolOnTmpfsTest, LeavesTheHeadroomToOthers) {
  SetMachineAvailable(kSize + 4096);
  options_.memory_headroom_bytes = 4096;
  EXPECT_NE(Create(), nullptr);
  options_.memory_headroom_bytes = 4097;
  EXPECT_EQ(CreateError().code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace hydra
