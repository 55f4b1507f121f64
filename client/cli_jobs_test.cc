// Verbs that ask about jobs, or tell them something.

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "client/testing/cli_fixture.h"
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

using CliJobsTest = CliFixture;

TEST_F(CliJobsTest, DrainsAndWaitsUntilNothingComputesThere) {
  v1::WorkerStatus& worker = *service_.drain_response.add_workers();
  worker.set_device("cpu:1");
  worker.set_state(v1::WORKER_STATE_READY);
  worker.set_draining(true);
  worker.set_drain_reason("new fan");
  *service_.workers_response.add_workers() = worker;
  worker.set_task("j3 FORWARD shard 0 step 2");
  EXPECT_EQ(Run({"drain", "--devices", "cpu:1", "--reason", "new fan"}),
            ExitCode::kOk);
  EXPECT_THAT(out_.str(), HasSubstr("computes j3 FORWARD"));
  ASSERT_THAT(service_.drain_requests, SizeIs(1));
  EXPECT_THAT(service_.drain_requests[0].devices(), ElementsAre("cpu:1"));
  EXPECT_EQ(service_.drain_requests[0].reason(), "new fan");
  EXPECT_FALSE(service_.drain_requests[0].undrain());

  EXPECT_EQ(Run({"drain", "--all", "--wait"}), ExitCode::kOk);
  EXPECT_EQ(out_.str(), "cpu:1 is drained: new fan\n");
  EXPECT_TRUE(service_.drain_requests[1].all());
  EXPECT_EQ(Run({"undrain", "--all"}), ExitCode::kOk);
  EXPECT_TRUE(service_.drain_requests[2].undrain());
  EXPECT_EQ(Run({"drain"}), ExitCode::kInvalid);
  EXPECT_EQ(Run({"drain", "--all", "--devices", "cpu:1"}), ExitCode::kInvalid);
  EXPECT_THAT(service_.drain_requests, SizeIs(3));
}

TEST_F(CliJobsTest, WithoutATerminalTopShowsOnce) {
  service_.workers_response.add_workers()->set_device("cpu:0");
  *service_.list_response.add_jobs() = Job("j1", v1::JOB_STATE_RUNNING);
  EXPECT_EQ(Run({"top"}), ExitCode::kOk);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("0 of 1 devices compute"),
                                HasSubstr("j1"), Not(HasSubstr("\033"))));
  ASSERT_THAT(service_.list_requests, SizeIs(1));
  EXPECT_THAT(service_.list_requests[0].states(),
              ElementsAre(v1::JOB_STATE_PENDING, v1::JOB_STATE_RUNNING,
                          v1::JOB_STATE_PAUSED));
}

TEST_F(CliJobsTest, TopHasAScreenOfItsOwnUntilItIsInterrupted) {
  service_.workers_response.add_workers()->set_device("cpu:0");
  out_terminal_.in_place = true;
  interrupt_.Trigger();
  EXPECT_EQ(Run({"top"}), ExitCode::kInterrupted);
  // Each line is cleared before it is written: a full one would lose its end.
  EXPECT_THAT(out_.str(), HasSubstr("\033[H\033[K0 of 1 devices compute"));
  EXPECT_EQ(out_.str().find("\033[?1049h"), 0);
  EXPECT_EQ(out_.str().find("\033[?1049l"), out_.str().size() - 8);
}

TEST_F(CliJobsTest, DrainWaitsNoLongerThanItsTimeout) {
  v1::WorkerStatus& worker = *service_.drain_response.add_workers();
  worker.set_device("cpu:1");
  worker.set_held_tasks(1);
  *service_.workers_response.add_workers() = worker;
  EXPECT_EQ(Run({"--timeout", "2", "drain", "--devices", "cpu:1", "--wait"}),
            ExitCode::kTimeout);
}

