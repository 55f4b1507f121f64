#include "client/private_daemon/private_daemon.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

class PrivateDaemonTest : public ::testing::Test {
 protected:
  PrivateDaemonTest() {
    options_.hydrad_path = fs::absolute("client/testing/fake_hydrad").string();
    options_.config.state_dir = directory_.path() + "/state";
    options_.run_parent = directory_.path();
  }

  absl::StatusOr<std::unique_ptr<PrivateDaemon>> Start(const char* mode) {
    setenv("FAKE_HYDRAD", mode, /*overwrite=*/1);
    return PrivateDaemon::Start(options_, &interrupt_);
  }

  void UseProgramThatNeverServes() {
    fs::create_directory(options_.config.state_dir);
    options_.hydrad_path = options_.config.state_dir + "/silent";
    std::ofstream(options_.hydrad_path) << "#!/bin/sh\nexec sleep 1000\n";
    fs::permissions(options_.hydrad_path, fs::perms::owner_all);
  }

  // The state directory remains, what was made for the run does not.
  void ExpectOnlyStateLeft() {
    for (const auto& entry : fs::directory_iterator(directory_.path())) {
      EXPECT_EQ(entry.path().filename(), "state");
    }
  }

  ScratchDirectory directory_;
  PrivateDaemon::Options options_;
  Interrupt interrupt_;
};

TEST_F(PrivateDaemonTest, ServesUntilItIsStopped) {
  auto daemon = Start("");
  ASSERT_TRUE(daemon.ok()) << daemon.status();
  EXPECT_THAT((*daemon)->address(), HasSubstr("unix:" + directory_.path()));
  EXPECT_TRUE((*daemon)->Stop());
  EXPECT_TRUE(fs::exists(directory_.path() + "/state/ended"));
  daemon->reset();
  ExpectOnlyStateLeft();
}

TEST_F(PrivateDaemonTest, ShowsTheLogOfADaemonThatDies) {
  const auto daemon = Start("die");
  EXPECT_EQ(daemon.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(daemon.status().message()),
              HasSubstr("exited with code 3"));
  EXPECT_THAT(std::string(daemon.status().message()),
              HasSubstr("cannot allocate the pool: 8589934592 B wanted"));
  ExpectOnlyStateLeft();
}

TEST_F(PrivateDaemonTest, GivesUpOnADaemonThatNeverServes) {
  UseProgramThatNeverServes();
  options_.ready_timeout = absl::Milliseconds(50);
  EXPECT_EQ(Start("").status().code(), absl::StatusCode::kDeadlineExceeded);
  ExpectOnlyStateLeft();
}

TEST_F(PrivateDaemonTest, StopsWaitingWhenInterrupted) {
  UseProgramThatNeverServes();
  interrupt_.Trigger();
  EXPECT_EQ(Start("").status().code(), absl::StatusCode::kCancelled);
  ExpectOnlyStateLeft();
}

TEST(FindHydradTest, TakesTheFlagThenTheVariable) {
  const auto with_variable = [](const char*) {
    return std::optional<std::string>("/bin/ls");
  };
  EXPECT_EQ(*FindHydrad("/bin/cat", with_variable), "/bin/cat");
  EXPECT_EQ(*FindHydrad("", with_variable), "/bin/ls");
}

TEST(FindHydradTest, SaysWhereItLooked) {
  const auto empty = [](const char*) { return std::optional<std::string>(); };
  const absl::Status status = FindHydrad("", empty).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("/hydrad"));
}

}  // namespace
}  // namespace hydra
