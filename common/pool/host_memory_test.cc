#include "common/pool/host_memory.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

// A folder that looks like the kernel's files.
class FakeKernel {
 public:
  void Write(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(root_.PathOf(path)).parent_path());
    root_.Write(path, text);
  }

  HostMemoryPaths paths() const {
    return {root_.PathOf("meminfo"), root_.PathOf("cgroup"), root_.PathOf("v2"),
            root_.PathOf("v1")};
  }

 private:
  ScratchDirectory root_;
};

TEST(MemAvailableTest, ReadsTheLineInKibibytes) {
  FakeKernel kernel;
  kernel.Write("meminfo",
               "MemTotal:       24000 kB\nMemFree:  7 kB\n"
               "MemAvailable:    1500 kB\nBuffers:  1 kB\n");
  EXPECT_EQ(MemAvailableBytes(kernel.paths()).value(), 1500 * 1024);
}

TEST(MemTotalTest, ReadsTheLineInKibibytes) {
  FakeKernel kernel;
  kernel.Write("meminfo", "MemTotal:       24000 kB\nMemFree:  7 kB\n");
  EXPECT_EQ(MemTotalBytes(kernel.paths()).value(), 24000 * 1024);
}

TEST(CgroupLimitTest, IsTheLowestOfAllAround) {
  FakeKernel kernel;
  EXPECT_EQ(CgroupLimitBytes(kernel.paths()), std::nullopt);
  kernel.Write("cgroup", "0::/a/b\n");
  kernel.Write("v2/a/memory.max", "5000\n");
  kernel.Write("v2/a/b/memory.max", "max\n");
  EXPECT_EQ(CgroupLimitBytes(kernel.paths()), 5000);
}

TEST(MemAvailableTest, SaysWhichFileLacksTheLine) {
  FakeKernel kernel;
  kernel.Write("meminfo", "MemTotal: 24000 kB\n");
  const absl::Status status = MemAvailableBytes(kernel.paths()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(status.message().find(kernel.paths().meminfo), std::string::npos);
}

TEST(MemAvailableTest, SaysThatTheFileIsMissing) {
  EXPECT_EQ(MemAvailableBytes(FakeKernel().paths()).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(MemAvailableTest, WorksOnThisMachine) {
  EXPECT_GT(MemAvailableBytes(HostMemoryPaths()).value(), 0);
}

TEST(CgroupAvailableTest, IsNoneWithoutACgroup) {
  EXPECT_EQ(CgroupAvailableBytes(FakeKernel().paths()), std::nullopt);
}

TEST(CgroupAvailableTest, IsNoneWhereVersion2SaysMax) {
  FakeKernel kernel;
  kernel.Write("cgroup", "0::/job\n");
  kernel.Write("v2/job/memory.max", "max\n");
  kernel.Write("v2/job/memory.current", "100\n");
  EXPECT_EQ(CgroupAvailableBytes(kernel.paths()), std::nullopt);
}

TEST(CgroupAvailableTest, SubtractsTheUseFromTheLimitInVersion2) {
  FakeKernel kernel;
  kernel.Write("cgroup", "0::/job\n");
  kernel.Write("v2/job/memory.max", "1000\n");
  kernel.Write("v2/job/memory.current", "300\n");
  EXPECT_EQ(CgroupAvailableBytes(kernel.paths()), 700);
}

TEST(CgroupAvailableTest, CountsDroppableCacheAsAvailable) {
  FakeKernel kernel;
  kernel.Write("cgroup", "0::/job\n");
  kernel.Write("v2/job/memory.max", "1000\n");
  kernel.Write("v2/job/memory.current", "900\n");
  kernel.Write("v2/job/memory.stat",
               "anon 500\nactive_file 1\ninactive_file 400\n");
  EXPECT_EQ(CgroupAvailableBytes(kernel.paths()), 500);
}

TEST(CgroupAvailableTest, TakesTheTightestOfTheGroupsAround) {
  FakeKernel kernel;
  kernel.Write("cgroup", "0::/lab/user/job\n");
  kernel.Write("v2/lab/memory.max", "5000\n");
  kernel.Write("v2/lab/memory.current", "4900\n");
  kernel.Write("v2/lab/user/job/memory.max", "1000\n");
  kernel.Write("v2/lab/user/job/memory.current", "300\n");
  EXPECT_EQ(CgroupAvailableBytes(kernel.paths()), 100);
}

TEST(CgroupAvailableTest, FindsAContainersOwnGroupAtTheRoot) {
  FakeKernel kernel;
  kernel.Write("cgroup", "5:cpu:/docker/abc\n4:memory:/docker/abc\n");
  kernel.Write("v1/memory.limit_in_bytes", "1000\n");
  kernel.Write("v1/memory.usage_in_bytes", "700\n");
  kernel.Write("v1/memory.stat", "inactive_file 1\ntotal_inactive_file 50\n");
  EXPECT_EQ(CgroupAvailableBytes(kernel.paths()), 350);
}

TEST(CgroupAvailableTest, IgnoresTheControllersOfOtherThings) {
  FakeKernel kernel;
  kernel.Write("cgroup", "5:cpu,cpuacct:/job\n");
  kernel.Write("v1/job/memory.limit_in_bytes", "1000\n");
  kernel.Write("v1/job/memory.usage_in_bytes", "700\n");
  EXPECT_EQ(CgroupAvailableBytes(kernel.paths()), std::nullopt);
}

TEST(CgroupAvailableTest, IsZeroWhenTheGroupIsOverItsLimit) {
  FakeKernel kernel;
  kernel.Write("cgroup", "0::/\n");
  kernel.Write("v2/memory.max", "1000\n");
  kernel.Write("v2/memory.current", "1100\n");
  EXPECT_EQ(CgroupAvailableBytes(kernel.paths()), 0);
}

TEST(CgroupAvailableTest, DoesNotLeaveTheRootForAPathOutsideOfIt) {
  FakeKernel kernel;
  kernel.Write("cgroup", "0::/../sibling\n");
  kernel.Write("v2/memory.max", "1000\n");
  kernel.Write("v2/memory.current", "100\n");
  kernel.Write("sibling/memory.max", "10\n");
  kernel.Write("sibling/memory.current", "10\n");
  EXPECT_EQ(CgroupAvailableBytes(kernel.paths()), 900);
}

}  // namespace
}  // namespace hydra
