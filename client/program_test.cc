// The program as a whole in a shell's hands: pipes, full disks, terminals, and
// directories that are gone.
#include <signal.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/testing/fake_server.h"
#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kJobFile[] = R"(
model: {path: models/tiny, init: random}
data: {train_files: [/train.txt]}
train: {max_steps: 2, per_device_train_batch_size: 1, learning_rate: 0.001}
)";

struct Result {
  // As a shell has it: 128 + N after signal N.
  int code = -1;
  // Standard output and standard error.
  std::string output;
};

class ProgramTest : public ::testing::Test {
 protected:
  ProgramTest() {
    setenv("HYDRA", fs::absolute("client/hydra").c_str(), /*overwrite=*/1);
    setenv("HYDRA_SERVER", server_.address().c_str(), /*overwrite=*/1);
    setenv("SCRATCH", scratch_.path().c_str(), /*overwrite=*/1);
    std::ofstream(scratch_.path() + "/job.yaml") << kJobFile;
    server_.service().submit_response.set_sweep_id("s1");
  }

  // What bash does with `script`, in which $HYDRA is the program.
  static Result Bash(const std::string& script) {
    setenv("SCRIPT", script.c_str(), /*overwrite=*/1);
    FILE* const pipe = popen("exec bash -c \"$SCRIPT\" 2>&1", "r");
    Result result;
    for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) {
      result.output += static_cast<char>(c);
    }
    const int status = pclose(pipe);
    result.code =
        WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return result;
  }

  // The path of the model that the newest submission names.
  std::string SubmittedModel() {
    absl::MutexLock lock(&server_.service().mu);
    const auto& requests = server_.service().submit_requests;
    return requests.empty() ? "" : requests.back().job().model().path();
  }

  FakeServer server_;
  ScratchDirectory scratch_;
};

TEST_F(ProgramTest, AJobFileThroughAPipeCountsFromTheWorkingDirectory) {
  const std::string right = scratch_.path() + "/models/tiny";
  for (const char* script :
       {"cd $SCRATCH && $HYDRA submit - <job.yaml",
        "cd $SCRATCH && $HYDRA submit /dev/stdin <job.yaml",
        "cd $SCRATCH && cat job.yaml | $HYDRA submit /dev/stdin",
        "cd $SCRATCH && $HYDRA submit <(cat job.yaml)",
        "cd $SCRATCH && $HYDRA submit /proc/self/fd/7 7<job.yaml"}) {
    const Result result = Bash(script);
    EXPECT_EQ(result.code, 0) << script << ": " << result.output;
    EXPECT_EQ(SubmittedModel(), right) << script;
  }
}

TEST_F(ProgramTest, AWorkingDirectoryThatIsGoneIsAMessage) {
  for (const char* command :
       {"submit - <$SCRATCH/job.yaml", "submit job.yaml",
        "run $SCRATCH/job.yaml --hydrad /bin/true",
        "run $SCRATCH/job.yaml --hydrad /bin/true --state-dir here"}) {
    const Result result =
        Bash(absl::StrCat("mkdir $SCRATCH/gone && cd $SCRATCH/gone && "
                          "rmdir $SCRATCH/gone && $HYDRA ",
                          command));
    EXPECT_THAT(result.output, Not(HasSubstr("terminate"))) << command;
    EXPECT_THAT(result.output, HasSubstr("hydra: ")) << command;
    EXPECT_TRUE(result.code == 1 || result.code == 2) << result.code;
  }
  const Result submitted = Bash(
      "mkdir $SCRATCH/gone && cd $SCRATCH/gone && rmdir $SCRATCH/gone && "
      "$HYDRA submit $SCRATCH/job.yaml");
  EXPECT_EQ(submitted.code, 0) << "it needs none: " << submitted.output;
}

TEST_F(ProgramTest, AnOutputThatTakesNothingIsAnError) {
  server_.service().list_response.add_jobs()->set_job_id("j1");
  const Result full = Bash("$HYDRA list -o id >/dev/full");
  EXPECT_EQ(full.code, 1);
  EXPECT_EQ(full.output,
            "hydra: cannot write the result: No space left on device\n");
  EXPECT_EQ(Bash("$HYDRA --help >/dev/full").code, 1);
  const Result closed = Bash("$HYDRA list -o id >&-");
  EXPECT_EQ(closed.code, 1);
  EXPECT_THAT(closed.output, HasSubstr("cannot write the result"));
}

TEST_F(ProgramTest, AReaderThatLeavesEndsItQuietly) {
  for (int i = 0; i < 50'000; ++i) {
    server_.service().list_response.add_jobs()->set_job_id("j1");
  }
  const Result result = Bash("set -o pipefail; $HYDRA list -o id | head -n 1");
  EXPECT_EQ(result.output, "j1\n");
  EXPECT_EQ(result.code, 128 + SIGPIPE);
}

TEST_F(ProgramTest, AStreamEndsWithItsReaderAlsoWithoutTheSignal) {
  Take<v1::StreamLogsResponse> take;
  for (int i = 0; i < 5'000; ++i) {
    v1::LogLine* line = take.messages.emplace_back().add_lines();
    line->mutable_time()->set_seconds(i);
    line->set_text("line");
  }
  take.stays_open = true;
  server_.service().log_takes = {take};
  const Result result = Bash(
      "trap '' PIPE; set -o pipefail; "
      "$HYDRA logs j1 -f -o json | head -n 1 >/dev/null");
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.output, "hydra: cannot write the result: Broken pipe\n");
}

// script(1) runs it on a terminal of its own, of 0 columns and 0 lines.
TEST_F(ProgramTest, OnlyACapableTerminalGetsEscapeSequences) {
  const auto watch = [this](const std::string& variables) {
    Take<v1::WatchResponse> take;
    for (const v1::JobState state :
         {v1::JOB_STATE_RUNNING, v1::JOB_STATE_COMPLETED}) {
      v1::JobStatus* job = take.messages.emplace_back().add_jobs();
      job->set_job_id("j1");
      job->set_state(state);
    }
    server_.service().watch_takes = {take};
    return Bash(absl::StrCat("env ", variables,
                             " script -qec \"$HYDRA watch j1\" /dev/null "
                             "</dev/null"));
  };
  for (const char* variables : {"TERM=dumb", "-u TERM", "TERM="}) {
    const Result result = watch(variables);
    EXPECT_EQ(result.code, 0) << result.output;
    EXPECT_THAT(result.output, HasSubstr("completed")) << variables;
    EXPECT_THAT(result.output, Not(HasSubstr("\033"))) << variables;
  }
  EXPECT_THAT(watch("TERM=xterm").output, HasSubstr("\033["));
  EXPECT_THAT(watch("TERM=xterm NO_COLOR=1").output,
              AllOf(HasSubstr("A\033[J"), Not(HasSubstr("\033[0m"))));
}

}  // namespace
}  // namespace hydra
