// What a signal does to the program as a whole.
#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/private_daemon/child_process.h"
#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

constexpr char kJobFile[] = R"(
model: {path: /models/tiny, init: random}
data: {train_files: [/train.txt]}
train: {max_steps: 2, per_device_train_batch_size: 1, learning_rate: 0.001}
)";

class SignalTest : public ::testing::Test {
 protected:
  // `hydra run` with a daemon whose job never ends, once that job trains. bash
  // does `before` first.
  std::unique_ptr<ChildProcess> StartRun(const std::string& before = "true") {
    setenv("FAKE_HYDRAD", "hang", /*overwrite=*/1);
    std::ofstream(Path("job.yaml")) << kJobFile;
    const std::string script = absl::StrCat(
        before, "; exec ", fs::absolute("client/hydra").string(), " run ",
        Path("job.yaml"), " --state-dir ", Path("state"), " --hydrad ",
        fs::absolute("client/testing/fake_hydrad").string());
    auto child = ChildProcess::Start({"/bin/bash", "-c", script}, Path("log"));
    EXPECT_TRUE(child.ok()) << child.status();
    while (!absl::StrContains(Log(), "train")) {
      if ((*child)->WaitFor(absl::Milliseconds(5))) {
        ADD_FAILURE() << (*child)->HowItEnded() << ": " << Log();
        break;
      }
    }
    return *std::move(child);
  }

  std::string Path(const std::string& name) const {
    return scratch_.path() + "/" + name;
  }

  std::string Log() const {
    std::ifstream file(Path("log"));
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  ScratchDirectory scratch_;
};

TEST_F(SignalTest, AnInterruptedRunCancelsTheJobsAndEndsItsDaemon) {
  const auto child = StartRun();
  ASSERT_EQ(kill(child->pid(), SIGINT), 0);
  ASSERT_TRUE(child->WaitFor(absl::InfiniteDuration()));
  EXPECT_EQ(child->HowItEnded(), "exited with code 130");
  EXPECT_THAT(Log(), HasSubstr("cancelling the jobs"));
  EXPECT_TRUE(fs::exists(Path("state/cancelled")));
  EXPECT_TRUE(fs::exists(Path("state/ended")));
}

TEST_F(SignalTest, TheExitCodeNamesTheSignal) {
  const auto child = StartRun();
  ASSERT_EQ(kill(child->pid(), SIGTERM), 0);
  ASSERT_TRUE(child->WaitFor(absl::InfiniteDuration()));
  EXPECT_EQ(child->HowItEnded(), "exited with code 143");
  EXPECT_TRUE(fs::exists(Path("state/cancelled")));
}

// As nohup starts a program. Had it listened to both, the first would count.
TEST_F(SignalTest, ASignalThatIsIgnoredFromTheStartStaysIgnored) {
  const auto child = StartRun("trap '' HUP");
  ASSERT_EQ(kill(child->pid(), SIGHUP), 0);
  ASSERT_EQ(kill(child->pid(), SIGINT), 0);
  ASSERT_TRUE(child->WaitFor(absl::InfiniteDuration()));
  EXPECT_EQ(child->HowItEnded(), "exited with code 130");
}

}  // namespace
}  // namespace hydra
