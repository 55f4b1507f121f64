// A daemon that takes over the pool of one that is gone.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "common/pool/instance_id.h"
#include "common/pool/pool_file.h"
#include "common/pool/pool_file_fixture.h"
#include "common/pool/pool_header.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string OwnedBy(const std::string& path, pid_t pid) {
  return absl::StrCat("pool ", path, " is owned by a live daemon (pid ", pid,
                      ")");
}

// What may not change when a pool cannot be adopted.
struct FileState {
  explicit FileState(const std::string& path) {
    struct stat stat = {};
    if (lstat(path.c_str(), &stat) != 0) return;
    inode = stat.st_ino;
    blocks = stat.st_blocks;
    std::ifstream file(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), {});
  }

  friend bool operator==(const FileState& a, const FileState& b) {
    return a.inode == b.inode && a.blocks == b.blocks && a.bytes == b.bytes;
  }

  ino_t inode = 0;
  blkcnt_t blocks = 0;
  std::string bytes;
};

// Of whatever pool is there just now; zeros if there is none.
InstanceId InstanceAt(const std::string& path) {
  PoolHeader header = {};
  std::ifstream(path, std::ios::binary)
      .read(reinterpret_cast<char*>(&header), sizeof(header));
  return header.instance_id;
}

class PoolFileAdoptTest : public PoolFileFixture {
 protected:
  PoolFileAdoptTest() : PoolFileFixture(ScratchPlace::kMemory) {
    adopt_.path = options_.path;
    adopt_.size_bytes = kSize;
  }

  // A pool whose daemon is gone, with a byte in its first slot and its last.
  void LeaveAPool() {
    const auto pool = Create();
    pool->Range(4096, 1)[0] = std::byte{1};
    pool->Range(options_.size_bytes - 1, 1)[0] = std::byte{2};
    adopt_.expected = pool->instance_id();
  }

  std::unique_ptr<PoolFile> Adopt() {
    auto pool = PoolFile::Adopt(adopt_);
    EXPECT_TRUE(pool.ok()) << pool.status();
    return pool.ok() ? *std::move(pool) : nullptr;
  }

  absl::Status AdoptError() {
    const FileState before(options_.path);
    const absl::Status status = PoolFile::Adopt(adopt_).status();
    EXPECT_TRUE(FileState(options_.path) == before) << "the file was changed";
    return status;
  }

  // The message of a FAILED_PRECONDITION, or of another `code`.
  std::string Refusal(
      absl::StatusCode code = absl::StatusCode::kFailedPrecondition) {
    const absl::Status status = AdoptError();
    EXPECT_EQ(status.code(), code) << status;
    return std::string(status.message());
  }

  PoolFile::AdoptOptions adopt_;
};

TEST_F(PoolFileAdoptTest, FindsTheBytesOfAClosedPool) {
  LeaveAPool();
  const auto pool = Adopt();
  EXPECT_EQ(pool->Range(4096, 1)[0], std::byte{1});
  EXPECT_EQ(pool->Range(kSize - 1, 1)[0], std::byte{2});
  EXPECT_EQ(pool->instance_id(), adopt_.expected);
  EXPECT_EQ(pool->path(), options_.path);
  EXPECT_EQ(pool->size_bytes(), kSize);
  EXPECT_EQ(pool->data_offset(), 4096);
  EXPECT_TRUE(pool->is_tmpfs());
}

TEST_F(PoolFileAdoptTest, FindsTheBytesOfAKilledDaemon) {
  LeaveAPool();
  Child daemon([&] {
    static auto* pool = new auto(PoolFile::Adopt(adopt_));
    if (pool->ok()) (**pool)->Range(8192, 1)[0] = std::byte{3};
    return pool->ok();
  });
  daemon.Kill();
  EXPECT_EQ(Adopt()->Range(8192, 1)[0], std::byte{3});
}

TEST_F(PoolFileAdoptTest, AWorkerStaysJoinedAndSeesTheNewOwnersBytes) {
  auto first = Create();
  adopt_.expected = first->instance_id();
  auto worker = PoolFile::Open(options_.path, adopt_.expected).value();
  first.reset();
  const auto second = Adopt();
  EXPECT_TRUE(second->HasWorkers());
  std::memcpy(second->Range(4096, 3).data(), "new", 3);
  EXPECT_EQ(std::memcmp(worker->Range(4096, 3).data(), "new", 3), 0);
  worker->Range(8192, 1)[0] = std::byte{4};
  EXPECT_EQ(second->Range(8192, 1)[0], std::byte{4});
  worker.reset();
  EXPECT_FALSE(second->HasWorkers());
}

