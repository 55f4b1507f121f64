// Every method of the public API, by callers of every role.

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/clock/steady_time.h"
#include "common/file/scratch_directory.h"
#include "common/status/error_details.h"
#include "common/status/rpc_status.h"
#include "scheduler/core/new_job.h"
#include "scheduler/core/testing/small_job.h"
#include "scheduler/journal/journal.h"
#include "scheduler/journal/memory_record_store.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/tables.h"
#include "scheduler/policy/sharded_lrtf.h"
#include "scheduler/service/access.h"
#include "scheduler/service/hydra_service.h"
#include "scheduler/storage/audit_log.h"

namespace hydra {
namespace {

namespace jv1 = hydra::journal::v1;
namespace v1 = hydra::v1;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr gid_t kProject = 500;

Caller CallerIn(uid_t user, std::vector<gid_t> groups) {
  return {user, 77, std::make_shared<const std::vector<gid_t>>(groups)};
}

Caller Owner() { return {1000, 77, nullptr}; }
Caller Member() { return CallerIn(1001, {100, kProject}); }
Caller Operator() { return {1002, 77, nullptr}; }
Caller Other() { return CallerIn(1003, {100}); }
Caller ByTcp() { return {}; }

// A job, or a sweep.
struct Ids {
  std::string job;
  std::string sweep;
};

template <typename Request>
Request ForJob(const Ids& ids) {
  Request request;
  request.set_job_id(ids.job);
  return request;
}
template <typename Request>
Request ForSweep(const Ids& ids) {
  Request request;
  request.set_sweep_id(ids.sweep);
  return request;
}

// The service in front of a core without workers, with jobs of Owner() in
// several states.
class ServiceAccessTest : public ::testing::Test {
 protected:
  ServiceAccessTest() {
    core_thread_.Start(&core_, [this] {
      model_.Update(core_, SteadyNow());
      return absl::OkStatus();
    });
  }
  ~ServiceAccessTest() override {
    if (server_ != nullptr) server_->Shutdown();
  }

  static Core::Options SmallPool() {
    Core::Options options;
    options.pool_bytes = int64_t{64} << 20;
    return options;
  }
  static AccessPolicy::Rules Rules() {
    AccessPolicy::Rules rules;
    rules.operators.users = {Operator().user};
    return rules;
  }

  void Serve(AccessPolicy::Rules rules) {
    HydraServiceImpl::Parts parts;
    parts.core = &core_thread_;
    parts.model = &model_;
    parts.logs = &logs_;
    parts.trace = &trace_;
    parts.checker = &checker_;
    parts.history = &history_;
    parts.journal = &group_commit_;
    parts.gate = &gate_;
    parts.access = AccessPolicy(std::move(rules));
    parts.audit = &audit_;
    service_.emplace(
        parts, [this](const std::string&) { return caller_; },
        v1::GetServerInfoResponse());
    grpc::ServerBuilder builder;
    builder.RegisterService(&*service_);
    server_ = builder.BuildAndStart();
    stub_ = v1::HydraService::NewStub(server_->InProcessChannel({}));
  }