TEST_F(CliJobsTest, ListFiltersAndPrintsIdsOrJsonAlone) {
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

TEST_F(CliJobsTest, ListsJobsOfOneUser) {
  EXPECT_EQ(Run({"list", "--mine"}), ExitCode::kOk);
  EXPECT_EQ(Run({"list", "--user", "alice"}), ExitCode::kOk);
  ASSERT_THAT(service_.list_requests, SizeIs(2));
  EXPECT_EQ(service_.list_requests[0].owner(), "me");
  EXPECT_EQ(service_.list_requests[1].owner(), "alice");
  EXPECT_EQ(Run({"list", "--mine", "--user", "alice"}), ExitCode::kInvalid);
}

TEST_F(CliJobsTest, AuditAsksForPagesUntilItHasEnough) {
  service_.audit_response.add_entries()->set_rpc("Cancel");
  service_.audit_response.set_next_page_token("7");
  service_.audit_pages["7"].add_entries()->set_rpc("Submit");
  service_.audit_pages["7"].set_next_page_token("5");
  EXPECT_EQ(Run({"audit", "--user", "bob", "--since", "2026-11-30", "--limit",
                 "2", "-o", "json"}),
            ExitCode::kOk);
  const auto json = nlohmann::json::parse(out_.str());
  ASSERT_EQ(json["entries"].size(), 2);
  EXPECT_EQ(json["entries"][1]["rpc"], "Submit");
  ASSERT_THAT(service_.audit_requests, SizeIs(2));
  EXPECT_EQ(service_.audit_requests[0].user(), "bob");
  EXPECT_TRUE(service_.audit_requests[0].has_since());
  EXPECT_EQ(service_.audit_requests[0].page_size(), 2);
  EXPECT_EQ(service_.audit_requests[1].page_size(), 1);
  EXPECT_EQ(Run({"audit", "--since", "yesterday"}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), HasSubstr("--since: expected a time"));
  service_.error = grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "no");
  EXPECT_EQ(Run({"audit"}), ExitCode::kPermission);
}

TEST_F(CliJobsTest, ListLeavesOutWhatHasEndedUnlessItIsAskedFor) {
  for (const auto& [id, state] :
       std::vector<std::pair<std::string, v1::JobState>>{
           {"j9", v1::JOB_STATE_RUNNING},
           {"j8", v1::JOB_STATE_FAILED},
           {"j7", v1::JOB_STATE_PAUSED},
           {"j6", v1::JOB_STATE_COMPLETED},
           {"j5", v1::JOB_STATE_PENDING},
           {"j4", v1::JOB_STATE_CANCELLED}}) {
    *service_.list_response.add_jobs() = Job(id, state);
  }
  EXPECT_EQ(Run({"list"}), ExitCode::kOk);
  std::vector<std::string> firsts;
  for (const std::string& line : OutLines()) {
    firsts.push_back(line.substr(0, line.find(' ')));
  }
  EXPECT_THAT(firsts, ElementsAre("JOB", "j9", "j7", "j5", "3"));
  EXPECT_EQ(OutLines().back(), "3 ended: hydra list --all");
  EXPECT_EQ(Run({"list", "--mine"}), ExitCode::kOk);
  EXPECT_EQ(OutLines().back(), "3 ended: hydra list --all --mine");
  EXPECT_EQ(Run({"list", "--user", "ann"}), ExitCode::kOk);
  EXPECT_EQ(OutLines().back(), "3 ended: hydra list --all --user ann");
  for (const std::vector<std::string>& asked :
       {std::vector<std::string>{"list", "--all"},
        {"list", "--sweep", "s1"},
        {"list", "--state", "failed"}}) {
    EXPECT_EQ(Run(asked), ExitCode::kOk);
    EXPECT_THAT(OutLines(), SizeIs(7)) << "a title, and what the server said";
  }
  EXPECT_EQ(Run({"list", "-o", "id"}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), SizeIs(6));
  EXPECT_EQ(Run({"list", "-o", "json"}), ExitCode::kOk);
  EXPECT_EQ(nlohmann::json::parse(out_.str())["jobs"].size(), 6);
}

