// How the command line is used, and what its exit codes say.

#include <map>
#include <string>

#include "client/testing/cli_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

using CliTest = CliFixture;

TEST_F(CliTest, EveryVerbsHelpEndsWithAnExample) {
  for (const std::string verb :
       {"submit",  "run",     "watch",    "list",       "describe", "logs",
        "metrics", "results", "download", "trace",      "priority", "pause",
        "audit",   "plan",    "resume",   "cancel",     "workers",  "info",
        "import",  "ui",      "doctor",   "completion", "man",      "version",
        "wait",    "drain",   "undrain",  "top",        "clone",    "delete"}) {
    EXPECT_EQ(Run({verb, "--help"}), ExitCode::kOk);
    EXPECT_THAT(out_.str(), HasSubstr("Example:\n  hydra " + verb));
  }
  EXPECT_EQ(Run({"--help"}), ExitCode::kOk);
  EXPECT_THAT(out_.str(), HasSubstr("Exit codes:"));
}

TEST_F(CliTest, WrongUsageIsTwoAndSaysWhatIsWrong) {
  EXPECT_EQ(Run({}), ExitCode::kInvalid);
  EXPECT_EQ(Run({"frobnicate"}), ExitCode::kInvalid);
  EXPECT_EQ(Run({"list", "--nope"}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), HasSubstr("--nope"));
  EXPECT_EQ(Run({"list", "--state", "sleeping"}), ExitCode::kInvalid);
  EXPECT_EQ(Run({"describe"}), ExitCode::kInvalid);
  EXPECT_THAT(out_.str(), IsEmpty());
}

TEST_F(CliTest, WithoutArgumentsItShowsItsUsage) {
  EXPECT_EQ(Run({}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("Usage: hydra"), HasSubstr("submit"),
                                HasSubstr("Exit codes:")));
}

TEST_F(CliTest, TellsItsVersion) {
  EXPECT_EQ(Run({"--version"}), ExitCode::kOk);
  const std::string version = out_.str();
  EXPECT_THAT(version, StartsWith("hydra "));
  EXPECT_EQ(Run({"version"}), ExitCode::kOk);
  EXPECT_EQ(out_.str(), version);
}

TEST_F(CliTest, GuessesWhichCommandIsMeant) {
  EXPECT_EQ(Run({"lst"}), ExitCode::kInvalid);
  EXPECT_EQ(err_.str(),
            "hydra: there is no command 'lst'; did you mean 'list'?\n");
  EXPECT_EQ(Run({"--server", "list", "cancle", "j1"}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), HasSubstr("did you mean 'cancel'?"));
  EXPECT_EQ(Run({"frobnicate"}), ExitCode::kInvalid);
  EXPECT_THAT(
      err_.str(),
      HasSubstr("the commands are submit, clone, plan, run, watch, wait"));
}

TEST_F(CliTest, NamesTheChoicesOfAnOption) {
  EXPECT_EQ(Run({"list", "--state", "done"}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(),
              HasSubstr("--state: expected one of pending, running, completed, "
                        "failed, cancelled, paused, found 'done'\n"));
  EXPECT_EQ(Run({"list", "--state", "complete"}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), HasSubstr("did you mean 'completed'?"));
  EXPECT_EQ(Run({"list", "-o", "xml"}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), HasSubstr("expected one of table, json, id"));
  EXPECT_EQ(Run({"list", "--server", ""}), ExitCode::kInvalid);
}

TEST_F(CliTest, StatusesBecomeExitCodes) {
  const std::map<grpc::StatusCode, ExitCode> expected = {
      {grpc::StatusCode::NOT_FOUND, ExitCode::kNotFound},
      {grpc::StatusCode::PERMISSION_DENIED, ExitCode::kPermission},
      {grpc::StatusCode::UNAUTHENTICATED, ExitCode::kPermission},
      {grpc::StatusCode::UNAVAILABLE, ExitCode::kUnavailable},
      {grpc::StatusCode::RESOURCE_EXHAUSTED, ExitCode::kExhausted},
      {grpc::StatusCode::DEADLINE_EXCEEDED, ExitCode::kTimeout},
      {grpc::StatusCode::INVALID_ARGUMENT, ExitCode::kInvalid},
      {grpc::StatusCode::FAILED_PRECONDITION, ExitCode::kFailed}};
  for (const auto& [code, exit_code] : expected) {
    service_.error = grpc::Status(code, "because \x1b[2J");
    EXPECT_EQ(Run({"describe", "j1"}), exit_code) << code;
    EXPECT_THAT(err_.str(), Not(HasSubstr("\x1b")));
  }
}

TEST_F(CliTest, AServerThatIsNotThereIsUnavailable) {
  EXPECT_EQ(Run({"list", "--server", "unix:" + scratch_.path() + "/none"}),
            ExitCode::kUnavailable);
  EXPECT_THAT(err_.str(), HasSubstr(scratch_.path() + "/none"));
  EXPECT_EQ(Run({"--server", "nonsense", "list"}), ExitCode::kInvalid);
}

TEST_F(CliTest, IdsThatAreNoneNeedNoServer) {
  environment_["HYDRA_SERVER"] = "unix:/no/such.sock";
  EXPECT_EQ(Run({"cancel", "all", "12"}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("'all' is no id"),
                                HasSubstr("did you mean j12?")));
  for (const std::string verb :
       {"clone", "describe", "logs", "results", "wait", "watch"}) {
    EXPECT_EQ(Run({verb, ""}), ExitCode::kInvalid) << verb;
    EXPECT_THAT(err_.str(), HasSubstr("'' is no id")) << verb;
  }
  EXPECT_EQ(Run({"list", "--sweep", ""}), ExitCode::kInvalid);
  EXPECT_EQ(Run({"download", "j", "there"}), ExitCode::kInvalid);
}

TEST_F(CliTest, ASweepInPlaceOfAJobIsToldWhatToDo) {
  environment_["HYDRA_SERVER"] = "unix:/no/such.sock";
  EXPECT_EQ(Run({"describe", "s4"}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("s4 is a sweep"),
                                HasSubstr("hydra list --sweep s4")));
  EXPECT_EQ(Run({"logs", "s4"}), ExitCode::kInvalid);
  EXPECT_EQ(Run({"download", "s4", "there"}), ExitCode::kInvalid);
  EXPECT_EQ(Run({"results", "j4"}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), HasSubstr("hydra describe j4"));
  EXPECT_EQ(Run({"list", "--sweep", "j4"}), ExitCode::kInvalid);
}

}  // namespace
}  // namespace hydra