TEST_F(PoolFileAdoptTest, ANewWorkerCanJoin) {
  LeaveAPool();
  const auto pool = Adopt();
  EXPECT_TRUE(PoolFile::Open(options_.path, adopt_.expected).ok());
}

TEST_F(PoolFileAdoptTest, RefusesWhileTheOwnerLivesAndNamesIt) {
  LeaveAPool();
  Child daemon([&] {
    static auto* pool = new auto(PoolFile::Create(options_));
    return pool->ok();
  });
  EXPECT_EQ(Refusal(absl::StatusCode::kAlreadyExists),
            OwnedBy(options_.path, daemon.pid()));
}

TEST_F(PoolFileAdoptTest, TheAdopterIsTheOneNamedFromThenOn) {
  LeaveAPool();
  Child daemon([&] {
    static auto* pool = new auto(PoolFile::Adopt(adopt_));
    return pool->ok();
  });
  EXPECT_EQ(Refusal(absl::StatusCode::kAlreadyExists),
            OwnedBy(options_.path, daemon.pid()));
  EXPECT_EQ(CreateError().message(), OwnedBy(options_.path, daemon.pid()));
}

TEST_F(PoolFileAdoptTest, OnlyOneOfManyRacingDaemonsGetsThePool) {
  LeaveAPool();
  for (int round = 0; round < 50; ++round) {
    std::vector<absl::StatusOr<std::unique_ptr<PoolFile>>> pools(8);
    std::vector<std::thread> daemons;
    for (auto& pool : pools) {
      daemons.emplace_back([&] { pool = PoolFile::Adopt(adopt_); });
    }
    for (std::thread& daemon : daemons) daemon.join();
    int owners = 0;
    for (const auto& pool : pools) {
      if (pool.ok()) {
        ++owners;
      } else {
        EXPECT_EQ(pool.status().message(), OwnedBy(options_.path, getpid()));
      }
    }
    EXPECT_EQ(owners, 1);
  }
}

TEST_F(PoolFileAdoptTest, NeverTakesAPoolThatIsBeingReplaced) {
  options_.size_bytes = adopt_.size_bytes = 8192;
  LeaveAPool();
  std::atomic<bool> done(false);
  std::vector<std::thread> adopters;
  for (int i = 0; i < 3; ++i) {
    adopters.emplace_back([&] {
      PoolFile::AdoptOptions adopt = adopt_;
      while (!done) {
        adopt.expected = InstanceAt(options_.path);
        const auto pool = PoolFile::Adopt(adopt);
        if (!pool.ok()) continue;
        EXPECT_TRUE(PoolFile::Open(options_.path, adopt.expected).ok());
      }
    });
  }
  for (int i = 0; i < 3'000; ++i) PoolFile::Create(options_).IgnoreError();
  done = true;
  for (std::thread& adopter : adopters) adopter.join();
}

TEST_F(PoolFileAdoptTest, AFailedAdoptionLeavesThePoolToTheNextOne) {
  LeaveAPool();
  const InstanceId right = std::exchange(adopt_.expected, InstanceId{1, 2});
  Refusal();
  adopt_.expected = right;
  EXPECT_EQ(Adopt()->Range(4096, 1)[0], std::byte{1});
}

TEST_F(PoolFileAdoptTest, SaysThatThereIsNoFile) {
  EXPECT_EQ(AdoptError().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(Exists(options_.path));
}

TEST_F(PoolFileAdoptTest, RefusesAnotherInstanceAndNamesBoth) {
  LeaveAPool();
  const InstanceId right = std::exchange(adopt_.expected, InstanceId{1, 2});
  EXPECT_THAT(Refusal(), AllOf(HasSubstr(right.ToHex()),
                               HasSubstr(adopt_.expected.ToHex())));
}

TEST_F(PoolFileAdoptTest, RefusesAnotherSizeThanConfiguredAndNamesBoth) {
  LeaveAPool();
  for (const int64_t size_bytes : {kSize - 4096, kSize + 4096}) {
    adopt_.size_bytes = size_bytes;
    EXPECT_THAT(Refusal(),
                AllOf(HasSubstr(absl::StrCat("has ", kSize, " B")),
                      HasSubstr(absl::StrCat("are ", size_bytes, " B"))));
  }
}

TEST_F(PoolFileAdoptTest, RefusesAFileThatWasCutOrExtended) {
  LeaveAPool();
  for (const int64_t file_bytes : {kSize - 1, kSize + 1}) {
    ASSERT_EQ(truncate(options_.path.c_str(), file_bytes), 0);
    EXPECT_THAT(Refusal(),
                AllOf(HasSubstr(absl::StrCat("has ", file_bytes, " B")),
                      HasSubstr(absl::StrCat("says ", kSize, " B"))));
  }
}

TEST_F(PoolFileAdoptTest, FindsTheHoleOfASinglePage) {
  LeaveAPool();
  const int fd = open(options_.path.c_str(), O_RDWR);
  ASSERT_GE(fd, 0);
  ASSERT_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                      /*offset=*/8192, /*len=*/4096),
            0);
  close(fd);
  EXPECT_THAT(Refusal(),
              AllOf(HasSubstr(absl::StrCat("has ", kSize, " B")),
                    HasSubstr(absl::StrCat("only ", kSize - 4096, " B"))));
}

