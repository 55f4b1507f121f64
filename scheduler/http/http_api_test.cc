#include "scheduler/http/http_api.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/file/scratch_directory.h"
#include "common/status/proto_time.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "scheduler/core/caller.h"
#include "scheduler/runtime/testing/read_model_fixture.h"
#include "scheduler/service/access.h"
#include "scheduler/service/server_info_now.h"
#include "scheduler/service/sweep_results.h"
#include "scheduler/storage/audit_log.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::google::protobuf::util::MessageDifferencer;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class HttpApiTest : public ReadModelFixture {
 protected:
  HttpApiTest() {
    parts_.core = &core_thread_;
    parts_.model = &model_;
    parts_.logs = &logs_;
    parts_.trace = &trace_;
    parts_.history = &history_;
    parts_.journal = &jobs_journal_;
    parts_.meter = &meter_;
    parts_.audit = &audit_;
  }

  static v1::GetServerInfoResponse Info() {
    v1::GetServerInfoResponse info;
    info.set_version("1.2.3");
    info.set_pool_bytes(1 << 30);
    info.set_state_dir("/");
    return info;
  }
  HttpResponse Get(absl::string_view target) {
    absl::StatusOr<HttpRequest> request = ParseHttpTarget(target);
    EXPECT_TRUE(request.ok()) << request.status();
    request->caller = caller_;
    return HttpApi(parts_, Info()).Answer(*request);
  }
  // Of an answer that must be there.
  template <typename Message>
  Message Read(absl::string_view target) {
    const HttpResponse response = Get(target);
    EXPECT_EQ(response.status, 200) << target << ": " << response.body;
    EXPECT_EQ(response.content_type, "application/json");
    Message message;
    EXPECT_TRUE(
        google::protobuf::util::JsonStringToMessage(response.body, &message)
            .ok())
        << response.body;
    return message;
  }
  void ExpectError(absl::string_view target, int status,
                   absl::string_view message) {
    const HttpResponse response = Get(target);
    EXPECT_EQ(response.status, status) << target;
    EXPECT_EQ(response.content_type, "application/json");
    EXPECT_THAT(response.body, HasSubstr(std::string(message))) << target;
  }
  void Log(JobId job, const std::string& text) {
    v1::LogLine line;
    line.set_text(text);
    logs_.Append(job, line);
    absl::Notification written;
    logs_.WhenWritten([&] { written.Notify(); });
    written.WaitForNotification();
  }

  // Not started: nothing here asks it.
  CoreThread core_thread_;
  const JobHistory history_{&records_};
  const JobReader reader_{&core_thread_, &model_, &history_};
  const ScratchDirectory scratch_;
  LogStore logs_{{scratch_.PathOf("logs")}};
  TraceLog trace_{{}, absl::FromUnixSeconds(1000)};
  DaemonMeter meter_;
  AuditLog audit_{scratch_.PathOf("audit.jsonl")};
  MemoryRecordStore journal_records_;
  GroupCommit jobs_journal_{
      &journal_records_,
      {},
      {[](uint64_t) {}, [](uint64_t, const absl::Status&) {}},
      absl::Seconds(1)};
  HttpApi::Parts parts_;
  // Who asks.
  Caller caller_;
};

TEST_F(HttpApiTest, ListsJobsAsTheCallDoes) {
  Submit(3);
  Submit(2);
  v1::ListJobsRequest request;
  request.set_page_size(2);
  v1::ListJobsResponse expected;
  ASSERT_TRUE(reader_.List(Caller(), request, &expected).ok());
  ASSERT_NE(expected.next_page_token(), "");
  auto page = Read<v1::ListJobsResponse>("/api/v1/jobs?page_size=2");
  EXPECT_TRUE(MessageDifferencer::Equals(page, expected));
  int jobs = page.jobs_size();
  while (!page.next_page_token().empty()) {
    page = Read<v1::ListJobsResponse>(absl::StrCat(
        "/api/v1/jobs?page_size=2&page_token=", page.next_page_token()));
    jobs += page.jobs_size();
  }
  EXPECT_EQ(jobs, 5);
  Cancel({JobId(2)});
  const auto open = Read<v1::ListJobsResponse>(
      "/api/v1/jobs?state=pending,RUNNING&sweep_id=s1");
  EXPECT_EQ(open.jobs_size(), 2);
}