  // A job that nobody else should learn anything of.
  static NewJob SecretJob() {
    NewJob job = SmallJob(1);
    job.spec.set_name("secret-name");
    job.spec.set_project("secret-project");
    job.project_group = kProject;
    job.parameters = {"learning_rate=secret"};
    job.output_dir = "/secret-folder";
    return job;
  }
  Ids Submit(const std::vector<NewJob>& jobs, const Caller& owner) {
    const auto sweep = core_thread_.Tell([&](Core& core, absl::Time now) {
      const auto submission =
          core.Submit(std::vector<NewJob>(jobs), {"", "", owner}, now);
      EXPECT_TRUE(submission.ok()) << submission.status();
      // As hydrad ends a turn.
      (void)journal_.pool_changes();
      for (Journal::Entry& entry : journal_.TakeEntries()) {
        EXPECT_TRUE(records_.Apply(entry.changes).ok());
      }
      core.Recorded(submission->sequence);
      return submission->sweep;
    });
    EXPECT_TRUE(sweep.has_value());
    AwaitTurn();
    const std::vector<JobId> made = model_.JobsOf(*sweep);
    EXPECT_EQ(made.size(), jobs.size());
    return {JobName(made.at(0)), SweepName(*sweep)};
  }
  // What was ordered before is in the read model.
  void AwaitTurn() {
    core_thread_.Ask([](Core&, absl::Time) { return true; });
  }
  // Four jobs, each in a sweep of its own.
  std::vector<Ids> SubmitInAllStates(const Caller& owner) {
    std::vector<Ids> all;
    for (int i = 0; i < 3; ++i) all.push_back(Submit({SecretJob()}, owner));
    core_thread_.Tell([](Core& core, absl::Time now) {
      core.Pause({JobId(2)}, now);
      core.Cancel({JobId(3)}, /*delete_checkpoints=*/false, now);
      return true;
    });
    // One that jobs.db alone knows.
    constexpr SweepId kOldSweep(50);
    constexpr JobId kOldJob(70);
    jv1::SweepRecord sweep;
    sweep.add_job_ids(kOldJob.value());
    jv1::SubmittedJob submitted = SubmittedOf(SecretJob());
    submitted.set_sweep_id(kOldSweep.value());
    submitted.set_owner_user(owner.user);
    submitted.set_project_group(kProject);
    jv1::JobProgress progress;
    progress.set_state(v1::JOB_STATE_COMPLETED);
    progress.mutable_ended_at()->set_seconds(1);
    EXPECT_TRUE(records_
                    .Apply({MakePut(kSweepsTable, kOldSweep.value(), 0,
                                    sweep.SerializeAsString()),
                            MakePut(kSubmittedTable, kOldJob.value(), 0,
                                    submitted.SerializeAsString()),
                            MakePut(kProgressTable, kOldJob.value(), 0,
                                    progress.SerializeAsString())})
                    .ok());
    all.push_back({JobName(kOldJob), SweepName(kOldSweep)});
    return all;
  }

