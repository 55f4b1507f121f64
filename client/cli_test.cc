#include "client/cli.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <thread>

#include "absl/strings/str_split.h"
#include "client/testing/fake_server.h"
#include "common/file/scratch_directory.h"
#include "common/jobfile/mistakes.h"
#include "common/status/rpc_status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace hydra {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr char kJobFile[] = R"(
name: tiny
model: {path: models/tiny, init: random}
data: {train_files: [train.txt]}
train: {max_steps: 2, per_device_train_batch_size: 1, learning_rate: 0.001}
)";

class CliTest : public ::testing::Test {
 protected:
  CliTest() {
    environment_["HYDRA_SERVER"] = server_.address();
    std::ofstream(JobFilePath()) << kJobFile;
  }

  ExitCode Run(const std::vector<std::string>& arguments) {
    out_.str("");
    err_.str("");
    CliContext context;
    context.in = &in_;
    context.out = &out_;
    context.err = &err_;
    context.getenv = [this](const char* name) -> std::optional<std::string> {
      const auto it = environment_.find(name);
      if (it == environment_.end()) return std::nullopt;
      return it->second;
    };
    context.interrupt = &interrupt_;
    context.reconnect.first_pause = absl::Milliseconds(1);
    context.reconnect.give_up_after = give_up_after_;
    return RunCli(arguments, context);
  }

  std::string JobFilePath() const { return scratch_.path() + "/job.yaml"; }

  static v1::JobStatus Job(const std::string& id, v1::JobState state) {
    v1::JobStatus job;
    job.set_job_id(id);
    job.set_sweep_id("s1");
    job.set_name("tiny");
    job.set_state(state);
    return job;
  }

  static Take<v1::WatchResponse> WatchTake(v1::JobState state,
                                           grpc::Status end = {}) {
    Take<v1::WatchResponse> take;
    *take.messages.emplace_back().add_jobs() = Job("j1", state);
    take.end = end;
    return take;
  }

  std::vector<std::string> OutLines() const {
    return absl::StrSplit(out_.str(), '\n', absl::SkipEmpty());
  }

