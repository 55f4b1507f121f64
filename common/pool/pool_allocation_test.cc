#include "common/pool/pool_allocation.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

// A file of the kernel's own tmpfs, without a name.
UniqueFd MemoryFile() {
  return UniqueFd(memfd_create("pool", MFD_CLOEXEC | MFD_ALLOW_SEALING));
}

int64_t AllocatedBytes(const UniqueFd& fd) {
  struct stat stat = {};
  EXPECT_EQ(fstat(fd.get(), &stat), 0);
  return stat.st_blocks * int64_t{512};
}

TEST(PoolAllocationTest, EveryPageIsThereWhateverTheThreads) {
  // No multiple of what one thread takes at a time.
  constexpr int64_t kBytes = (int64_t{150} << 20) + 4096 + 64;
  for (const int threads : {1, 2, 5}) {
    const UniqueFd fd = MemoryFile();
    ASSERT_TRUE(IsTmpfs(fd));
    const absl::Status status = AllocatePages("x", fd, kBytes, threads);
    ASSERT_TRUE(status.ok()) << status;
    struct stat stat = {};
    ASSERT_EQ(fstat(fd.get(), &stat), 0);
    EXPECT_EQ(stat.st_size, kBytes);
    EXPECT_GE(AllocatedBytes(fd), kBytes);
  }
}

TEST(PoolAllocationTest, WhatWasWrittenBeforeStays) {
  const UniqueFd fd = MemoryFile();
  ASSERT_EQ(pwrite(fd.get(), "header", 6, 0), 6);
  ASSERT_TRUE(AllocatePages("x", fd, 1 << 20, 2).ok());
  char bytes[6] = {};
  ASSERT_EQ(pread(fd.get(), bytes, 6, 0), 6);
  EXPECT_EQ(std::string(bytes, 6), "header");
}

TEST(PoolAllocationTest, ThreadsLeaveTheErrorToBeSaidWithItsPlace) {
  const UniqueFd fd = MemoryFile();
  constexpr int64_t kHalf = int64_t{64} << 20;
  ASSERT_TRUE(AllocatePages("x", fd, kHalf, 1).ok());
  ASSERT_EQ(fcntl(fd.get(), F_ADD_SEALS, F_SEAL_GROW), 0);
  const absl::Status status = AllocatePages("/the/pool", fd, 2 * kHalf, 2);
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  EXPECT_THAT(status.message(), HasSubstr("134217728 B for pool /the/pool, it "
                                          "went well up to 67108864 B"));
}

TEST(PoolAllocationTest, ThereIsACore) { EXPECT_GE(UsableCores(), 1); }

}  // namespace
}  // namespace hydra