  template <typename Request, typename Response>
  grpc::Status Call(grpc::Status (v1::HydraService::Stub::*method)(
                        grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    return (stub_.get()->*method)(&context, request, response);
  }
  template <typename Request, typename Response>
  grpc::Status Call(grpc::Status (v1::HydraService::Stub::*method)(
                        grpc::ClientContext*, const Request&, Response*),
                    const Request& request) {
    Response response;
    return Call(method, request, &response);
  }
  // What the stream sent until it ended, or had sent its first message.
  template <typename Request, typename Response>
  grpc::Status First(std::unique_ptr<grpc::ClientReader<Response>> (
                         v1::HydraService::Stub::*method)(grpc::ClientContext*,
                                                          const Request&),
                     const Request& request, Response* response) {
    grpc::ClientContext context;
    const auto reader = (stub_.get()->*method)(&context, request);
    if (!reader->Read(response)) return reader->Finish();
    context.TryCancel();
    reader->Finish();
    return grpc::Status::OK;
  }
  template <typename Request, typename Response>
  grpc::Status First(std::unique_ptr<grpc::ClientReader<Response>> (
                         v1::HydraService::Stub::*method)(grpc::ClientContext*,
                                                          const Request&),
                     const Request& request) {
    Response response;
    return First(method, request, &response);
  }

  using Method = std::function<grpc::Status(const Ids&)>;
  // What a caller needs of a job for it to be answered, and the calls.
  struct OfJobs {
    Right right;
    std::vector<Method> calls;
  };
  // Those that name jobs. Those that change them come last by their names'
  // order only where that does no harm: whatever they did, the answers are the
  // same.
  std::map<std::string, OfJobs> MethodsOfJobs() {
    using Stub = v1::HydraService::Stub;
    std::map<std::string, OfJobs> methods;
    methods["GetJob"] = {Right::kRead, {[this](const Ids& ids) {
                           return Call(&Stub::GetJob,
                                       ForJob<v1::GetJobRequest>(ids));
                         }}};
    methods["ListMetrics"] = {
        Right::kRead, {[this](const Ids& ids) {
          return Call(&Stub::ListMetrics, ForJob<v1::ListMetricsRequest>(ids));
        }}};
    methods["GetResults"] = {
        Right::kRead, {[this](const Ids& ids) {
          return Call(&Stub::GetResults, ForSweep<v1::GetResultsRequest>(ids));
        }}};
    methods["StreamLogs"] = {Right::kRead, {[this](const Ids& ids) {
                               return First(&Stub::StreamLogs,
                                            ForJob<v1::StreamLogsRequest>(ids));
                             }}};
    methods["Download"] = {Right::kDownload, {[this](const Ids& ids) {
                             return First(&Stub::Download,
                                          ForJob<v1::DownloadRequest>(ids));
                           }}};
    methods["Watch"] = {
        Right::kRead,
        {[this](const Ids& ids) {
           return First(&Stub::Watch, ForJob<v1::WatchRequest>(ids));
         },
         [this](const Ids& ids) {
           return First(&Stub::Watch, ForSweep<v1::WatchRequest>(ids));
         }}};
    methods["Trace"] = {
        Right::kRead,
        {[this](const Ids& ids) {
           return First(&Stub::Trace, ForJob<v1::TraceRequest>(ids));
         },
         [this](const Ids& ids) {
           return First(&Stub::Trace, ForSweep<v1::TraceRequest>(ids));
         }}};
    methods["SetPriority"] = {
        Right::kCancel,
        {[this](const Ids& ids) {
           return Call(&Stub::SetPriority, ForJob<v1::SetPriorityRequest>(ids));
         },
         [this](const Ids& ids) {
           return Call(&Stub::SetPriority,
                       ForSweep<v1::SetPriorityRequest>(ids));
         }}};
    methods["Pause"] = {
        Right::kPause,
        {[this](const Ids& ids) {
           return Call(&Stub::Pause, ForJob<v1::PauseRequest>(ids));
         },
         [this](const Ids& ids) {
           return Call(&Stub::Pause, ForSweep<v1::PauseRequest>(ids));
         }}};
    methods["Resume"] = {
        Right::kPause,
        {[this](const Ids& ids) {
           return Call(&Stub::Resume, ForJob<v1::ResumeRequest>(ids));
         },
         [this](const Ids& ids) {
           return Call(&Stub::Resume, ForSweep<v1::ResumeRequest>(ids));
         }}};
    methods["Cancel"] = {
        Right::kCancel,
        {[this](const Ids& ids) {
           return Call(&Stub::Cancel, ForJob<v1::CancelRequest>(ids));
         },
         [this](const Ids& ids) {
           return Call(&Stub::Cancel, ForSweep<v1::CancelRequest>(ids));
         }}};
    return methods;
  }
  // Those after which there is no such job any more.
  std::map<std::string, OfJobs> MethodsThatRemove() {
    using Stub = v1::HydraService::Stub;
    std::map<std::string, OfJobs> methods;
    methods["Delete"] = {
        Right::kCancel,
        {[this](const Ids& ids) {
           return Call(&Stub::Delete, ForJob<v1::DeleteRequest>(ids));
         },
         [this](const Ids& ids) {
           return Call(&Stub::Delete, ForSweep<v1::DeleteRequest>(ids));
         }}};
    return methods;
  }
  // Those that name none, or may name a sweep.
  std::map<std::string, Method> OtherMethods() {
    using Stub = v1::HydraService::Stub;
    std::map<std::string, Method> methods;
    methods["Submit"] = [this](const Ids&) {
      return Call(&Stub::Submit, v1::SubmitRequest());
    };
    methods["Plan"] = [this](const Ids&) {
      return Call(&Stub::Plan, v1::PlanRequest());
    };
    methods["ListJobs"] = [this](const Ids&) {
      return Call(&Stub::ListJobs, v1::ListJobsRequest());
    };
    methods["ListWorkers"] = [this](const Ids&) {
      return Call(&Stub::ListWorkers, v1::ListWorkersRequest());
    };
    methods["Drain"] = [this](const Ids&) {
      return Call(&Stub::Drain, v1::DrainRequest());
    };
    methods["GetServerInfo"] = [this](const Ids&) {
      return Call(&Stub::GetServerInfo, v1::GetServerInfoRequest());
    };
    methods["ListAudit"] = [this](const Ids&) {
      return Call(&Stub::ListAudit, v1::ListAuditRequest());
    };
    return methods;
  }

  // What a caller is answered about a job that he has this right to, or not.
  static void Expect(Answer answer, const grpc::Status& status) {
    const bool is_unknown =
        status.error_code() == grpc::StatusCode::NOT_FOUND &&
        absl::StrContains(status.error_message(), "there is no ");
    switch (answer) {
      case Answer::kAllowed:
        // It may have written no model, or no more.
        EXPECT_NE(status.error_code(), grpc::StatusCode::PERMISSION_DENIED)
            << status.error_message();
        EXPECT_FALSE(is_unknown) << status.error_message();
        break;
      case Answer::kForbidden:
        EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
        EXPECT_THAT(status.error_message(), HasSubstr("1000's"));
        break;
      case Answer::kHidden:
        EXPECT_TRUE(is_unknown) << status.error_message();
        break;
    }
  }

  // As whoever names a job, or a sweep, that there is not.
  static void ExpectAsIfUnknown(const Method& call, const Ids& ids) {
    const Ids unknown = {"j999", "s999"};
    const grpc::Status hidden = call(ids);
    const grpc::Status none = call(unknown);
    EXPECT_EQ(hidden.error_code(), none.error_code());
    EXPECT_EQ(hidden.error_message(),
              absl::StrReplaceAll(
                  none.error_message(),
                  {{unknown.job, ids.job}, {unknown.sweep, ids.sweep}}));
    EXPECT_EQ(ReasonOf(FromGrpc(hidden)), ReasonOf(FromGrpc(none)));
    EXPECT_NE(ReasonOf(FromGrpc(none)), "");
  }

  void Walk(bool private_jobs) {
    AccessPolicy::Rules rules = Rules();
    rules.private_jobs = private_jobs;
    Serve(rules);
    const std::vector<Ids> all = SubmitInAllStates(Owner());
    const std::vector<std::pair<Caller, Role>> callers = {
        {Other(), Role::kOther},
        {ByTcp(), Role::kOther},
        {Member(), Role::kMember},
        {Operator(), Role::kOperator},
        {Owner(), Role::kOwner}};
    for (const auto& [caller, role] : callers) {
      caller_ = caller;
      for (const auto& [name, method] : MethodsOfJobs()) {
        for (const Ids& ids : all) {
          for (const Method& call : method.calls) {
            SCOPED_TRACE(absl::StrCat(name, " of ", ids.job, " by ",
                                      static_cast<int>(caller.user)));
            Expect(Decide(role, method.right, private_jobs), call(ids));
          }
        }
      }
    }
  }

  std::vector<v1::AuditEntry> Audit() const {
    return audit_.Newest({})->entries;
  }
  std::vector<std::string> Listed(const v1::ListJobsRequest& request = {}) {
    v1::ListJobsResponse response;
    EXPECT_TRUE(
        Call(&v1::HydraService::Stub::ListJobs, request, &response).ok());
    std::vector<std::string> ids;
    for (const v1::JobStatus& job : response.jobs()) {
      ids.push_back(job.job_id());
    }
    return ids;
  }

  // Who makes the calls.
  Caller caller_;
  const ScratchDirectory scratch_;
  MemoryRecordStore records_;
  ShardedLrtf policy_;
  Journal journal_;
  Core core_{SmallPool(), &policy_, &journal_};
  ReadModel model_;
  CoreThread core_thread_;
  LogStore logs_{{scratch_.PathOf("logs")}};
  const SubmissionChecker checker_{PathPolicy({}, {}), "/nowhere"};
  const JobHistory history_{&records_};
  GroupCommit group_commit_{
      &records_,
      {kJobsMetaTable, 0, kLastSequence},
      {[](uint64_t) {}, [](uint64_t, const absl::Status&) {}},
      absl::Seconds(1)};
  SubmissionGate gate_;
  const TraceLog trace_{{}, absl::UnixEpoch()};
  AuditLog audit_{scratch_.path() + "/audit.jsonl"};
  std::optional<HydraServiceImpl> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::HydraService::Stub> stub_;
};

TEST_F(ServiceAccessTest, EveryMethodIsLookedAtHere) {
  const auto* service =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
          v1::HydraService::service_full_name());
  ASSERT_NE(service, nullptr);
  for (int i = 0; i < service->method_count(); ++i) {
    const std::string& name = service->method(i)->name();
    EXPECT_EQ(MethodsOfJobs().count(name) + MethodsThatRemove().count(name) +
                  OtherMethods().count(name),
              1)
        << name;
  }
}

TEST_F(ServiceAccessTest, EachMethodAsksForItsRight) { Walk(false); }

TEST_F(ServiceAccessTest, EachMethodHidesPrivateJobs) { Walk(true); }

TEST_F(ServiceAccessTest, WhatRemovesJobsAsksForItsRight) {
  Serve(Rules());
  const std::vector<Ids> all = SubmitInAllStates(Owner());
  for (const Caller& caller : {Other(), ByTcp(), Member()}) {
    caller_ = caller;
    for (const auto& [name, method] : MethodsThatRemove()) {
      for (const Ids& ids : all) {
        for (const Method& call : method.calls) {
          SCOPED_TRACE(absl::StrCat(name, " of ", ids.job));
          Expect(Answer::kForbidden, call(ids));
        }
      }
    }
  }
  // The first two have not ended.
  for (const Caller& caller : {Operator(), Owner()}) {
    caller_ = caller;
    for (const auto& [name, method] : MethodsThatRemove()) {
      for (size_t i = 0; i < 2; ++i) {
        for (const Method& call : method.calls) {
          const grpc::Status status = call(all[i]);
          EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
          EXPECT_THAT(status.error_message(),
                      HasSubstr(absl::StrCat("hydra cancel ", all[i].job)));
          EXPECT_EQ(ReasonOf(FromGrpc(status)), kJobNotEnded);
        }
      }
    }
  }
  EXPECT_NE(model_.Find(JobId(3)), nullptr) << "nothing is removed";
}

TEST_F(ServiceAccessTest, WhatIsHiddenIsRefusedAsWhatThereIsNot) {
  AccessPolicy::Rules rules = Rules();
  rules.private_jobs = true;
  Serve(rules);
  const std::vector<Ids> all = SubmitInAllStates(Owner());
  caller_ = Other();
  std::map<std::string, OfJobs> methods = MethodsOfJobs();
  methods.merge(MethodsThatRemove());
  for (const auto& [name, method] : methods) {
    for (const Ids& ids : all) {
      for (const Method& call : method.calls) {
        SCOPED_TRACE(absl::StrCat(name, " of ", ids.job));
        ExpectAsIfUnknown(call, ids);
      }
    }
  }
}

TEST_F(ServiceAccessTest, WhatNobodyOwnsIsEverybodys) {
  AccessPolicy::Rules rules = Rules();
  rules.private_jobs = true;
  Serve(rules);
  for (const Caller& caller : {Other(), ByTcp()}) {
    caller_ = caller;
    const Ids ids = Submit({SmallJob(1)}, Caller());
    EXPECT_THAT(Listed(), Contains(ids.job));
    for (const auto& [name, method] : MethodsOfJobs()) {
      for (const Method& call : method.calls) {
        SCOPED_TRACE(name);
        Expect(Answer::kAllowed, call(ids));
      }
    }
  }
}

TEST_F(ServiceAccessTest, WhoMayNotEnterIsRefusedEachCall) {
  AccessPolicy::Rules rules = Rules();
  rules.allowed.emplace();
  rules.allowed->users = {Owner().user};
  rules.allowed_text = "1000";
  Serve(rules);
  const Ids ids = Submit({SecretJob()}, Other());
  caller_ = Other();
  std::map<std::string, std::vector<Method>> all;
  for (const auto& [name, method] : OtherMethods()) all[name] = {method};
  for (const auto& [name, method] : MethodsOfJobs()) all[name] = method.calls;
  for (const auto& [name, method] : MethodsThatRemove()) {
    all[name] = method.calls;
  }
  all["Watch"].push_back([this](const Ids&) {
    return First(&v1::HydraService::Stub::Watch, v1::WatchRequest());
  });
  for (const auto& [name, calls] : all) {
    for (const Method& call : calls) {
      SCOPED_TRACE(name);
      const grpc::Status status = call(ids);
      EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
      EXPECT_THAT(status.error_message(),
                  HasSubstr("you may not use this server: it is for 1000"));
    }
  }
  caller_ = Owner();
  EXPECT_TRUE(OtherMethods()["ListWorkers"](ids).ok());
}

TEST_F(ServiceAccessTest, OthersAreShownIdsOwnerAndStateAlone) {
  Serve(Rules());
  const std::vector<Ids> all = SubmitInAllStates(Owner());
  caller_ = Other();
  v1::ListJobsResponse list;
  ASSERT_TRUE(
      Call(&v1::HydraService::Stub::ListJobs, v1::ListJobsRequest(), &list)
          .ok());
  v1::WatchResponse watch;
  ASSERT_TRUE(
      First(&v1::HydraService::Stub::Watch, v1::WatchRequest(), &watch).ok());
  for (const auto* jobs : {&list.jobs(), &watch.jobs()}) {
    ASSERT_THAT(*jobs, SizeIs(3)) << "those that the core knows";
    v1::JobStatus paused;
    paused.set_job_id("j2");
    paused.set_sweep_id("s2");
    paused.set_state(model_.Find(JobId(2))->state);
    paused.set_owner_user(1000);
    paused.set_owner("1000");
    paused.set_withheld(true);
    EXPECT_EQ(jobs->Get(1).SerializeAsString(), paused.SerializeAsString());
  }
  v1::ListJobsRequest old;
  old.set_sweep_id(all.back().sweep);
  ASSERT_TRUE(Call(&v1::HydraService::Stub::ListJobs, old, &list).ok());
  ASSERT_THAT(list.jobs(), SizeIs(1));
  EXPECT_TRUE(list.jobs(0).withheld());
  EXPECT_EQ(list.jobs(0).state(), v1::JOB_STATE_COMPLETED);
  EXPECT_THAT(list.ShortDebugString(), Not(HasSubstr("secret")));
}

TEST_F(ServiceAccessTest, OwnersMembersAndOperatorsAreShownAll) {
  Serve(Rules());
  SubmitInAllStates(Owner());
  for (const Caller& caller : {Owner(), Member(), Operator()}) {
    caller_ = caller;
    v1::GetJobResponse job;
    ASSERT_TRUE(Call(&v1::HydraService::Stub::GetJob,
                     ForJob<v1::GetJobRequest>({"j1", ""}), &job)
                    .ok());
    EXPECT_EQ(job.job().status().name(), "secret-name");
    EXPECT_EQ(job.job().status().owner(), "1000");
    EXPECT_EQ(job.job().status().project(), "secret-project");
    EXPECT_FALSE(job.job().status().withheld());
  }
}

TEST_F(ServiceAccessTest, PrivateJobsAreInNoLists) {
  AccessPolicy::Rules rules = Rules();
  rules.private_jobs = true;
  Serve(rules);
  const std::vector<Ids> all = SubmitInAllStates(Owner());
  const Ids own = Submit({SmallJob(1)}, Other());
  caller_ = Other();
  EXPECT_THAT(Listed(), ElementsAre(own.job));
  v1::WatchResponse watch;
  ASSERT_TRUE(
      First(&v1::HydraService::Stub::Watch, v1::WatchRequest(), &watch).ok());
  ASSERT_THAT(watch.jobs(), SizeIs(1));
  EXPECT_EQ(watch.jobs(0).job_id(), own.job);
  for (const Ids& ids : all) {
    v1::ListJobsRequest request;
    request.set_sweep_id(ids.sweep);
    EXPECT_EQ(Call(&v1::HydraService::Stub::ListJobs, request).error_code(),
              grpc::StatusCode::NOT_FOUND);
  }
  caller_ = Operator();
  EXPECT_THAT(Listed(), SizeIs(4));
}

TEST_F(ServiceAccessTest, ListsAreFilteredByOwnerAndName) {
  Serve(Rules());
  const Ids first = Submit({SecretJob()}, Owner());
  const Ids second = Submit({SmallJob(1)}, Owner());
  const Ids others = Submit({SmallJob(1)}, Other());
  caller_ = Owner();
  v1::ListJobsRequest request;
  request.set_owner("me");
  EXPECT_THAT(Listed(request), ElementsAre(second.job, first.job));
  request.set_name("secret");
  EXPECT_THAT(Listed(request), ElementsAre(first.job));
  request.clear_owner();
  request.set_name("small");
  EXPECT_THAT(Listed(request), ElementsAre(second.job))
      << "others' names match nothing";
  request.clear_name();
  request.set_owner("1003");
  EXPECT_THAT(Listed(request), ElementsAre(others.job));
  request.set_owner("no-such-account");
  EXPECT_EQ(Call(&v1::HydraService::Stub::ListJobs, request).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServiceAccessTest, ARefusedOrderChangesNothing) {
  Serve(Rules());
  const Ids ids = Submit({SecretJob()}, Owner());
  const auto methods = MethodsOfJobs();
  caller_ = Other();
  for (const char* name : {"Cancel", "Pause"}) {
    for (const Method& call : methods.at(name).calls) call(ids);
  }
  caller_ = Member();
  for (const Method& call : methods.at("Cancel").calls) call(ids);
  AwaitTurn();
  EXPECT_EQ(model_.Find(JobId(1))->state, v1::JOB_STATE_PENDING);
}

TEST_F(ServiceAccessTest, ASubmissionsProjectIsAGroupOfItsCaller) {
  Serve(Rules());
  caller_ = Other();
  v1::SubmitRequest request;
  request.mutable_job()->set_project("no-such-group");
  const grpc::Status status = Call(&v1::HydraService::Stub::Submit, request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  // Beside all else that is wrong with it.
  EXPECT_THAT(status.error_message(), HasSubstr("project: there is no group"));
  EXPECT_THAT(status.error_message(), HasSubstr("model.path"));
  // The text of a job file is no way around it.
  request.clear_job();
  request.set_job_file("project: no-such-group\ntrain: {lr: 3}\n");
  const grpc::Status text = Call(&v1::HydraService::Stub::Submit, request);
  EXPECT_EQ(text.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(text.error_message(), HasSubstr("project: there is no group"));
  EXPECT_THAT(text.error_message(), HasSubstr("train.lr"));
}

TEST_F(ServiceAccessTest, WhatWasChangedAndWhoWasRefusedIsRecorded) {
  Serve(Rules());
  const Ids ids = Submit({SecretJob()}, Owner());
  const auto methods = MethodsOfJobs();
  caller_ = Other();
  methods.at("Cancel").calls[0](ids);
  methods.at("StreamLogs").calls[0](ids);
  methods.at("Watch").calls[1](ids);
  EXPECT_EQ(OtherMethods()["ListAudit"](ids).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  caller_ = Owner();
  methods.at("GetJob").calls[0](ids);
  methods.at("Pause").calls[1](ids);
  methods.at("Pause").calls[1](ids);
  caller_ = Operator();
  methods.at("Cancel").calls[0](ids);

  v1::ListAuditResponse audit;
  ASSERT_TRUE(
      Call(&v1::HydraService::Stub::ListAudit, v1::ListAuditRequest(), &audit)
          .ok());
  std::vector<std::string> lines;
  for (const v1::AuditEntry& entry : audit.entries()) {
    EXPECT_EQ(entry.pid(), 77);
    lines.push_back(absl::StrCat(entry.user(), " ", entry.rpc(), " ",
                                 entry.target(), " ", entry.jobs(), " ",
                                 entry.result()));
  }
  EXPECT_THAT(lines, ElementsAre("1002 Cancel j1 1 OK", "1000 Pause s1 1 OK",
                                 "1003 ListAudit  0 PERMISSION_DENIED",
                                 "1003 Watch s1 0 PERMISSION_DENIED",
                                 "1003 StreamLogs j1 0 PERMISSION_DENIED",
                                 "1003 Cancel j1 0 PERMISSION_DENIED"));
  v1::ListAuditRequest mine;
  mine.set_user("1000");
  ASSERT_TRUE(Call(&v1::HydraService::Stub::ListAudit, mine, &audit).ok());
  EXPECT_THAT(audit.entries(), SizeIs(1));
  mine.set_page_token("nonsense");
  EXPECT_EQ(Call(&v1::HydraService::Stub::ListAudit, mine).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServiceAccessTest, OperatorsAloneDrain) {
  using Stub = v1::HydraService::Stub;
  Serve(Rules());
  v1::DrainRequest request;
  request.set_all(true);
  request.set_reason("driver update");
  v1::DrainResponse response;
  caller_ = Other();
  EXPECT_EQ(Call(&Stub::Drain, request).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  caller_ = Operator();
  ASSERT_TRUE(Call(&Stub::Drain, request, &response).ok());
  EXPECT_EQ(response.maintenance(), "driver update");
  v1::GetServerInfoResponse info;
  ASSERT_TRUE(
      Call(&Stub::GetServerInfo, v1::GetServerInfoRequest(), &info).ok());
  EXPECT_EQ(info.maintenance(), "driver update");
  // Nothing is another than before.
  ASSERT_TRUE(Call(&Stub::Drain, request, &response).ok());
  v1::DrainRequest unknown;
  unknown.add_devices("cpu:9");
  EXPECT_EQ(Call(&Stub::Drain, unknown).error_code(),
            grpc::StatusCode::NOT_FOUND);
  request.clear_reason();
  request.set_undrain(true);
  ASSERT_TRUE(Call(&Stub::Drain, request, &response).ok());
  EXPECT_FALSE(response.has_maintenance());

  std::vector<std::string> lines;
  for (const v1::AuditEntry& entry : Audit()) {
    lines.push_back(absl::StrCat(entry.user(), " ", entry.rpc(), " ",
                                 entry.target(), " ", entry.result()));
  }
  EXPECT_THAT(lines,
              ElementsAre("1002 Drain undrain all OK", "1002 Drain all OK",
                          "1003 Drain all PERMISSION_DENIED"));
}

TEST_F(ServiceAccessTest, WhatIsHiddenIsRecordedAsRefused) {
  AccessPolicy::Rules rules = Rules();
  rules.private_jobs = true;
  Serve(rules);
  const Ids ids = Submit({SecretJob()}, Owner());
  caller_ = ByTcp();
  MethodsOfJobs().at("GetJob").calls[0](ids);
  const std::vector<v1::AuditEntry> audit = Audit();
  ASSERT_THAT(audit, SizeIs(1));
  EXPECT_EQ(audit[0].result(), "NOT_FOUND");
  EXPECT_EQ(audit[0].name(), "tcp");
  EXPECT_FALSE(audit[0].has_user());
}

}  // namespace
}  // namespace hydra