  FakeServer server_;
  FakeHydraService& service_ = server_.service();
  ScratchDirectory scratch_;
  std::map<std::string, std::string> environment_;
  Interrupt interrupt_;
  absl::Duration give_up_after_ = absl::Minutes(1);
  std::istringstream in_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(CliTest, EveryVerbsHelpEndsWithAnExample) {
  for (const std::string verb :
       {"submit", "run", "watch", "list", "describe", "logs", "results",
        "download", "pause", "resume", "cancel", "workers", "info",
        "version"}) {
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
  EXPECT_THAT(err_.str(), HasSubstr("the commands are submit, run, watch"));
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

TEST_F(CliTest, SubmitSaysWhatToWriteInPlaceOfAHubsModel) {
  Mistakes mistakes;
  AddMistake("model.path", "/x/acme/tiny does not exist", &mistakes);
  service_.error = ToGrpc(ToStatus(mistakes));
  std::string text = kJobFile;
  text.replace(text.find("models/tiny"), 11, "acme/tiny");
  std::ofstream(JobFilePath()) << text;
  EXPECT_EQ(Run({"submit", JobFilePath()}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), HasSubstr("huggingface-cli download acme/tiny"));
}

TEST_F(CliTest, SubmitSendsTheJobFileWithAbsolutePaths) {
  service_.submit_response.set_sweep_id("s1");
  *service_.submit_response.add_jobs() = Job("j1", v1::JOB_STATE_PENDING);
  EXPECT_EQ(Run({"submit", JobFilePath(), "-o", "id"}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), ElementsAre("s1", "j1"));
  ASSERT_THAT(service_.submit_requests, SizeIs(1));
  const v1::SubmitRequest& request = service_.submit_requests[0];
  EXPECT_EQ(request.job().model().path(), scratch_.path() + "/models/tiny");
  EXPECT_EQ(request.job().data().train_files(0),
            scratch_.path() + "/train.txt");
  EXPECT_THAT(request.request_id(), SizeIs(32));
  EXPECT_FALSE(request.validate_only());

  EXPECT_EQ(Run({"submit", JobFilePath()}), ExitCode::kOk);
  EXPECT_EQ(OutLines()[0], "s1");
  EXPECT_THAT(OutLines()[2], AllOf(HasSubstr("j1"), HasSubstr("tiny")));
  EXPECT_NE(service_.submit_requests[1].request_id(),
            service_.submit_requests[0].request_id());
}

TEST_F(CliTest, SubmitReadsStandardInput) {
  in_.str(kJobFile);
  EXPECT_EQ(Run({"submit", "-", "--validate-only"}), ExitCode::kOk);
  ASSERT_THAT(service_.submit_requests, SizeIs(1));
  EXPECT_TRUE(service_.submit_requests[0].validate_only());
  EXPECT_EQ(service_.submit_requests[0].job().model().path(),
            (fs::current_path() / "models/tiny").string());
}

TEST_F(CliTest, SubmitSaysWhatOfTheInputIsNotUsed) {
  service_.submit_response.set_sweep_id("s1");
  service_.submit_response.add_warnings("score.weight is not used");
  EXPECT_EQ(Run({"submit", JobFilePath(), "-o", "id"}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), ElementsAre("s1"));
  EXPECT_THAT(err_.str(),
              HasSubstr("hydra: warning: score.weight is not used\n"));
}

TEST_F(CliTest, SubmitPrintsEveryMistakeThatTheServerFound) {
  Mistakes mistakes;
  for (const char* field : {"model.path", "train.learning_rate"}) {
    AddMistake(field, "is wrong", &mistakes);
  }
  service_.error = ToGrpc(ToStatus(mistakes));
  EXPECT_EQ(Run({"submit", JobFilePath()}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(),
              AllOf(HasSubstr("\nmodel.path: is wrong"),
                    HasSubstr("\ntrain.learning_rate: is wrong\n")));
}

TEST_F(CliTest, SubmitTellsTheFilesAndTheServersMistakesInOneAnswer) {
  std::ofstream(JobFilePath()) << R"(
nmae: tiny
model: {path: nowhere}
data: {train_files: [a.txt, {b: c}, d.txt]}
train: {max_steps: -1, learning_rate: fast}
)";
  Mistakes mistakes;
  for (const char* field :
       {"model.path", "data.train_files[1]", "data.train_files[2]",
        "train.max_steps", "train.learning_rate",
        "train.per_device_train_batch_size"}) {
    AddMistake(field, "is wrong", &mistakes);
  }
  service_.error = ToGrpc(ToStatus(mistakes));
  for (const char* more : {"-ojson", "--validate-only"}) {
    service_.submit_requests.clear();
    EXPECT_EQ(Run({"submit", JobFilePath(), more}), ExitCode::kInvalid);
    const std::vector<std::string> lines =
        absl::StrSplit(err_.str(), '\n', absl::SkipEmpty());
    EXPECT_THAT(
        lines, ElementsAre(
                   "hydra: the job file is not valid",
                   StartsWith("nmae: line 2: unknown key 'nmae'"),
                   "model.path: is wrong",
                   StartsWith("data.train_files[1]: line 4: expected text"),
                   "data.train_files[2]: is wrong", "train.max_steps: is wrong",
                   StartsWith("train.learning_rate: line 5: expected a number"),
                   "train.per_device_train_batch_size: is wrong"));
    ASSERT_THAT(service_.submit_requests, SizeIs(1));
    EXPECT_TRUE(service_.submit_requests[0].validate_only());
    EXPECT_EQ(service_.submit_requests[0].job().data().train_files(2),
              scratch_.path() + "/d.txt");
  }
}

TEST_F(CliTest, AFileWithMistakesIsNotSubmittedIfTheServerFindsNone) {
  std::ofstream(JobFilePath(), std::ios::app) << "nmae: x\n";
  service_.submit_response.set_sweep_id("s1");
  EXPECT_EQ(Run({"submit", JobFilePath()}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("\nnmae: line 6: "),
                                Not(HasSubstr("not checked"))));
  EXPECT_THAT(out_.str(), IsEmpty());
  ASSERT_THAT(service_.submit_requests, SizeIs(1));
  EXPECT_TRUE(service_.submit_requests[0].validate_only());
  // What is unread may be why it does not fit.
  service_.error =
      grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "needs 7 B");
  EXPECT_EQ(Run({"submit", JobFilePath()}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("\nnmae: line 6: "),
                                Not(HasSubstr("needs 7 B"))));
}

TEST_F(CliTest, SubmitFindsMistakesInTheFileWithoutTheServer) {
  environment_["HYDRA_SERVER"] = "unix:/no/such.sock";
  std::ofstream(JobFilePath()) << "nmae: x\n";
  EXPECT_EQ(Run({"submit", JobFilePath()}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(),
              AllOf(HasSubstr("\nnmae: line 1: "),
                    HasSubstr("\nhydra: values, files and the model were not "
                              "checked: ")));
  EXPECT_EQ(Run({"run", JobFilePath(), "--hydrad", "/no/such/hydrad"}),
            ExitCode::kInvalid);
  EXPECT_THAT(err_.str(),
              AllOf(HasSubstr("\nnmae: line 1: "), HasSubstr("not checked: "),
                    HasSubstr("/no/such/hydrad")));
  std::ofstream(JobFilePath()) << "name: [x\n";
  EXPECT_EQ(Run({"submit", JobFilePath()}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(),
              AllOf(HasSubstr("line "), Not(HasSubstr("not checked"))));
  EXPECT_EQ(Run({"submit", scratch_.path() + "/none"}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), HasSubstr("No such file"));
}

TEST_F(CliTest, SubmitWatchShowsProgressThenTheLeaderboard) {
  service_.submit_response.set_sweep_id("s1");
  *service_.submit_response.add_jobs() = Job("j1", v1::JOB_STATE_PENDING);
  service_.watch_takes.push_back(WatchTake(v1::JOB_STATE_COMPLETED));
  *service_.results_response.add_jobs() = Job("j1", v1::JOB_STATE_COMPLETED);
  EXPECT_EQ(Run({"submit", JobFilePath(), "--watch"}), ExitCode::kOk);
  EXPECT_THAT(out_.str(), HasSubstr("RANK"));
  EXPECT_THAT(err_.str(), HasSubstr("j1 tiny: completed"));
  EXPECT_EQ(service_.watch_requests[0].sweep_id(), "s1");
}

TEST_F(CliTest, ListFiltersAndPrintsIdsOrJsonAlone) {
  *service_.list_response.add_jobs() = Job("j1", v1::JOB_STATE_RUNNING);
  *service_.list_response.add_jobs() = Job("j2", v1::JOB_STATE_PENDING);
  EXPECT_EQ(Run({"list", "--sweep", "s1", "--state", "running", "--state",
                 "PENDING", "--state", "paused", "-o", "id"}),
            ExitCode::kOk);
  EXPECT_THAT(OutLines(), ElementsAre("j1", "j2"));
  ASSERT_THAT(service_.list_requests, SizeIs(1));
  EXPECT_EQ(service_.list_requests[0].sweep_id(), "s1");
  EXPECT_THAT(service_.list_requests[0].states(),
              ElementsAre(v1::JOB_STATE_RUNNING, v1::JOB_STATE_PENDING,
                          v1::JOB_STATE_PAUSED));

  service_.list_response.set_next_page_token("next");
  *service_.list_pages["next"].add_jobs() = Job("j3", v1::JOB_STATE_PENDING);
  EXPECT_EQ(Run({"list", "-o", "json"}), ExitCode::kOk);
  const auto json = nlohmann::json::parse(out_.str());
  EXPECT_EQ(json["jobs"][1]["job_id"], "j2");
  EXPECT_EQ(json["jobs"][2]["job_id"], "j3");
  EXPECT_EQ(json["jobs"][1]["shard_count"], 0);
  EXPECT_THAT(err_.str(), IsEmpty());
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

TEST_F(CliTest, DescribeWorkersAndInfoPrintWhatTheServerSays) {
  *service_.job_response.mutable_job()->mutable_status() =
      Job("j1", v1::JOB_STATE_RUNNING);
  service_.workers_response.add_workers()->set_device("cpu:0");
  service_.info_response.set_version("9.9");
  EXPECT_EQ(Run({"describe", "j1"}), ExitCode::kOk);
  EXPECT_THAT(out_.str(), HasSubstr("j1 tiny"));
  EXPECT_EQ(Run({"workers", "-o", "id"}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), ElementsAre("cpu:0"));
  EXPECT_EQ(Run({"info"}), ExitCode::kOk);
  EXPECT_THAT(out_.str(), HasSubstr("9.9"));
  EXPECT_EQ(Run({"info", "-o", "id"}), ExitCode::kInvalid);
}

TEST_F(CliTest, ResultsKeepTheServersOrder) {
  *service_.results_response.add_jobs() = Job("j2", v1::JOB_STATE_COMPLETED);
  *service_.results_response.add_jobs() = Job("j1", v1::JOB_STATE_COMPLETED);
  EXPECT_EQ(Run({"results", "s1", "-o", "id"}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), ElementsAre("j2", "j1"));
}

TEST_F(CliTest, CancelTakesJobsAndSweeps) {
  service_.cancel_response.add_cancelled_job_ids("j7");
  EXPECT_EQ(Run({"cancel", "j7", "s2", "-o", "id"}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), ElementsAre("j7", "j7"));
  ASSERT_THAT(service_.cancel_requests, SizeIs(2));
  EXPECT_EQ(service_.cancel_requests[0].job_id(), "j7");
  EXPECT_EQ(service_.cancel_requests[1].sweep_id(), "s2");
}

TEST_F(CliTest, CancelDoesAllItCanAndNamesTheRest) {
  service_.cancel_response.add_cancelled_job_ids("j1");
  service_.target_errors["j99"] =
      grpc::Status(grpc::StatusCode::NOT_FOUND, "there is no job j99");
  EXPECT_EQ(Run({"cancel", "j1", "j99", "everything", "s2", "j1"}),
            ExitCode::kInvalid)
      << "that of the first id that is found to be wrong";
  std::vector<std::string> targets;
  for (const v1::CancelRequest& request : service_.cancel_requests) {
    targets.push_back(request.job_id() + request.sweep_id());
  }
  EXPECT_THAT(targets, ElementsAre("j1", "j99", "s2")) << "each id once";
  EXPECT_THAT(OutLines(), ElementsAre("cancelled j1", "cancelled j1"));
  EXPECT_THAT(err_.str(),
              AllOf(HasSubstr("hydra: 'everything' is no id"),
                    HasSubstr("hydra: j99: there is no job j99\n")));
}

TEST_F(CliTest, AListWithAnUnknownIdHasTheCodeOfThat) {
  service_.target_errors["j99"] =
      grpc::Status(grpc::StatusCode::NOT_FOUND, "there is no job j99");
  EXPECT_EQ(Run({"cancel", "j1", "j99", "j2"}), ExitCode::kNotFound);
  EXPECT_EQ(Run({"pause", "j99", "j1"}), ExitCode::kNotFound);
  EXPECT_THAT(service_.pause_requests, SizeIs(2));
  EXPECT_EQ(Run({"resume", "j1", "j99"}), ExitCode::kNotFound);
  EXPECT_THAT(service_.resume_requests, SizeIs(2));
}

TEST_F(CliTest, AListEndsWhenNobodyAnswersAnyMore) {
  service_.target_errors["j2"] =
      grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping");
  EXPECT_EQ(Run({"cancel", "j1", "j2", "j3", "j4"}), ExitCode::kUnavailable);
  EXPECT_THAT(service_.cancel_requests, SizeIs(2));
  EXPECT_THAT(err_.str(),
              AllOf(HasSubstr("j2: "), HasSubstr("stopping"),
                    HasSubstr("j3: not tried"), HasSubstr("j4: not tried")));
}

TEST_F(CliTest, IdsThatAreNoneNeedNoServer) {
  environment_["HYDRA_SERVER"] = "unix:/no/such.sock";
  EXPECT_EQ(Run({"cancel", "all", "12"}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("'all' is no id"),
                                HasSubstr("did you mean j12?")));
  for (const std::string verb : {"describe", "logs", "results", "watch"}) {
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

TEST_F(CliTest, CancelDeletesCheckpointsOnlyWhenAskedTo) {
  EXPECT_EQ(Run({"cancel", "j7"}), ExitCode::kOk);
  EXPECT_EQ(Run({"cancel", "j7", "s2", "--delete-checkpoints"}), ExitCode::kOk);
  ASSERT_THAT(service_.cancel_requests, SizeIs(3));
  EXPECT_FALSE(service_.cancel_requests[0].delete_checkpoints());
  EXPECT_TRUE(service_.cancel_requests[1].delete_checkpoints());
  EXPECT_TRUE(service_.cancel_requests[2].delete_checkpoints());
}

TEST_F(CliTest, PauseTakesJobsAndSweeps) {
  service_.pause_response.add_paused_job_ids("j7");
  EXPECT_EQ(Run({"pause", "j7", "s2"}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), ElementsAre("pausing j7", "pausing j7"));
  EXPECT_THAT(err_.str(), IsEmpty());
  ASSERT_THAT(service_.pause_requests, SizeIs(2));
  EXPECT_EQ(service_.pause_requests[0].job_id(), "j7");
  EXPECT_EQ(service_.pause_requests[1].sweep_id(), "s2");
  EXPECT_EQ(Run({"pause", "j7", "-o", "json"}), ExitCode::kOk);
  EXPECT_EQ(nlohmann::json::parse(out_.str())["paused_job_ids"][0], "j7");
}

TEST_F(CliTest, PauseSaysWhenThereIsNothingToPause) {
  EXPECT_EQ(Run({"pause", "j7"}), ExitCode::kOk);
  EXPECT_THAT(out_.str(), IsEmpty());
  EXPECT_THAT(err_.str(), HasSubstr("j7: nothing to pause"));
}

TEST_F(CliTest, ResumeTakesJobsAndSweeps) {
  service_.resume_response.add_resumed_job_ids("j7");
  EXPECT_EQ(Run({"resume", "j7", "s2", "-o", "id"}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), ElementsAre("j7", "j7"));
  ASSERT_THAT(service_.resume_requests, SizeIs(2));
  EXPECT_EQ(service_.resume_requests[0].job_id(), "j7");
  EXPECT_EQ(service_.resume_requests[1].sweep_id(), "s2");
  service_.error = grpc::Status(grpc::StatusCode::NOT_FOUND, "no job j9");
  EXPECT_EQ(Run({"resume", "j9"}), ExitCode::kNotFound);
}

TEST_F(CliTest, WatchSaysWhetherAJobFailed) {
  service_.watch_takes.push_back(WatchTake(v1::JOB_STATE_COMPLETED));
  EXPECT_EQ(Run({"watch", "j1"}), ExitCode::kOk);
  EXPECT_THAT(out_.str(), HasSubstr("RANK"));
  service_.watch_takes.push_back(WatchTake(v1::JOB_STATE_FAILED));
  EXPECT_EQ(Run({"watch", "j1"}), ExitCode::kFailed);
  EXPECT_EQ(service_.watch_requests[1].job_id(), "j1");
}

TEST_F(CliTest, WatchGoesOnWhileAJobIsPaused) {
  auto take = WatchTake(v1::JOB_STATE_PAUSED);
  // Should the server end the stream there, it is opened again.
  service_.watch_takes.push_back(take);
  take.messages.push_back(WatchTake(v1::JOB_STATE_COMPLETED).messages.front());
  service_.watch_takes.push_back(take);
  EXPECT_EQ(Run({"watch", "j1"}), ExitCode::kOk);
  EXPECT_THAT(service_.watch_requests, SizeIs(2));
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("j1 tiny: paused"),
                                HasSubstr("j1 tiny: completed")));
}

TEST_F(CliTest, WatchWritesAMessageALineAsJson) {
  auto take = WatchTake(v1::JOB_STATE_RUNNING);
  take.messages.push_back(WatchTake(v1::JOB_STATE_COMPLETED).messages.front());
  service_.watch_takes.push_back(take);
  EXPECT_EQ(Run({"watch", "j1", "-o", "json"}), ExitCode::kOk);
  ASSERT_THAT(OutLines(), SizeIs(2));
  EXPECT_EQ(nlohmann::json::parse(OutLines()[1])["jobs"][0]["state"],
            "JOB_STATE_COMPLETED");
}

TEST_F(CliTest, WatchConnectsAgainWhenTheServerWentAway) {
  const grpc::Status gone(grpc::StatusCode::UNAVAILABLE, "stopping");
  service_.watch_takes.push_back(WatchTake(v1::JOB_STATE_RUNNING, gone));
  // The stream of a server that stops in good order ends with OK.
  service_.watch_takes.push_back(WatchTake(v1::JOB_STATE_RUNNING));
  service_.watch_takes.push_back(WatchTake(v1::JOB_STATE_COMPLETED));
  EXPECT_EQ(Run({"watch", "j1"}), ExitCode::kOk);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("lost the server"),
                                HasSubstr("connected again")));
}

TEST_F(CliTest, WatchGoesOnAfterTheServerWasStartedAgain) {
  auto running = WatchTake(v1::JOB_STATE_RUNNING);
  running.stays_open = true;
  service_.watch_takes.push_back(running);
  service_.watch_takes.push_back(WatchTake(v1::JOB_STATE_COMPLETED));
  std::thread restarting([this] {
    {
      absl::MutexLock lock(&service_.mu);
      const auto asked = [this] { return !service_.watch_requests.empty(); };
      service_.mu.Await(absl::Condition(&asked));
    }
    server_.Stop();
    server_.Start();
  });
  EXPECT_EQ(Run({"watch", "j1"}), ExitCode::kOk);
  restarting.join();
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("lost the server"),
                                HasSubstr("connected again")));
}

TEST_F(CliTest, WatchGivesUpOnAServerThatStaysAway) {
  give_up_after_ = absl::ZeroDuration();
  const grpc::Status gone(grpc::StatusCode::UNAVAILABLE, "stopping");
  service_.watch_takes.push_back(WatchTake(v1::JOB_STATE_RUNNING, gone));
  EXPECT_EQ(Run({"watch", "j1"}), ExitCode::kUnavailable);
}

TEST_F(CliTest, AnInterruptEndsAWatch) {
  std::thread interrupting([this] {
    absl::MutexLock lock(&service_.mu);
    const auto asked = [this] { return !service_.watch_requests.empty(); };
    service_.mu.Await(absl::Condition(&asked));
    interrupt_.Trigger();
  });
  EXPECT_EQ(Run({"watch", "j1"}), ExitCode::kInterrupted);
  interrupting.join();
}

TEST_F(CliTest, LogsFollowThroughARestartWithoutRepeatingLines) {
  Take<v1::StreamLogsResponse> first;
  v1::LogLine* line = first.messages.emplace_back().add_lines();
  line->mutable_time()->set_seconds(1);
  line->set_text("one\x1b");
  line->set_step(-1);
  first.end = grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping");
  Take<v1::StreamLogsResponse> second;
  second.messages = first.messages;
  line = second.messages[0].add_lines();
  line->mutable_time()->set_seconds(2);
  line->set_text("two");
  service_.log_takes = {first, second};
  EXPECT_EQ(Run({"logs", "j1", "-f", "--tail", "5"}), ExitCode::kOk);
  ASSERT_THAT(OutLines(), SizeIs(2));
  EXPECT_THAT(OutLines()[0], HasSubstr("one\\x1b"));
  EXPECT_THAT(OutLines()[1], HasSubstr("two"));
  EXPECT_THAT(err_.str(), HasSubstr("lost the server"));
  ASSERT_THAT(service_.log_requests, SizeIs(2));
  EXPECT_EQ(service_.log_requests[0].tail(), 5);
  EXPECT_EQ(service_.log_requests[1].tail(), 0);
}

TEST_F(CliTest, LogsSayThatLinesMayBeMissingAfterARestart) {
  Take<v1::StreamLogsResponse> first;
  v1::LogLine* line = first.messages.emplace_back().add_lines();
  line->mutable_time()->set_seconds(1);
  line->set_text("before");
  first.end = grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping");
  // A server that was started again has newer lines alone.
  Take<v1::StreamLogsResponse> second;
  line = second.messages.emplace_back().add_lines();
  line->mutable_time()->set_seconds(9);
  line->set_text("after");
  service_.log_takes = {first, second};
  EXPECT_EQ(Run({"logs", "j1", "-f"}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), SizeIs(2));
  EXPECT_THAT(err_.str(), HasSubstr("may be missing here"));
}

TEST_F(CliTest, LogsCountNoLinesAsLostThatWereShownBefore) {
  Take<v1::StreamLogsResponse> first;
  v1::LogLine* line = first.messages.emplace_back().add_lines();
  line->mutable_time()->set_seconds(5);
  first.end = grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping");
  Take<v1::StreamLogsResponse> second;
  second.messages = first.messages;
  second.messages[0].set_dropped_lines(1000);
  service_.log_takes = {first, second};
  EXPECT_EQ(Run({"logs", "j1", "-f", "--tail", "1"}), ExitCode::kOk);
  EXPECT_THAT(err_.str(), Not(HasSubstr("1000")));
  EXPECT_THAT(err_.str(), Not(HasSubstr("missing")));
}

TEST_F(CliTest, DownloadWritesTheFilesAndNamesThem) {
  Take<v1::DownloadResponse> take;
  v1::DownloadResponse& piece = take.messages.emplace_back();
  piece.set_file_name("config.json");
  piece.set_file_bytes(2);
  piece.set_data("{}");
  service_.download_takes = {take, take};
  const std::string directory = scratch_.path() + "/model";
  EXPECT_EQ(Run({"download", "j1", directory}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), ElementsAre(directory + "/config.json"));
  EXPECT_EQ(fs::file_size(directory + "/config.json"), 2);
  EXPECT_EQ(Run({"download", "j1", directory}), ExitCode::kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("--force"));
}

class RunVerbTest : public CliTest {
 protected:
  RunVerbTest() {
    environment_["HYDRAD"] = fs::absolute("client/testing/fake_hydrad");
  }