TEST_F(CliJobsTest, DescribeWorkersAndInfoPrintWhatTheServerSays) {
  *service_.job_response.mutable_job()->mutable_status() =
      Job("j1", v1::JOB_STATE_RUNNING);
  service_.workers_response.add_workers()->set_device("cpu:0");
  service_.info_response.set_version("9.9");
  EXPECT_EQ(Run({"describe", "j1"}), ExitCode::kOk);
  EXPECT_THAT(out_.str(), HasSubstr("j1 tiny"));
  v1::JobSpec& spec = *service_.job_response.mutable_job()->mutable_spec();
  spec.set_name("tiny");
  spec.mutable_train()->set_learning_rate(3e-4);
  EXPECT_EQ(Run({"describe", "j1"}), ExitCode::kOk);
  EXPECT_THAT(out_.str(), HasSubstr("\n    learning_rate: 3e-04\n"));
  EXPECT_EQ(Run({"describe", "j1", "--job-file"}), ExitCode::kOk);
  EXPECT_EQ(out_.str(), "name: tiny\ntrain:\n  learning_rate: 3e-04\n");
  EXPECT_EQ(Run({"workers", "-o", "id"}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), ElementsAre("cpu:0"));
  EXPECT_EQ(Run({"info"}), ExitCode::kOk);
  EXPECT_THAT(out_.str(), HasSubstr("9.9"));
  EXPECT_EQ(Run({"info", "-o", "id"}), ExitCode::kInvalid);
}

TEST_F(CliJobsTest, TheDoctorHasALineForEachThingAndSaysWhatFails) {
  service_.info_response.set_version("9.9");
  v1::WorkerStatus& worker = *service_.workers_response.add_workers();
  worker.set_device("cpu:0");
  worker.set_state(v1::WORKER_STATE_READY);
  EXPECT_EQ(Run({"doctor"}), ExitCode::kOk);
  ASSERT_THAT(OutLines(), SizeIs(3));
  EXPECT_THAT(OutLines()[0], HasSubstr("ok    connection: unix:"));
  EXPECT_THAT(OutLines()[1],
              AllOf(HasSubstr("warn  version: "), HasSubstr("9.9. Remedy: ")));
  EXPECT_EQ(OutLines()[2], "ok    worker cpu:0: ready");
  worker.set_state(v1::WORKER_STATE_RESTARTING);
  worker.set_reason("no library");
  EXPECT_EQ(Run({"doctor"}), ExitCode::kFailed);
  EXPECT_THAT(
      OutLines()[2],
      HasSubstr("fail  worker cpu:0: restarting: no library. Remedy: "));
  server_.Stop();
  EXPECT_EQ(Run({"doctor"}), ExitCode::kFailed);
  ASSERT_THAT(OutLines(), SizeIs(1));
  EXPECT_THAT(OutLines()[0], HasSubstr("fail  connection: "));
}

TEST_F(CliJobsTest, ResultsKeepTheServersOrder) {
  *service_.results_response.add_jobs() = Job("j2", v1::JOB_STATE_COMPLETED);
  *service_.results_response.add_jobs() = Job("j1", v1::JOB_STATE_COMPLETED);
  EXPECT_EQ(Run({"results", "s1", "-o", "id"}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), ElementsAre("j2", "j1"));
}

TEST_F(CliJobsTest, ResultsSayWhereTheSweepsDeviceTimeWent) {
  *service_.results_response.add_jobs() = Job("j1", v1::JOB_STATE_COMPLETED);
  EXPECT_EQ(Run({"results", "s1"}), ExitCode::kOk);
  EXPECT_THAT(out_.str(), Not(HasSubstr("device time")));
  service_.results_response.mutable_totals()->mutable_idle()->set_seconds(8);
  EXPECT_EQ(Run({"results", "s1"}), ExitCode::kOk);
  EXPECT_THAT(out_.str(), HasSubstr("\ndevice time 8.0s: 0% computing"));
}