TEST_F(HttpApiTest, DescribesAJobAndASweepAsTheCallsDo) {
  const SweepId sweep = Submit(2);
  v1::GetJobResponse job;
  *job.mutable_job() = reader_.Detail(Caller(), JobId(2), 1000).value();
  EXPECT_TRUE(MessageDifferencer::Equals(
      Read<v1::GetJobResponse>("/api/v1/jobs/j2"), job));
  v1::GetResultsResponse results;
  ASSERT_TRUE(ReadResults(reader_, Caller(), sweep, &results).ok());
  ASSERT_EQ(results.jobs_size(), 2);
  EXPECT_TRUE(MessageDifferencer::Equals(
      Read<v1::GetResultsResponse>("/api/v1/sweeps/s1/results"), results));
}

TEST_F(HttpApiTest, TellsOfServerAndWorkers) {
  v1::GetServerInfoResponse expected = ServerInfoNow(Info(), model_);
  auto told = Read<v1::GetServerInfoResponse>("/api/v1/server");
  EXPECT_GE(FromProto(told.server_time()), FromProto(expected.server_time()));
  EXPECT_GT(told.state_free_bytes(), 0);
  // They are of two moments.
  for (v1::GetServerInfoResponse* info : {&told, &expected}) {
    info->clear_server_time();
    info->clear_state_free_bytes();
  }
  EXPECT_TRUE(MessageDifferencer::Equals(told, expected));
  EXPECT_EQ(Read<v1::ListWorkersResponse>("/api/v1/workers").workers_size(),
            static_cast<int>(model_.workers().statuses->size()));
}

TEST_F(HttpApiTest, SendsTheNewestLogLines) {
  Submit(1);
  for (int i = 0; i < 300; ++i) Log(JobId(1), absl::StrCat("line ", i));
  const auto usual = Read<v1::StreamLogsResponse>("/api/v1/jobs/j1/logs");
  ASSERT_EQ(usual.lines_size(), 200);
  EXPECT_EQ(usual.lines(0).text(), "line 100");
  const auto two = Read<v1::StreamLogsResponse>("/api/v1/jobs/j1/logs?tail=2");
  ASSERT_EQ(two.lines_size(), 2);
  EXPECT_EQ(two.lines(1).text(), "line 299");
  // More than the log gives at a time.
  const std::string kilobyte(1024, 'x');
  for (int i = 0; i < 400; ++i) Log(JobId(1), kilobyte);
  EXPECT_EQ(Read<v1::StreamLogsResponse>("/api/v1/jobs/j1/logs?tail=400")
                .lines_size(),
            400);
}

TEST_F(HttpApiTest, TracesWhatEndedSince) {
  Submit(1);
  for (int i = 0; i < 3; ++i) {
    TaskTrace task;
    task.job = JobId(1);
    task.worker = WorkerId(1);
    task.begun_at = absl::FromUnixSeconds(1000 + i);
    task.ended_at = absl::FromUnixSeconds(1001 + i);
    trace_.Add(task);
  }
  EXPECT_EQ(Read<v1::TraceResponse>("/api/v1/trace").tasks_size(), 3);
  const auto newest = Read<v1::TraceResponse>("/api/v1/trace?since_ms=1002000");
  ASSERT_EQ(newest.tasks_size(), 1);
  EXPECT_EQ(newest.tasks(0).job_id(), "j1");
  EXPECT_EQ(FromProto(newest.tasks(0).ended()), absl::FromUnixSeconds(1003));
}