  ExitCode RunMode(const char* mode) {
    setenv("FAKE_HYDRAD", mode, /*overwrite=*/1);
    return Run({"run", JobFilePath(), "--state-dir", StateDir()});
  }

  std::string StateDir() const { return scratch_.path() + "/state"; }
};

TEST_F(RunVerbTest, TrainsWithADaemonOfItsOwnAndEndsIt) {
  EXPECT_EQ(RunMode(""), ExitCode::kOk);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("RANK"), HasSubstr("1.5000")));
  EXPECT_THAT(err_.str(), HasSubstr(StateDir()));
  EXPECT_TRUE(fs::exists(StateDir() + "/ended"));
  EXPECT_THAT(service_.submit_requests, IsEmpty()) << "that is another server";
}

TEST_F(RunVerbTest, AFailedJobIsOne) {
  EXPECT_EQ(RunMode("fail"), ExitCode::kFailed);
}

TEST_F(RunVerbTest, ShowsWhyTheDaemonDied) {
  EXPECT_EQ(RunMode("die"), ExitCode::kUnavailable);
  EXPECT_THAT(err_.str(), HasSubstr("cannot allocate the pool"));
}

TEST_F(RunVerbTest, EndsWhenNoWorkerCanStart) {
  EXPECT_EQ(RunMode("lame"), ExitCode::kUnavailable);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("cannot start: no libtorch.so"),
                                HasSubstr(StateDir() + "/hydrad.log")));
}

TEST_F(RunVerbTest, RefusesAWrongSizeBeforeStartingAnything) {
  EXPECT_EQ(Run({"run", JobFilePath(), "--pool-size", "lots"}),
            ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), HasSubstr("--pool-size"));
  EXPECT_EQ(Run({"run", JobFilePath(), "--hydrad", "/no/such"}),
            ExitCode::kNotFound);
}

}  // namespace
}  // namespace hydra
