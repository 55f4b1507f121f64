// What shells make of the completions, and man of the manual, that the program
// writes. A shell that is not installed is skipped.
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/testing/fake_server.h"
#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

struct Result {
  int code = -1;
  // Standard output and standard error.
  std::string output;
};

class CompletionTest : public ::testing::Test {
 protected:
  CompletionTest() {
    // Called by its name, as completions call it.
    fs::create_symlink(fs::absolute("client/hydra"),
                       scratch_.path() + "/hydra");
    const char* const path = getenv("PATH");
    setenv(
        "PATH",
        absl::StrCat(scratch_.path(), ":", path == nullptr ? "" : path).c_str(),
        /*overwrite=*/1);
    setenv("HYDRA_SERVER", server_.address().c_str(), /*overwrite=*/1);
    setenv("SCRATCH", scratch_.path().c_str(), /*overwrite=*/1);
    setenv("HOME", scratch_.path().c_str(), /*overwrite=*/1);
  }

  static Result Bash(const std::string& script) {
    setenv("SCRIPT", script.c_str(), /*overwrite=*/1);
    FILE* const pipe =
        popen("exec bash --norc -c \"$SCRIPT\" 2>&1 </dev/null", "r");
    Result result;
    for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) {
      result.output += static_cast<char>(c);
    }
    result.code = WEXITSTATUS(pclose(pipe));
    return result;
  }

  // What bash offers for the last of these words.
  static std::vector<std::string> Offered(const std::string& words) {
    const Result result = Bash(absl::StrCat(
        "set -eu; source <(hydra completion bash); COMP_WORDS=(", words,
        "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=(); _hydra || "
        "true; (( ${#COMPREPLY[@]} == 0 )) || printf '%s\\n' "
        "\"${COMPREPLY[@]}\""));
    EXPECT_EQ(result.code, 0) << words << ": " << result.output;
    return absl::StrSplit(result.output, '\n', absl::SkipEmpty());
  }

  static bool IsInstalled(const std::string& program) {
    return Bash("command -v " + program).code == 0;
  }

  FakeServer server_;
  ScratchDirectory scratch_;
};

TEST_F(CompletionTest, BashOffersVerbsAndOptions) {
  EXPECT_THAT(
      Offered("hydra ''"),
      IsSupersetOf({"submit", "list", "wait", "metrics", "audit", "priority",
                    "ui", "doctor", "completion", "--server"}));
  EXPECT_THAT(Offered("hydra ''"), Not(Contains("man"))) << "it is hidden";
  EXPECT_THAT(Offered("hydra des"), ElementsAre("describe"));
  EXPECT_THAT(Offered("hydra list --m"), ElementsAre("--mine"));
  EXPECT_THAT(Offered("hydra submit --val"), ElementsAre("--validate-only"));
  EXPECT_THAT(Offered("hydra --server unix : /x list --stat"),
              ElementsAre("--state"));
  EXPECT_THAT(Offered("hydra --server list submit --val"),
              ElementsAre("--validate-only"))
      << "a value is no verb";
  EXPECT_THAT(Offered("hydra list --time"), ElementsAre("--timeout"));
}

TEST_F(CompletionTest, BashOffersWordsOfLists) {
  EXPECT_THAT(Offered("hydra list --state p"),
              ElementsAre("pending", "paused"));
  EXPECT_THAT(Offered("hydra list --state ="),
              IsSupersetOf({"running", "failed"}));
  EXPECT_THAT(Offered("hydra list --state = c"),
              ElementsAre("completed", "cancelled"));
  EXPECT_THAT(Offered("hydra workers -o ''"),
              ElementsAre("table", "json", "id"));
  EXPECT_THAT(Offered("hydra completion f"), ElementsAre("fish"));
  EXPECT_THAT(Offered("hydra list --sweep ''"), IsEmpty());
}

TEST_F(CompletionTest, BashOffersFilesFoldersAndJobs) {
  std::ofstream(scratch_.path() + "/a sweep.yaml") << "x";
  fs::create_directory(scratch_.path() + "/a folder");
  EXPECT_THAT(Offered("hydra submit \"$SCRATCH/a s\""),
              ElementsAre(scratch_.path() + "/a sweep.yaml"));
  EXPECT_THAT(Offered("hydra run --state-dir \"$SCRATCH/a \""),
              ElementsAre(scratch_.path() + "/a folder"));
  server_.service().list_response.add_jobs()->set_job_id("j7");
  server_.service().list_response.add_jobs()->set_job_id("j71");
  server_.service().list_response.add_jobs()->set_job_id("j8");
  EXPECT_THAT(Offered("hydra describe j7"), ElementsAre("j7", "j71"));
  server_.service().list_response.mutable_jobs(0)->set_job_id("$(echo j9)");
  EXPECT_THAT(Offered("hydra describe '$'"), ElementsAre("$(echo j9)"))
      << "what a server says is not run";
  server_.Stop();
  EXPECT_THAT(Offered("hydra cancel ''"), IsEmpty());
}

TEST_F(CompletionTest, AnotherNameIsCompletedToo) {
  const Result result = Bash(
      "source <(hydra completion bash --program hydractl); complete -p "
      "hydractl");
  EXPECT_EQ(result.output, "complete -F _hydractl hydractl\n");
  EXPECT_EQ(Bash("hydra completion tcsh").code, 2);
}

TEST_F(CompletionTest, ZshUnderstandsItsScript) {
  if (!IsInstalled("zsh")) GTEST_SKIP() << "zsh is not installed";
  const Result result = Bash(
      "hydra completion zsh >$SCRATCH/_hydra && zsh -f -n $SCRATCH/_hydra && "
      "zsh -f -c 'autoload -U compinit && compinit -D -u && source "
      "$SCRATCH/_hydra && print $_comps[hydra]'");
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.output, "_hydra\n");
}

TEST_F(CompletionTest, FishUnderstandsItsScript) {
  if (!IsInstalled("fish")) GTEST_SKIP() << "fish is not installed";
  const Result result = Bash(
      "hydra completion fish >$SCRATCH/hydra.fish && fish -n "
      "$SCRATCH/hydra.fish && fish -N -c 'source $SCRATCH/hydra.fish; complete "
      "-C \"hydra des\"; complete -C \"hydra list --state p\"'");
  EXPECT_EQ(result.code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("describe"));
  EXPECT_THAT(result.output, HasSubstr("paused"));
}

TEST_F(CompletionTest, ManUnderstandsTheManual) {
  if (!IsInstalled("man")) GTEST_SKIP() << "man is not installed";
  const Result result = Bash(
      "hydra man >$SCRATCH/hydra.1 && MANWIDTH=100 LC_ALL=C.UTF-8 man "
      "--warnings=w -l $SCRATCH/hydra.1 | cat");
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.output, Not(HasSubstr("warning: ")));
  for (const char* text : {"validate-only", "EXIT CODES", "HYDRA_SERVER"}) {
    EXPECT_THAT(result.output, HasSubstr(text));
  }
}

}  // namespace
}  // namespace hydra
