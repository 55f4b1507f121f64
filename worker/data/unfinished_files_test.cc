#include "worker/data/unfinished_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "worker/data/posix_file.h"
#include "worker/task/task_control.h"

namespace hydra {
namespace {

const absl::Time kBefore = absl::FromUnixSeconds(1'000'000'000);

class RemoveAbandonedTest : public ::testing::Test {
 protected:
  RemoveAbandonedTest()
      : root_(absl::StrCat(
            ::testing::TempDir(), "/",
            ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }

  // A file that was last written `age` before kBefore.
  std::string MakeFile(const std::string& name, absl::Duration age) {
    const std::string path = absl::StrCat(root_, "/", name);
    PosixFile file = *PosixFile::Open(path, O_RDWR | O_CREAT);
    EXPECT_TRUE(file.Write("content").ok());
    const timespec time = absl::ToTimespec(kBefore - age);
    const timespec times[] = {time, time};
    EXPECT_EQ(futimens(file.fd(), times), 0);
    return path;
  }

  const std::string root_;
};

TEST_F(RemoveAbandonedTest, RemovesWhatNobodyWorkedAtForSoLong) {
  const std::string file = absl::StrCat(root_, "/a");
  const std::string left = MakeFile("a.tmp", absl::Hours(1));
  const std::string progress = MakeFile("a.tmp.progress", absl::Hours(1));
  EXPECT_EQ(left, UnfinishedPath(file));
  EXPECT_EQ(progress, ProgressPath(file));
  RemoveAbandoned(root_, kBefore);
  EXPECT_TRUE(std::filesystem::is_empty(root_));
}

TEST_F(RemoveAbandonedTest, LeavesWhatIsNewOrFinished) {
  const std::string fresh = MakeFile("b.tmp", -absl::Seconds(1));
  const std::string progress = MakeFile("b.tmp.progress", absl::Hours(1));
  const std::string whole = MakeFile("c.tokens", absl::Hours(1));
  RemoveAbandoned(root_, kBefore);
  for (const std::string& path : {fresh, progress, whole}) {
    EXPECT_TRUE(std::filesystem::exists(path)) << path;
  }
}

TEST_F(RemoveAbandonedTest, LeavesWhatSomebodyHolds) {
  const std::string held = MakeFile("d.tmp", absl::Hours(1));
  const PosixFile holder = *PosixFile::Open(held, O_RDWR);
  ASSERT_EQ(flock(holder.fd(), LOCK_EX), 0);
  RemoveAbandoned(root_, kBefore);
  EXPECT_TRUE(std::filesystem::exists(held));
}

TEST(OpenUnfinishedTest, WhoeverWaitsForAnotherCanBeStopped) {
  const std::string file = absl::StrCat(::testing::TempDir(), "/waited-for");
  TaskControl control;
  const auto first = OpenUnfinished(file, control);
  ASSERT_TRUE(first.ok()) << first.status();
  std::thread stopper([&] {
    while (control.progress() < 3) std::this_thread::yield();
    control.Stop();
  });
  EXPECT_EQ(OpenUnfinished(file, control).status().code(),
            absl::StatusCode::kAborted);
  stopper.join();
}

TEST_F(RemoveAbandonedTest, NoFolderIsNoHarm) {
  RemoveAbandoned(absl::StrCat(root_, "/none"), kBefore);
}

}  // namespace
}  // namespace hydra