TEST_F(PoolFileAdoptTest, RefusesAFileThatWasCutAndFilledUpSparsely) {
  LeaveAPool();
  ASSERT_EQ(truncate(options_.path.c_str(), kSize / 2), 0);
  ASSERT_EQ(truncate(options_.path.c_str(), kSize), 0);
  EXPECT_THAT(Refusal(), HasSubstr(absl::StrCat("only ", kSize / 2, " B")));
}

TEST_F(PoolFileAdoptTest, RefusesADamagedHeader) {
  LeaveAPool();
  std::fstream(options_.path, std::ios::in | std::ios::out)
          .seekp(offsetof(PoolHeader, data_offset))
      << 'x';
  EXPECT_THAT(Refusal(), HasSubstr("damaged"));
}

TEST_F(PoolFileAdoptTest, RefusesAnotherLayoutVersion) {
  LeaveAPool();
  std::fstream(options_.path, std::ios::in | std::ios::out)
          .seekp(offsetof(PoolHeader, layout_version))
      << '\x09';
  EXPECT_THAT(Refusal(), HasSubstr("version is 9"));
}

TEST_F(PoolFileAdoptTest, RefusesWhatIsNotAPool) {
  const std::string text =
      std::string(kSize, 'w') + "eights that took a month to train";
  for (const std::string& content : {std::string(), text}) {
    std::ofstream(options_.path) << content;
    EXPECT_THAT(Refusal(),
                AllOf(HasSubstr(options_.path), HasSubstr("not a pool file")));
  }
}

TEST_F(PoolFileAdoptTest, DoesNotFollowALink) {
  LeaveAPool();
  const std::string target = directory_.PathOf("target");
  ASSERT_EQ(rename(options_.path.c_str(), target.c_str()), 0);
  ASSERT_EQ(symlink(target.c_str(), options_.path.c_str()), 0);
  EXPECT_FALSE(AdoptError().ok());
  EXPECT_EQ(unlink(target.c_str()), 0);
}

TEST_F(PoolFileAdoptTest, KeepsTheFileUnlessAskedToRemoveIt) {
  LeaveAPool();
  Adopt().reset();
  EXPECT_TRUE(Exists(options_.path));
  auto pool = Adopt();
  pool->RemoveOnClose();
  EXPECT_TRUE(Exists(options_.path));
  pool.reset();
  EXPECT_FALSE(Exists(options_.path));
}

TEST_F(PoolFileAdoptTest, CreateStillReplacesAPoolThatWasAdopted) {
  LeaveAPool();
  Adopt().reset();
  const auto pool = Create();
  EXPECT_NE(pool->instance_id(), adopt_.expected);
  EXPECT_EQ(pool->Range(4096, 1)[0], std::byte{0});
}

}  // namespace
}  // namespace hydra
