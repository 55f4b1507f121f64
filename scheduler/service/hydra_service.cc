#include "scheduler/service/hydra_service.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/clock/steady_time.h"
#include "common/file/file_user.h"
#include "common/file/private_places.h"
#include "common/jobfile/mistakes.h"
#include "common/jobfile/validate.h"
#include "common/process/thread_priority.h"
#include "common/status/error_details.h"
#include "common/status/rpc_status.h"
#include "common/text/printable.h"
#include "scheduler/core/job_plan.h"
#include "scheduler/runtime/refusals.h"
#include "scheduler/service/audit_query.h"
#include "scheduler/service/client_request.h"
#include "scheduler/service/drain_order.h"
#include "scheduler/service/ended_jobs.h"
#include "scheduler/service/file_sender.h"
#include "scheduler/service/job_streams.h"
#include "scheduler/service/project.h"
#include "scheduler/service/server_info_now.h"
#include "scheduler/service/sweep_results.h"
#include "scheduler/service/trace_sender.h"

namespace hydra {
namespace {

constexpr int kStepsInDetail = 1000;
// Jobs that one turn of the core changes for a client: some milliseconds.
constexpr size_t kJobsInOneGo = 100;
// And so often one does so for calls that have begun, for all clients together:
// 2,500 further jobs a second, which takes about a twentieth of two cores that
// compute for training.
constexpr absl::Duration kGoEvery = absl::Milliseconds(40);
// Devices in one call of Plan.
constexpr int kMostPlannedDevices = 64;
// A list of so many jobs takes less than a millisecond.
constexpr int kShortPage = 100;
// docs/daemon.md, "Who may do what".
constexpr StreamLimits kCalls = {256, 128};
constexpr StreamLimits kStreams = {1024, 64};
constexpr StreamLimits kDownloads = {32, 4};

// Why the core did not answer an order.
absl::Status NotRecorded(const CoreThread& core) {
  const absl::Status trouble = core.trouble();
  return trouble.ok() ? NotServing() : CannotRecord(trouble);
}

template <typename Request>
std::string TargetText(const Request& request) {
  return request.job_id().empty() ? request.sweep_id() : request.job_id();
}

absl::Status NeedsATarget() {
  return WrongField("target", "a job_id or sweep_id is needed");
}

// Takes each text once, in the order in which they come first.
class OnceEach {
 public:
  explicit OnceEach(google::protobuf::RepeatedPtrField<std::string>* to)
      : to_(*to) {}

  template <typename Texts>
  void Add(const Texts& texts) {
    for (const std::string& text : texts) {
      if (seen_.insert(text).second) *to_.Add() = text;
    }
  }

 private:
  google::protobuf::RepeatedPtrField<std::string>& to_;
  absl::flat_hash_set<std::string> seen_;
};

// A stream that ends before it begins.
template <typename Response>
class RefusedStream final : public grpc::ServerWriteReactor<Response> {
 public:
  explicit RefusedStream(const absl::Status& why) { this->Finish(ToGrpc(why)); }