TEST_F(CliJobsTest, ATraceIsAFileOrGoesToStandardOutput) {
  v1::TraceResponse head;
  *head.add_jobs() = Job("j1", v1::JOB_STATE_RUNNING);
  head.mutable_jobs(0)->mutable_started_at()->set_seconds(50);
  head.add_devices("cpu:0");
  v1::TraceResponse tasks;
  tasks.add_tasks()->set_job_id("j1");
  tasks.mutable_tasks(0)->set_device("cpu:0");
  tasks.mutable_tasks(0)->set_kind("TURN");
  service_.trace_takes.push_back({{head, tasks}});
  const std::string file = scratch_.path() + "/trace.json";
  EXPECT_EQ(Run({"trace", "s1", "-o", file}), ExitCode::kOk);
  EXPECT_EQ(service_.trace_requests[0].sweep_id(), "s1");
  EXPECT_THAT(out_.str(), AllOf(HasSubstr(file), HasSubstr("1 task(s)")));
  EXPECT_THAT(err_.str(), IsEmpty());
  std::ifstream written(file);
  EXPECT_TRUE(nlohmann::json::parse(written).contains("traceEvents"));
  EXPECT_FALSE(fs::exists(file + ".part"));

  // The server began, or forgot tasks, after the job had begun.
  head.mutable_complete_since()->set_seconds(51);
  service_.trace_takes.push_back({{head, tasks}});
  EXPECT_EQ(Run({"trace", "j1"}), ExitCode::kOk);
  EXPECT_EQ(service_.trace_requests[1].job_id(), "j1");
  EXPECT_TRUE(nlohmann::json::parse(out_.str()).contains("traceEvents"));
  EXPECT_THAT(err_.str(), HasSubstr("are not in it"));
}

TEST_F(CliJobsTest, ATraceThatCannotBeWrittenOrReadLeavesNoFile) {
  EXPECT_EQ(Run({"trace", "7"}), ExitCode::kInvalid);
  const std::string nowhere = scratch_.path() + "/nowhere/trace.json";
  EXPECT_NE(Run({"trace", "j1", "-o", nowhere}), ExitCode::kOk);
  EXPECT_THAT(err_.str(), HasSubstr(nowhere));
  const std::string file = scratch_.path() + "/trace.json";
  service_.trace_takes.push_back(
      {{}, grpc::Status(grpc::StatusCode::NOT_FOUND, "there is no job j1")});
  service_.trace_takes.push_back(service_.trace_takes.back());
  EXPECT_EQ(Run({"trace", "j1"}), ExitCode::kNotFound);
  EXPECT_THAT(out_.str(), IsEmpty());
  EXPECT_EQ(Run({"trace", "j1", "-o", file}), ExitCode::kNotFound);
  EXPECT_FALSE(fs::exists(file));
  EXPECT_FALSE(fs::exists(file + ".part"));
}

TEST_F(CliJobsTest, CancelTakesJobsAndSweeps) {
  service_.cancel_response.add_cancelled_job_ids("j7");
  EXPECT_EQ(Run({"cancel", "j7", "s2", "-o", "id"}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), ElementsAre("j7", "j7"));
  ASSERT_THAT(service_.cancel_requests, SizeIs(2));
  EXPECT_EQ(service_.cancel_requests[0].job_id(), "j7");
  EXPECT_EQ(service_.cancel_requests[1].sweep_id(), "s2");
}