TEST_F(HttpApiTest, WhatUsersWroteIsJsonWhateverItIs) {
  Submit(1);
  const std::string text = "<script>alert(1)</script>\"\\\n\xe2\x80\xa8";
  Log(JobId(1), text);
  const HttpResponse response = Get("/api/v1/jobs/j1/logs");
  EXPECT_THAT(response.body, Not(HasSubstr("<script>")))
      << "even a browser that took it for HTML would find no tag";
  EXPECT_EQ(
      Read<v1::StreamLogsResponse>("/api/v1/jobs/j1/logs").lines(0).text(),
      text);
}

TEST_F(HttpApiTest, ServesThePageAndMetrics) {
  Submit(2);
  const HttpResponse page = Get("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  const HttpResponse metrics = Get("/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_THAT(metrics.content_type, StartsWith("text/plain; version=0.0.4"));
  EXPECT_THAT(metrics.body,
              HasSubstr("hydra_jobs{user=\"unknown\",state=\"pending\"} 2\n"));
  EXPECT_THAT(metrics.body,
              HasSubstr("hydra_build_info{version=\"1.2.3\"} 1\n"));
}

TEST_F(HttpApiTest, WhereEveryAccountReadsThereAreMetricsAlone) {
  Submit(1);
  const HttpApi api(parts_, Info());
  HttpRequest request;
  request.path = "/metrics";
  EXPECT_EQ(api.AnswerMetricsAlone(request).status, 200);
  for (const char* path : {"/", "/api/v1/jobs", "/api/v1/jobs/j1", "/x"}) {
    request.path = path;
    const HttpResponse response = api.AnswerMetricsAlone(request);
    EXPECT_EQ(response.status, 403) << path;
    EXPECT_THAT(response.body, HasSubstr("http.unix_socket"));
  }
}

TEST_F(HttpApiTest, WhoMayNotUseTheServerIsToldAndNoMore) {
  Submit(1);
  AccessPolicy::Rules rules;
  rules.allowed = Accounts{{1000}, {}};
  rules.allowed_text = "group hydra";
  rules.allowed_group = "hydra";
  parts_.access = AccessPolicy(rules);
  for (const uid_t user : {uid_t{1001}, kUnknownUser}) {
    caller_ = Caller{user};
    for (const char* path :
         {"/", "/metrics", "/api/v1/server", "/api/v1/jobs", "/x"}) {
      ExpectError(path, 403, "it is for group hydra");
    }
  }
  caller_ = Caller{1000};
  EXPECT_EQ(Get("/").status, 200);
  EXPECT_EQ(Get("/metrics").status, 200);
}

TEST_F(HttpApiTest, OthersJobsAreShownWithOwnerAndStateAlone) {
  Submit(1, Caller{1000});
  caller_ = Caller{1001};
  TaskTrace task;
  task.job = JobId(1);
  task.worker = WorkerId(1);
  task.begun_at = absl::FromUnixSeconds(1000);
  task.ended_at = absl::FromUnixSeconds(1001);
  trace_.Add(task);
  const auto list = Read<v1::ListJobsResponse>("/api/v1/jobs");
  ASSERT_EQ(list.jobs_size(), 1);
  EXPECT_TRUE(list.jobs(0).withheld());
  EXPECT_EQ(list.jobs(0).owner(), "1000");
  EXPECT_EQ(list.jobs(0).name(), "");
  ExpectError("/api/v1/jobs/j1", 403, "j1 is 1000's");
  ExpectError("/api/v1/jobs/j1/logs", 403, "j1 is 1000's");
  ExpectError("/api/v1/sweeps/s1/results", 403, "s1 is 1000's");
  const auto audited = audit_.Newest({});
  ASSERT_TRUE(audited.ok()) << audited.status();
  ASSERT_EQ(audited->entries.size(), 3);
  EXPECT_EQ(audited->entries[2].user(), 1001);
  EXPECT_EQ(audited->entries[2].rpc(), "HTTP");
  EXPECT_EQ(audited->entries[2].target(), "/api/v1/jobs/j1");
  EXPECT_EQ(audited->entries[2].result(), "PERMISSION_DENIED");
  auto trace = Read<v1::TraceResponse>("/api/v1/trace");
  ASSERT_EQ(trace.tasks_size(), 1);
  EXPECT_TRUE(trace.tasks(0).withheld());
  EXPECT_FALSE(trace.tasks(0).has_copy());
  caller_ = Caller{1000};
  trace = Read<v1::TraceResponse>("/api/v1/trace");
  ASSERT_EQ(trace.tasks_size(), 1);
  EXPECT_FALSE(trace.tasks(0).withheld());
  EXPECT_TRUE(trace.tasks(0).has_copy());
}

TEST_F(HttpApiTest, OfPrivateJobsOthersLearnNothing) {
  Submit(1, Caller{1000});
  AccessPolicy::Rules rules;
  rules.operators.users = {0};
  rules.private_jobs = true;
  parts_.access = AccessPolicy(rules);
  caller_ = Caller{1001};
  EXPECT_EQ(Read<v1::ListJobsResponse>("/api/v1/jobs").jobs_size(), 0);
  ExpectError("/api/v1/jobs/j1", 404, "j1");
  ExpectError("/api/v1/jobs/j1/logs", 404, "j1");
  ExpectError("/api/v1/sweeps/s1/results", 404, "s1");
  EXPECT_EQ(Get("/x").status, 404);
  EXPECT_EQ(audit_.Newest({})->entries.size(), 3)
      << "with private jobs a NOT_FOUND may be a refusal";
  EXPECT_THAT(Get("/metrics").body, Not(HasSubstr("user=\"1000\"")));
  HttpRequest request;
  request.path = "/metrics";
  EXPECT_THAT(HttpApi(parts_, Info()).AnswerMetricsAlone(request).body,
              Not(HasSubstr("user=\"1000\"")));
  caller_ = Caller{0};
  EXPECT_THAT(Get("/metrics").body,
              HasSubstr("hydra_jobs{user=\"1000\",state=\"pending\"} 1\n"));
}

TEST_F(HttpApiTest, ExplainsWhatItCannotAnswer) {
  Submit(1);
  for (const char* target :
       {"/x", "/api", "/api/v1/", "/api/v1/x", "/api/v2/jobs", "/api/v1/jobs/",
        "/api/v1/jobs/j1/x", "/api/v1/jobs/j1/logs/x", "/api/v1/sweeps/s1",
        "//", "/metrics/"}) {
    const int status = Get(target).status;
    // An empty id is no id.
    EXPECT_EQ(status, std::string(target) == "/api/v1/jobs/" ? 400 : 404)
        << target;
  }
  ExpectError("/api/v1/jobs/j9", 404, "j9");
  ExpectError("/api/v1/jobs/j9/logs", 404, "j9");
  ExpectError("/api/v1/sweeps/s9/results", 404, "s9");
  ExpectError("/api/v1/jobs/7", 400, "7");
  ExpectError("/api/v1/sweeps/j1/results", 400, "j1");
  ExpectError("/api/v1/jobs?state=WALKING", 400, "state: expected names");
  ExpectError("/api/v1/jobs?page_size=-1", 400, "page_size: expected");
  ExpectError("/api/v1/jobs?page_size=1001", 400, "page_size: expected");
  ExpectError("/api/v1/jobs?page_token=x", 400, "page_token");
  ExpectError("/api/v1/jobs?states=RUNNING", 400, "'states'");
  ExpectError("/api/v1/jobs/j1?steps=1001", 400, "steps: expected");
  ExpectError("/api/v1/jobs/j1/logs?tail=0", 400, "tail: expected");
  ExpectError("/api/v1/trace?since_ms=x", 400, "since_ms: expected");
}

}  // namespace
}  // namespace hydra
