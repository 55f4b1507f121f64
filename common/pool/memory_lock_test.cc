#include "common/pool/memory_lock.h"

#include <sys/mman.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <string>

#include "common/pool/limit_locked_memory.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

constexpr int64_t kPageBytes = 4096;
constexpr int64_t kPages = 16;
constexpr int64_t kBytes = kPages * kPageBytes;

// What the kernel says that this process has locked.
int64_t LockedBytes() {
  std::ifstream status("/proc/self/status");
  std::string name;
  while (status >> name) {
    int64_t kib = 0;
    if (name == "VmLck:" && status >> kib) return kib * 1024;
  }
  return -1;
}

class MemoryLockTest : public testing::Test {
 protected:
  MemoryLockTest()
      : base_(static_cast<char*>(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                                      MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~MemoryLockTest() override { munmap(base_, kBytes); }

  void SetUp() override {
    if (!kMemoryCanBeLocked) GTEST_SKIP();
  }

  // Locks all of it in a child process that may lock `limit_bytes`; the child
  // prints the outcome and what is locked then.
  void LockInChild(int64_t limit_bytes) {
    LimitLockedMemory(limit_bytes);
    std::cerr << LockMemory(base_, kBytes) << " locked " << LockedBytes()
              << " B\n";
    _exit(0);
  }

  char* const base_;
};

using MemoryLockDeathTest = MemoryLockTest;

TEST_F(MemoryLockDeathTest, LocksEveryPageUpToTheLimit) {
  EXPECT_EXIT(LockInChild(kBytes), testing::ExitedWithCode(0),
              "OK locked 65536 B");
}

TEST_F(MemoryLockDeathTest, NamesTheLimitAndWhatToChange) {
  EXPECT_EXIT(LockInChild(kBytes - kPageBytes), testing::ExitedWithCode(0),
              "RESOURCE_EXHAUSTED: cannot lock 65536 B in memory: .*"
              "RLIMIT_MEMLOCK. is 61440 B; .*ulimit -l 64 .*"
              "LimitMEMLOCK=65536 .*pool.allow_unlocked=true.* locked 0 B");
}

TEST_F(MemoryLockDeathTest, ALimitOfZeroIsALimitToo) {
  EXPECT_EXIT(LockInChild(0), testing::ExitedWithCode(0),
              "RESOURCE_EXHAUSTED: .*RLIMIT_MEMLOCK. is 0 B");
}

TEST_F(MemoryLockDeathTest, LeavesNothingLockedWhenOnlyAPartCanBe) {
  ASSERT_EQ(munmap(base_ + kBytes / 2, kPageBytes), 0);
  EXPECT_EXIT(LockInChild(kBytes), testing::ExitedWithCode(0),
              "RESOURCE_EXHAUSTED: .* locked 0 B");
}

}  // namespace
}  // namespace hydra