TEST_F(CliJobsTest, CancelDoesAllItCanAndNamesTheRest) {
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

TEST_F(CliJobsTest, AListWithAnUnknownIdHasTheCodeOfThat) {
  service_.target_errors["j99"] =
      grpc::Status(grpc::StatusCode::NOT_FOUND, "there is no job j99");
  EXPECT_EQ(Run({"cancel", "j1", "j99", "j2"}), ExitCode::kNotFound);
  EXPECT_EQ(Run({"pause", "j99", "j1"}), ExitCode::kNotFound);
  EXPECT_THAT(service_.pause_requests, SizeIs(2));
  EXPECT_EQ(Run({"resume", "j1", "j99"}), ExitCode::kNotFound);
  EXPECT_THAT(service_.resume_requests, SizeIs(2));
}

TEST_F(CliJobsTest, AListEndsWhenNobodyAnswersAnyMore) {
  service_.target_errors["j2"] =
      grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping");
  EXPECT_EQ(Run({"cancel", "j1", "j2", "j3", "j4"}), ExitCode::kUnavailable);
  EXPECT_THAT(service_.cancel_requests, SizeIs(2));
  EXPECT_THAT(err_.str(),
              AllOf(HasSubstr("j2: "), HasSubstr("stopping"),
                    HasSubstr("j3: not tried"), HasSubstr("j4: not tried")));
}

TEST_F(CliJobsTest, CancelDeletesCheckpointsOnlyWhenAskedTo) {
  EXPECT_EQ(Run({"cancel", "j7"}), ExitCode::kOk);
  EXPECT_EQ(Run({"cancel", "j7", "s2", "--delete-checkpoints"}), ExitCode::kOk);
  ASSERT_THAT(service_.cancel_requests, SizeIs(3));
  EXPECT_FALSE(service_.cancel_requests[0].delete_checkpoints());
  EXPECT_TRUE(service_.cancel_requests[1].delete_checkpoints());
  EXPECT_TRUE(service_.cancel_requests[2].delete_checkpoints());
}

TEST_F(CliJobsTest, DeleteTakesJobsAndSweepsAndSaysWhatHasNotEnded) {
  service_.delete_response.add_deleted_job_ids("j1");
  service_.target_errors["j7"] =
      grpc::Status(grpc::StatusCode::FAILED_PRECONDITION,
                   "j7 has not ended; cancel it first: hydra cancel j7");
  EXPECT_NE(Run({"delete", "j7", "j1", "s3"}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), ElementsAre("deleted j1", "deleted j1"));
  EXPECT_THAT(err_.str(), HasSubstr("hydra: j7: j7 has not ended; cancel it "
                                    "first: hydra cancel j7\n"));
  ASSERT_THAT(service_.delete_requests, SizeIs(3));
  EXPECT_EQ(service_.delete_requests[1].job_id(), "j1");
  EXPECT_EQ(service_.delete_requests[2].sweep_id(), "s3");

  service_.delete_response.clear_deleted_job_ids();
  EXPECT_EQ(Run({"delete", "j1"}), ExitCode::kOk);
  EXPECT_THAT(err_.str(), HasSubstr("j1: not deleted yet"));
  EXPECT_EQ(Run({"delete"}), ExitCode::kInvalid);
}

TEST_F(CliJobsTest, PriorityIsOfAJobOrASweep) {
  service_.priority_response.add_changed_job_ids("j7");
  EXPECT_EQ(Run({"priority", "j7", "10"}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), ElementsAre("changed j7"));
  EXPECT_EQ(Run({"priority", "s2", "0", "-o", "id"}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), ElementsAre("j7"));
  ASSERT_THAT(service_.priority_requests, SizeIs(2));
  EXPECT_EQ(service_.priority_requests[0].job_id(), "j7");
  EXPECT_EQ(service_.priority_requests[0].priority(), 10);
  EXPECT_EQ(service_.priority_requests[1].sweep_id(), "s2");
  EXPECT_EQ(service_.priority_requests[1].priority(), 0);
  EXPECT_EQ(Run({"priority", "j7", "high"}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), HasSubstr("PRIORITY: expected a whole number"));
  EXPECT_EQ(Run({"priority", "j7"}), ExitCode::kInvalid);
  EXPECT_THAT(service_.priority_requests, SizeIs(2));
}

TEST_F(CliJobsTest, PauseTakesJobsAndSweeps) {
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

TEST_F(CliJobsTest, PauseSaysWhenThereIsNothingToPause) {
  EXPECT_EQ(Run({"pause", "j7"}), ExitCode::kOk);
  EXPECT_THAT(out_.str(), IsEmpty());
  EXPECT_THAT(err_.str(), HasSubstr("j7: nothing to pause"));
}

TEST_F(CliJobsTest, ResumeTakesJobsAndSweeps) {
  service_.resume_response.add_resumed_job_ids("j7");
  EXPECT_EQ(Run({"resume", "j7", "s2", "-o", "id"}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), ElementsAre("j7", "j7"));
  ASSERT_THAT(service_.resume_requests, SizeIs(2));
  EXPECT_EQ(service_.resume_requests[0].job_id(), "j7");
  EXPECT_EQ(service_.resume_requests[1].sweep_id(), "s2");
  service_.error = grpc::Status(grpc::StatusCode::NOT_FOUND, "no job j9");
  EXPECT_EQ(Run({"resume", "j9"}), ExitCode::kNotFound);
}

TEST_F(CliJobsTest, DownloadWritesTheFilesAndNamesThem) {
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

}  // namespace
}  // namespace hydra