 private:
  void OnDone() override { delete this; }
};

}  // namespace

HydraServiceImpl::HydraServiceImpl(const Parts& parts, CallerOf caller_of,
                                   v1::GetServerInfoResponse info)
    : parts_(parts),
      caller_of_(std::move(caller_of)),
      info_(std::move(info)),
      reader_(parts_.core, parts_.model, parts_.history, parts_.access,
              parts_.names, parts_.forecast),
      calls_("calls", kCalls),
      streams_("streams", kStreams),
      downloads_("downloads", kDownloads),
      long_pace_(kGoEvery) {}

void HydraServiceImpl::Stop() {
  streams_.Stop();
  stopping_.Notify();
}

grpc::Status HydraServiceImpl::Serve(const grpc::ServerContextBase& context,
                                     const Call& call, StreamTable& table,
                                     const Act& act) {
  const Caller caller = caller_of_(context.peer());
  const absl::StatusOr<StreamTable::Slot> slot = table.Open(caller, nullptr);
  if (!slot.ok()) return ToGrpc(slot.status());
  absl::Status answer = MayEnter(caller);
  if (answer.ok()) answer = act(caller);
  NoteRefusal(caller, call, answer);
  return ToGrpc(answer);
}

grpc::Status HydraServiceImpl::ServeLong(const grpc::ServerContextBase& context,
                                         const Call& call, StreamTable& table,
                                         const Act& act) {
  return Serve(context, call, table, [&](const Caller& caller) {
    absl::Status status;
    try {
      std::thread([&] {
        StepBack();
        status = act(caller);
      }).join();
    } catch (const std::system_error&) {
      // The process may have no more threads.
      status = act(caller);
    }
    return status;
  });
}

template <typename Response>
void HydraServiceImpl::Begin(const Caller& caller, const Call& call,
                             PolledStream<Response>* stream) {
  typename PolledStream<Response>::Hooks hooks;
  hooks.may_begin = [this, caller] { return MayEnter(caller); };
  hooks.ends = [this, caller, call](const absl::Status& answer) {
    NoteRefusal(caller, call, answer);
  };
  stream->Begin(caller, &streams_,
                &stream_threads_[caller.user % stream_threads_.size()],
                std::move(hooks));
}

absl::Status HydraServiceImpl::MayEnter(const Caller& caller) const {
  if (parts_.access.MayEnter(caller)) return absl::OkStatus();
  return parts_.access.NotForYou(caller, reader_.NameOf(caller));
}

void HydraServiceImpl::NoteChange(const Caller& caller, const Call& call,
                                  int jobs) const {
  if (jobs > 0) Note(caller, call, jobs, absl::StatusCode::kOk);
}

void HydraServiceImpl::NoteRefusal(const Caller& caller, const Call& call,
                                   const absl::Status& answer) const {
  // What is hidden is refused by saying that there is no such thing.
  if (absl::IsPermissionDenied(answer) ||
      (parts_.access.private_jobs() && absl::IsNotFound(answer))) {
    Note(caller, call, 0, answer.code());
  }
}

void HydraServiceImpl::Note(const Caller& caller, const Call& call, int jobs,
                            absl::StatusCode result) const {
  if (parts_.audit == nullptr) return;
  v1::AuditEntry entry;
  if (caller != Caller()) entry.set_user(caller.user);
  entry.set_name(caller != Caller() ? reader_.NameOf(caller) : "tcp");
  entry.set_pid(caller.pid);
  entry.set_rpc(call.rpc);
  entry.set_target(PrintableStart(call.target));
  entry.set_jobs(jobs);
  entry.set_result(absl::StatusCodeToString(result));
  parts_.audit->Add(std::move(entry));
}

absl::StatusOr<std::vector<NewJob>> HydraServiceImpl::CheckJobs(
    const Caller& caller, const v1::SubmitRequest& request) const {
  absl::StatusOr<std::vector<NewJob>> jobs =
      parts_.checker->Check(request, caller.known());
  const absl::StatusOr<std::optional<gid_t>> project =
      FindProject(caller, request.job().project());
  if (!project.ok()) {
    Mistakes mistakes = MistakesOf(jobs.status());
    const Mistakes own = MistakesOf(project.status());
    // Nothing else is known to be wrong, or nobody can tell of the project.
    if (own.empty() || (mistakes.empty() && jobs.ok())) return project.status();
    if (mistakes.empty()) return jobs.status();
    if (!IsFull(mistakes)) {
      mistakes.insert(mistakes.end(), own.begin(), own.end());
    }
    return ToStatus(mistakes);
  }
  if (!jobs.ok()) return jobs.status();
  for (NewJob& job : *jobs) job.project_group = *project;
  return jobs;
}

template <typename Request>
absl::StatusOr<AskedJobs> HydraServiceImpl::Asked(const Request& request) {
  if (request.job_file().empty()) return AskedJobs::Of(request);
  absl::MutexLock lock(&text_turn_);
  return AskedJobs::Of(request);
}

absl::StatusOr<std::vector<NewJob>> HydraServiceImpl::Checked(
    const Caller& caller, const AskedJobs& asked) const {
  return asked.Checked([&](const v1::SubmitRequest& messages) {
    return CheckJobs(caller, messages);
  });
}

absl::Status HydraServiceImpl::Validate(const Caller& caller,
                                        const v1::SubmitRequest& request,
                                        v1::SubmitResponse* response) {
  const absl::StatusOr<AskedJobs> asked = Asked(request);
  if (!asked.ok()) return asked.status();
  const absl::StatusOr<std::vector<NewJob>> jobs = Checked(caller, *asked);
  if (!jobs.ok()) return jobs.status();
  auto fits = [&] {
    absl::MutexLock lock(&long_turn_);
    return parts_.core->Ask(
        [&](Core& core, absl::Time) { return core.CheckFits(*jobs); });
  }();
  if (!fits.has_value()) return NotServing();
  if (!fits->ok()) return fits->status();
  *response->mutable_largest_pool_demand() = **std::move(fits);
  OnceEach warnings(response->mutable_warnings());
  for (const NewJob& job : *jobs) {
    v1::JobStatus& shown = *response->add_jobs();
    shown.set_name(job.spec.name());
    shown.mutable_parameters()->Assign(job.parameters.begin(),
                                       job.parameters.end());
    warnings.Add(job.warnings);
  }
  return absl::OkStatus();
}

absl::Status HydraServiceImpl::MakePlan(const Caller& caller,
                                        const v1::PlanRequest& request,
                                        v1::PlanResponse* response) {
  if (request.device_memory_bytes_size() > kMostPlannedDevices) {
    return WrongField("device_memory_bytes",
                      absl::StrCat("found ", request.device_memory_bytes_size(),
                                   " memory limits; at most ",
                                   kMostPlannedDevices, " in one call"));
  }
  for (int64_t bytes : request.device_memory_bytes()) {
    if (bytes > 0) continue;
    return WrongField(
        "device_memory_bytes",
        absl::StrCat("found ", bytes, "; a memory limit is at least 1"));
  }
  const absl::StatusOr<AskedJobs> asked = Asked(request);
  if (!asked.ok()) return asked.status();
  const absl::StatusOr<std::vector<NewJob>> jobs = Checked(caller, *asked);
  if (!jobs.ok()) return jobs.status();
  std::optional<PlanLimits> limits = parts_.core->Ask(
      [](Core& core, absl::Time) { return core.plan_limits(); });
  if (!limits.has_value()) return NotServing();
  if (request.device_memory_bytes_size() > 0) {
    limits->device_memory_bytes.assign(request.device_memory_bytes().begin(),
                                       request.device_memory_bytes().end());
  }
  OnceEach warnings(response->mutable_warnings());
  // Most jobs of a sweep differ in nothing that counts.
  absl::flat_hash_map<std::string, const v1::JobPlan*> known;
  response->mutable_jobs()->Reserve(static_cast<int>(jobs->size()));
  for (const NewJob& job : *jobs) {
    v1::JobPlan& plan = *response->add_jobs();
    const v1::JobPlan*& alike = known[PlanContent(job)];
    if (alike == nullptr) {
      plan = PlanJob(job, *limits);
      alike = &plan;
    } else {
      plan = *alike;
      plan.set_name(job.spec.name());
      plan.mutable_parameters()->Assign(job.parameters.begin(),
                                        job.parameters.end());
    }
    warnings.Add(job.warnings);
    warnings.Add(PlanWarnings(job));
  }
  return absl::OkStatus();
}

absl::Status HydraServiceImpl::Queue(const Caller& caller,
                                     const v1::SubmitRequest& request,
                                     v1::SubmitResponse* response) {
  const absl::StatusOr<AskedJobs> asked = Asked(request);
  if (!asked.ok()) return asked.status();
  if (!asked->is_whole()) return Checked(caller, *asked).status();
  const absl::StatusOr<RequestKey> key = KeyOf(caller, asked->messages());
  if (!key.ok()) return key.status();
  // Before the files are looked at: they may have gone since the first time.
  auto seen = parts_.core->Ask(
      [&](Core& core, absl::Time) { return core.SubmissionOf(*key); });
  if (!seen.has_value()) return NotServing();
  std::optional<Submission> submission = *std::move(seen);
  const bool repeated = submission.has_value();
  int new_jobs = 0;
  OnceEach warnings(response->mutable_warnings());
  if (const auto maintenance = parts_.model->maintenance()) {
    warnings.Add(std::vector<std::string>{MaintenanceWarning(*maintenance)});
  }
  if (repeated) {
    const absl::Status same = CheckRepeats(*submission, *key);
    if (!same.ok()) return same;
  } else {
    absl::StatusOr<std::vector<NewJob>> jobs = Checked(caller, *asked);
    if (!jobs.ok()) return jobs.status();
    for (const NewJob& job : *jobs) warnings.Add(job.warnings);
    new_jobs = static_cast<int>(jobs->size());
    if (absl::Status healthy = parts_.journal->health(); !healthy.ok()) {
      return CannotRecord(healthy);
    }
    auto submitted = parts_.core->Tell([&](Core& core, absl::Time now) {
      return core.Submit(*std::move(jobs), *key, now);
    });
    if (!submitted.has_value()) return NotRecorded(*parts_.core);
    if (!submitted->ok()) return submitted->status();
    submission = **std::move(submitted);
  }
  // On the disk first.
  absl::Status status = parts_.gate->Await(submission->sequence);
  if (status.ok() && !repeated) {
    NoteChange(caller, {"Submit", SweepName(submission->sweep)}, new_jobs);
  }
  if (status.ok()) status = reader_.Settle();
  if (!status.ok()) return status;
  const absl::StatusOr<std::vector<JobId>> ids =
      reader_.JobsOf(caller, submission->sweep, Right::kRead);
  if (!ids.ok()) return ids.status();
  const auto statuses = reader_.StatusesOf(caller, *ids);
  if (!statuses.ok()) return statuses.status();
  response->set_sweep_id(SweepName(submission->sweep));
  response->mutable_jobs()->Assign(statuses->begin(), statuses->end());
  if (!repeated) return absl::OkStatus();
  for (JobId id : *ids) {
    const auto submitted = parts_.history->FindSubmitted(id);
    if (!submitted.ok()) return submitted.status();
    warnings.Add(submitted->warnings());
  }
  return absl::OkStatus();
}

grpc::Status HydraServiceImpl::Submit(grpc::ServerContext* context,
                                      const v1::SubmitRequest* request,
                                      v1::SubmitResponse* response) {
  return ServeLong(*context, {"Submit", ""}, calls_, [&](const Caller& caller) {
    return request->validate_only() ? Validate(caller, *request, response)
                                    : Queue(caller, *request, response);
  });
}

grpc::Status HydraServiceImpl::Plan(grpc::ServerContext* context,
                                    const v1::PlanRequest* request,
                                    v1::PlanResponse* response) {
  return ServeLong(*context, {"Plan", ""}, calls_, [&](const Caller& caller) {
    return MakePlan(caller, *request, response);
  });
}

grpc::Status HydraServiceImpl::ListJobs(grpc::ServerContext* context,
                                        const v1::ListJobsRequest* request,
                                        v1::ListJobsResponse* response) {
  auto list = [&](const Caller& caller) {
    return reader_.List(caller, *request, response);
  };
  const Call call = {"ListJobs", request->sweep_id()};
  const absl::StatusOr<int> page_size = ParsePageSize(*request);
  return page_size.ok() && *page_size <= kShortPage
             ? Serve(*context, call, calls_, list)
             : ServeLong(*context, call, calls_, list);
}

grpc::Status HydraServiceImpl::GetJob(grpc::ServerContext* context,
                                      const v1::GetJobRequest* request,
                                      v1::GetJobResponse* response) {
  const Call call = {"GetJob", request->job_id()};
  return Serve(
      *context, call, calls_, [&](const Caller& caller) -> absl::Status {
        const absl::StatusOr<JobId> job = ParseJobId(request->job_id());
        if (!job.ok()) return job.status();
        absl::StatusOr<v1::JobDetail> detail =
            reader_.Detail(caller, *job, kStepsInDetail);
        if (!detail.ok()) return detail.status();
        *response->mutable_job() = *std::move(detail);
        return absl::OkStatus();
      });
}

grpc::Status HydraServiceImpl::ListMetrics(
    grpc::ServerContext* context, const v1::ListMetricsRequest* request,
    v1::ListMetricsResponse* response) {
  const Call call = {"ListMetrics", request->job_id()};
  return ServeLong(*context, call, calls_, [&](const Caller& caller) {
    return reader_.Metrics(caller, *request, response);
  });
}

template <typename Request>
absl::Status HydraServiceImpl::ForTarget(
    const Caller& caller, const char* rpc, const Request& request, Right right,
    const std::function<std::vector<JobId>(Core&, const std::vector<JobId>&,
                                           absl::Time)>& act,
    google::protobuf::RepeatedPtrField<std::string>* changed) {
  const absl::StatusOr<Target> target = ParseTarget(request);
  if (!target.ok()) return target.status();
  if (std::holds_alternative<AllJobs>(*target)) return NeedsATarget();
  // So that none of a sweep's jobs is missed that has just come in.
  const absl::Status settled = reader_.Settle();
  if (!settled.ok()) return settled;
  const absl::StatusOr<std::vector<JobId>> jobs =
      reader_.JobsOf(caller, *target, right);
  if (!jobs.ok()) return jobs.status();
  std::vector<JobId> all_changed;
  // What was changed is changed, whatever becomes of the rest.
  const absl::Cleanup note = [&] {
    NoteChange(caller, {rpc, TargetText(request)},
               static_cast<int>(all_changed.size()));
  };
  // The newest first: what others wait for is for the most part an older one's,
  // and so is not handed on from each that ends to the next one.
  for (size_t end = jobs->size(); end > 0;) {
    if (end < jobs->size()) {
      stopping_.WaitFor(long_pace_.Reserve(SteadyNow()));
    }
    const size_t begin = end - std::min(end, kJobsInOneGo);
    const std::vector<JobId> some(jobs->begin() + begin, jobs->begin() + end);
    absl::MutexLock lock(&long_turn_);
    const auto done = parts_.core->Tell(
        [&](Core& core, absl::Time now) { return act(core, some, now); });
    if (!done.has_value()) return NotRecorded(*parts_.core);
    all_changed.insert(all_changed.begin(), done->begin(), done->end());
    end = begin;
  }
  for (JobId job : all_changed) *changed->Add() = JobName(job);
  return reader_.Settle();
}

grpc::Status HydraServiceImpl::Cancel(grpc::ServerContext* context,
                                      const v1::CancelRequest* request,
                                      v1::CancelResponse* response) {
  const Call call = {"Cancel", TargetText(*request)};
  return ServeLong(*context, call, calls_, [&](const Caller& caller) {
    return ForTarget(
        caller, call.rpc, *request, Right::kCancel,
        [&](Core& core, const std::vector<JobId>& jobs, absl::Time now) {
          return core.Cancel(jobs, request->delete_checkpoints(), now);
        },
        response->mutable_cancelled_job_ids());
  });
}

absl::Status HydraServiceImpl::DeleteJobs(const Caller& caller,
                                          const v1::DeleteRequest& request,
                                          v1::DeleteResponse* response) {
  const absl::StatusOr<Target> target = ParseTarget(request);
  if (!target.ok()) return target.status();
  if (std::holds_alternative<AllJobs>(*target)) return NeedsATarget();
  const absl::Status settled = reader_.Settle();
  if (!settled.ok()) return settled;
  const absl::StatusOr<std::vector<JobId>> jobs =
      reader_.JobsOf(caller, *target, Right::kCancel);
  if (!jobs.ok()) return jobs.status();
  const auto ended = ReadEndedJobs(*parts_.model, *parts_.history, *jobs);
  if (!ended.ok()) return ended.status();
  if (absl::Status healthy = parts_.journal->health(); !healthy.ok()) {
    return CannotRecord(healthy);
  }
  uint64_t sequence = 0;
  absl::Status deleted = ForTarget(
      caller, "Delete", request, Right::kCancel,
      [&](Core& core, const std::vector<JobId>& some, absl::Time) {
        Core::Deleted done = core.Delete(Among(*ended, some));
        sequence = std::max(sequence, done.sequence);
        return std::move(done.jobs);
      },
      response->mutable_deleted_job_ids());
  // Until then jobs.db has them.
  if (sequence > 0) deleted.Update(parts_.gate->Await(sequence));
  return deleted;
}

grpc::Status HydraServiceImpl::Delete(grpc::ServerContext* context,
                                      const v1::DeleteRequest* request,
                                      v1::DeleteResponse* response) {
  const Call call = {"Delete", TargetText(*request)};
  return ServeLong(*context, call, calls_, [&](const Caller& caller) {
    return DeleteJobs(caller, *request, response);
  });
}

grpc::Status HydraServiceImpl::Pause(grpc::ServerContext* context,
                                     const v1::PauseRequest* request,
                                     v1::PauseResponse* response) {
  const Call call = {"Pause", TargetText(*request)};
  return ServeLong(*context, call, calls_, [&](const Caller& caller) {
    return ForTarget(
        caller, call.rpc, *request, Right::kPause,
        [](Core& core, const std::vector<JobId>& jobs, absl::Time now) {
          return core.Pause(jobs, now);
        },
        response->mutable_paused_job_ids());
  });
}

grpc::Status HydraServiceImpl::Resume(grpc::ServerContext* context,
                                      const v1::ResumeRequest* request,
                                      v1::ResumeResponse* response) {
  const Call call = {"Resume", TargetText(*request)};
  return ServeLong(*context, call, calls_, [&](const Caller& caller) {
    return ForTarget(
        caller, call.rpc, *request, Right::kPause,
        [](Core& core, const std::vector<JobId>& jobs, absl::Time now) {
          return core.Resume(jobs, now);
        },
        response->mutable_resumed_job_ids());
  });
}

grpc::Status HydraServiceImpl::SetPriority(
    grpc::ServerContext* context, const v1::SetPriorityRequest* request,
    v1::SetPriorityResponse* response) {
  const Call call = {"SetPriority", TargetText(*request)};
  return ServeLong(
      *context, call, calls_, [&](const Caller& caller) -> absl::Status {
        const int priority = request->priority();
        if (priority < -kMostPriority || priority > kMostPriority) {
          return WrongField(
              "priority", absl::StrCat("found ", priority,
                                       "; a whole number from ", -kMostPriority,
                                       " to ", kMostPriority, " is needed"));
        }
        return ForTarget(
            caller, call.rpc, *request, Right::kCancel,
            [&](Core& core, const std::vector<JobId>& jobs, absl::Time now) {
              return core.SetPriority(jobs, priority, now);
            },
            response->mutable_changed_job_ids());
      });
}

grpc::ServerWriteReactor<v1::WatchResponse>* HydraServiceImpl::Watch(
    grpc::CallbackServerContext* context, const v1::WatchRequest* request) {
  const absl::StatusOr<Target> target = ParseTarget(*request);
  const absl::StatusOr<absl::Duration> interval = ParseInterval(*request);
  if (!target.ok() || !interval.ok()) {
    return new RefusedStream<v1::WatchResponse>(target.ok() ? interval.status()
                                                            : target.status());
  }
  const Caller caller = caller_of_(context->peer());
  auto* stream = new WatchStream(
      parts_.model, &reader_, caller,
      WatchCursor(parts_.model, &reader_, caller, *target), *interval);
  Begin(caller, {"Watch", TargetText(*request)}, stream);
  return stream;
}

grpc::Status HydraServiceImpl::GetResults(grpc::ServerContext* context,
                                          const v1::GetResultsRequest* request,
                                          v1::GetResultsResponse* response) {
  const Call call = {"GetResults", request->sweep_id()};
  return ServeLong(
      *context, call, calls_, [&](const Caller& caller) -> absl::Status {
        const absl::StatusOr<SweepId> sweep = ParseSweepId(request->sweep_id());
        if (!sweep.ok()) return sweep.status();
        return ReadResults(reader_, caller, *sweep, response);
      });
}

grpc::ServerWriteReactor<v1::StreamLogsResponse>* HydraServiceImpl::StreamLogs(
    grpc::CallbackServerContext* context,
    const v1::StreamLogsRequest* request) {
  using Refused = RefusedStream<v1::StreamLogsResponse>;
  const absl::StatusOr<JobId> job = ParseJobId(request->job_id());
  if (!job.ok()) return new Refused(job.status());
  if (request->tail() < 0) {
    return new Refused(WrongField(
        "tail",
        absl::StrCat("found ", request->tail(), "; 0 or more is needed")));
  }
  if (request->after() < 0) {
    return new Refused(WrongField(
        "after",
        absl::StrCat("found ", request->after(), "; 0 or more is needed")));
  }
  const Caller caller = caller_of_(context->peer());
  auto* stream =
      new LogStream(parts_.model, &reader_, parts_.logs, caller, *job,
                    request->after(), request->tail(), request->follow());
  Begin(caller, {"StreamLogs", request->job_id()}, stream);
  return stream;
}

absl::Status HydraServiceImpl::SendOutput(
    const Caller& caller, const v1::DownloadRequest& request,
    grpc::ServerWriter<v1::DownloadResponse>* writer) {
  const absl::StatusOr<JobId> job = ParseJobId(request.job_id());
  if (!job.ok()) return job.status();
  const absl::Status may = reader_.Check(caller, *job, Right::kDownload);
  if (!may.ok()) return may;
  const absl::StatusOr<v1::JobDetail> detail = reader_.Detail(caller, *job, 0);
  if (!detail.ok()) return detail.status();
  if (detail->status().state() != v1::JOB_STATE_COMPLETED ||
      !detail->spec().output().save_model()) {
    return WithReason(absl::FailedPreconditionError(absl::StrCat(
                          "job ", request.job_id(), " is ",
                          v1::JobState_Name(detail->status().state())
                              .substr(sizeof("JOB_STATE")),
                          detail->spec().output().save_model()
                              ? ", and has written no model"
                              : "; output.save_model is false")),
                      kNoModel);
  }
  const FileUser owner =
      WriterOf(detail->output_path(),
               detail->status().has_owner_user()
                   ? std::optional<uint32_t>(detail->status().owner_user())
                   : std::nullopt);
  return SendFiles(
      detail->output_path(), owner,
      [&](const v1::DownloadResponse& piece) { return writer->Write(piece); });
}

grpc::Status HydraServiceImpl::Download(
    grpc::ServerContext* context, const v1::DownloadRequest* request,
    grpc::ServerWriter<v1::DownloadResponse>* writer) {
  const Call call = {"Download", request->job_id()};
  return ServeLong(*context, call, downloads_, [&](const Caller& caller) {
    return SendOutput(caller, *request, writer);
  });
}

absl::Status HydraServiceImpl::SendTraceOf(
    const Caller& caller, const v1::TraceRequest& request,
    grpc::ServerWriter<v1::TraceResponse>* writer) {
  const absl::StatusOr<Target> target = ParseTarget(request);
  if (!target.ok()) return target.status();
  if (std::holds_alternative<AllJobs>(*target)) return NeedsATarget();
  const absl::StatusOr<std::vector<JobId>> jobs =
      reader_.JobsOf(caller, *target, Right::kRead);
  if (!jobs.ok()) return jobs.status();
  auto statuses = reader_.StatusesOf(caller, *jobs);
  if (!statuses.ok()) return statuses.status();
  TraceTarget traced;
  traced.jobs = *std::move(statuses);
  traced.others = [&](JobId other) {
    return reader_.AnswerTo(caller, other, Right::kRead);
  };
  for (const v1::WorkerStatus& worker : *parts_.model->workers().statuses) {
    traced.devices.push_back(worker.device());
  }
  return SendTrace(*parts_.trace, traced, [&](const v1::TraceResponse& some) {
    return writer->Write(some);
  });
}

grpc::Status HydraServiceImpl::Trace(
    grpc::ServerContext* context, const v1::TraceRequest* request,
    grpc::ServerWriter<v1::TraceResponse>* writer) {
  const Call call = {"Trace", TargetText(*request)};
  return ServeLong(*context, call, downloads_, [&](const Caller& caller) {
    return SendTraceOf(caller, *request, writer);
  });
}

grpc::Status HydraServiceImpl::ListWorkers(grpc::ServerContext* context,
                                           const v1::ListWorkersRequest*,
                                           v1::ListWorkersResponse* response) {
  return Serve(
      *context, {"ListWorkers", ""}, calls_, [&](const Caller& caller) {
        const ReadModel::Workers workers = parts_.model->workers();
        const auto shown = reader_.WorkersFor(caller, *workers.statuses);
        response->mutable_workers()->Assign(shown.begin(), shown.end());
        return absl::OkStatus();
      });
}

grpc::Status HydraServiceImpl::Drain(grpc::ServerContext* context,
                                     const v1::DrainRequest* request,
                                     v1::DrainResponse* response) {
  const Call call = {"Drain", DrainTarget(*request)};
  return Serve(
      *context, call, calls_, [&](const Caller& caller) -> absl::Status {
        if (!parts_.access.IsOperator(caller)) {
          return absl::PermissionDeniedError(
              "devices are drained by operators alone (docs/daemon.md, \"Who "
              "may do what\")");
        }
        const absl::StatusOr<DrainOrder> order = ParseDrain(*request);
        if (!order.ok()) return order.status();
        const auto done = parts_.core->Tell(
            [&](Core& core, absl::Time) { return CarryOut(*order, core); });
        if (!done.has_value()) return NotRecorded(*parts_.core);
        if (!done->ok()) return done->status();
        if (**done) Note(caller, call, 0, absl::StatusCode::kOk);
        if (absl::Status settled = reader_.Settle(); !settled.ok()) {
          return settled;
        }
        const ReadModel::Workers workers = parts_.model->workers();
        const auto shown = reader_.WorkersFor(caller, *workers.statuses);
        response->mutable_workers()->Assign(shown.begin(), shown.end());
        if (const auto maintenance = parts_.model->maintenance()) {
          response->set_maintenance(*maintenance);
        }
        return absl::OkStatus();
      });
}

grpc::Status HydraServiceImpl::GetServerInfo(
    grpc::ServerContext* context, const v1::GetServerInfoRequest*,
    v1::GetServerInfoResponse* response) {
  return Serve(*context, {"GetServerInfo", ""}, calls_, [&](const Caller&) {
    *response = ServerInfoNow(info_, *parts_.model);
    return absl::OkStatus();
  });
}

grpc::Status HydraServiceImpl::ListAudit(grpc::ServerContext* context,
                                         const v1::ListAuditRequest* request,
                                         v1::ListAuditResponse* response) {
  // It reads files, as downloads do.
  const Call call = {"ListAudit", ""};
  return ServeLong(*context, call, downloads_, [&](const Caller& caller) {
    const absl::StatusOr<AuditLog::Query> query =
        ParseAuditQuery(caller, *request);
    if (!query.ok()) return query.status();
    if (!parts_.access.IsOperator(caller)) {
      return absl::PermissionDeniedError(
          "what others did is for operators alone (docs/daemon.md, \"Who may "
          "do what\")");
    }
    if (parts_.audit == nullptr) return absl::OkStatus();
    absl::StatusOr<AuditLog::Page> page = parts_.audit->Newest(*query);
    if (!page.ok()) return page.status();
    response->mutable_entries()->Assign(page->entries.begin(),
                                        page->entries.end());
    if (page->next != 0) {
      response->set_next_page_token(NumberToken(page->next));
    }
    return absl::OkStatus();
  });
}

}  // namespace hydra
