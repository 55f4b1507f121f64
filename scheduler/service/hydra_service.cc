#include "scheduler/service/hydra_service.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/clock/steady_time.h"
#include "scheduler/service/file_sender.h"
#include "scheduler/service/grpc_status.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr int kDefaultWatchMs = 200;
constexpr int kMinWatchMs = 20;
constexpr absl::Duration kPoll = absl::Milliseconds(100);
constexpr int64_t kLogLinesPerMessage = 1000;
constexpr int kStepsInDetail = 1000;
// Jobs that one turn of the core changes for a client: some milliseconds.
constexpr size_t kJobsInOneGo = 100;
// The newest 50,000 are kept.
constexpr size_t kMaxRequestIdBytes = 128;

absl::Status Unavailable() {
  return absl::UnavailableError("the server is starting or stopping");
}

// Why the core did not answer an order.
absl::Status NotRecorded(const CoreThread& core) {
  const absl::Status trouble = core.trouble();
  return trouble.ok() ? Unavailable() : CannotRecord(trouble);
}

// INVALID_ARGUMENT: not `prefix` and a number.
absl::StatusOr<uint64_t> ParseId(absl::string_view text, char prefix,
                                 absl::string_view what) {
  uint64_t number = 0;
  if (text.empty() || text[0] != prefix ||
      !absl::SimpleAtoi(text.substr(1), &number)) {
    return absl::InvalidArgumentError(absl::StrCat(
        what, ": found '", text.substr(0, 100), "'; an id such as ",
        std::string(1, prefix), "7 is needed"));
  }
  return number;
}

// Lower is better; what was not measured comes last.
double Rank(const v1::JobStatus& job) {
  constexpr double kWorst = std::numeric_limits<double>::infinity();
  const double loss = job.has_validation_loss() ? job.validation_loss()
                      : job.has_train_loss()    ? job.train_loss()
                                                : kWorst;
  return std::isnan(loss) ? kWorst : loss;
}

std::vector<JobId> AllJobs(const Core& core) {
  std::vector<JobId> jobs;
  for (SweepId sweep : core.Sweeps()) {
    const std::vector<JobId> of_sweep = core.JobsOf(sweep);
    jobs.insert(jobs.end(), of_sweep.begin(), of_sweep.end());
  }
  return jobs;
}

// Takes each text once, in the order in which they come first.
class OnceEach {
 public:
  explicit OnceEach(google::protobuf::RepeatedPtrField<std::string>* to)
      : to_(*to) {}

  void Add(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      if (seen_.insert(text).second) *to_.Add() = text;
    }
  }

 private:
  google::protobuf::RepeatedPtrField<std::string>& to_;
  absl::flat_hash_set<std::string> seen_;
};

// Of what ended so long ago that jobs.db alone knows it.
absl::StatusOr<std::vector<JobId>> OldJobs(const JobHistory& history,
                                           bool is_sweep, uint64_t number) {
  if (is_sweep) return history.JobsOf(SweepId(number));
  const absl::StatusOr<v1::JobDetail> job = history.Find(JobId(number), 0);
  if (!job.ok()) return job.status();
  return std::vector<JobId>{JobId(number)};
}

}  // namespace

HydraServiceImpl::HydraServiceImpl(CoreThread* core, const LogStore* logs,
                                   const SubmissionChecker* checker,
                                   const JobHistory* history,
                                   const GroupCommit* journal,
                                   SubmissionGate* gate,
                                   v1::GetServerInfoResponse info)
    : core_(core),
      logs_(logs),
      checker_(checker),
      history_(history),
      journal_(journal),
      gate_(gate),
      info_(std::move(info)) {}

// The named job, or the sweep's jobs; all jobs if neither is named.
absl::StatusOr<std::vector<JobId>> HydraServiceImpl::Resolve(
    const std::string& job_id, const std::string& sweep_id) {
  const bool named = !job_id.empty() || !sweep_id.empty();
  uint64_t number = 0;
  if (named) {
    const absl::StatusOr<uint64_t> id = job_id.empty()
                                            ? ParseId(sweep_id, 's', "sweep_id")
                                            : ParseId(job_id, 'j', "job_id");
    if (!id.ok()) return id.status();
    number = *id;
  }
  auto jobs = core_->Ask([&](Core& core, absl::Time) -> std::vector<JobId> {
    if (!job_id.empty()) {
      const JobId job(number);
      return core.FindJob(job) == nullptr ? std::vector<JobId>{}
                                          : std::vector<JobId>{job};
    }
    return sweep_id.empty() ? AllJobs(core) : core.JobsOf(SweepId(number));
  });
  if (!jobs.has_value()) return Unavailable();
  if (jobs->empty() && named) {
    absl::StatusOr<std::vector<JobId>> old =
        OldJobs(*history_, job_id.empty(), number);
    if (!absl::IsNotFound(old.status())) return old;
    return absl::NotFoundError(absl::StrCat(
        "there is no ", job_id.empty() ? "sweep " : "job ", job_id, sweep_id));
  }
  return *std::move(jobs);
}

absl::StatusOr<std::vector<v1::JobStatus>> HydraServiceImpl::StatusesOf(
    const std::vector<JobId>& jobs) {
  std::vector<v1::JobStatus> statuses(jobs.size());
  std::vector<size_t> forgotten;
  auto known = core_->Ask([&](Core& core, absl::Time) {
    for (size_t i = 0; i < jobs.size(); ++i) {
      const Job* job = core.FindJob(jobs[i]);
      if (job == nullptr) {
        forgotten.push_back(i);
      } else {
        statuses[i] = StatusOf(*job);
      }
    }
    return true;
  });
  if (!known.has_value()) return Unavailable();
  for (size_t i : forgotten) {
    const absl::StatusOr<v1::JobDetail> old = history_->Find(jobs[i], 0);
    if (!old.ok()) return old.status();
    statuses[i] = old->status();
  }
  return statuses;
}

absl::Status HydraServiceImpl::Validate(const v1::SubmitRequest& request,
                                        v1::SubmitResponse* response) {
  const absl::StatusOr<std::vector<NewJob>> jobs = checker_->Check(request);
  if (!jobs.ok()) return jobs.status();
  auto fits =
      core_->Ask([&](Core& core, absl::Time) { return core.CheckFits(*jobs); });
  if (!fits.has_value()) return Unavailable();
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

void HydraServiceImpl::AddWarnings(const std::vector<JobId>& jobs,
                                   v1::SubmitResponse* response) {
  (void)core_->Ask([&](Core& core, absl::Time) {
    OnceEach warnings(response->mutable_warnings());
    for (JobId id : jobs) {
      const Job* job = core.FindJob(id);
      if (job != nullptr) warnings.Add(job->submitted.warnings);
    }
    return true;
  });
}

grpc::Status HydraServiceImpl::Submit(grpc::ServerContext*,
                                      const v1::SubmitRequest* request,
                                      v1::SubmitResponse* response) {
  if (request->request_id().size() > kMaxRequestIdBytes) {
    return ToGrpc(absl::InvalidArgumentError(
        absl::StrCat("request_id: has ", request->request_id().size(),
                     " bytes; at most ", kMaxRequestIdBytes, " are possible")));
  }
  if (request->validate_only()) return ToGrpc(Validate(*request, response));
  // Before the files are looked at: they may have gone since the first time.
  auto seen = core_->Ask([&](Core& core, absl::Time) {
    return core.SubmissionOf(request->request_id());
  });
  if (!seen.has_value()) return ToGrpc(Unavailable());
  std::optional<Submission> submission = *seen;
  if (!submission.has_value()) {
    absl::StatusOr<std::vector<NewJob>> jobs = checker_->Check(*request);
    if (!jobs.ok()) return ToGrpc(jobs.status());
    if (absl::Status healthy = journal_->health(); !healthy.ok()) {
      return ToGrpc(CannotRecord(healthy));
    }
    auto status = core_->Tell([&](Core& core, absl::Time now) -> absl::Status {
      absl::StatusOr<Submission> submitted =
          core.Submit(*std::move(jobs), request->request_id(), now);
      if (submitted.ok()) submission = *submitted;
      return submitted.status();
    });
    if (!status.has_value()) return ToGrpc(NotRecorded(*core_));
    if (!status->ok()) return ToGrpc(*status);
  }
  // On the disk first.
  if (absl::Status recorded = gate_->Await(submission->sequence);
      !recorded.ok()) {
    return ToGrpc(recorded);
  }
  const std::string sweep = SweepName(submission->sweep);
  const absl::StatusOr<std::vector<JobId>> ids = Resolve("", sweep);
  if (!ids.ok()) return ToGrpc(ids.status());
  const auto statuses = StatusesOf(*ids);
  if (!statuses.ok()) return ToGrpc(statuses.status());
  response->set_sweep_id(sweep);
  response->mutable_jobs()->Assign(statuses->begin(), statuses->end());
  AddWarnings(*ids, response);
  return grpc::Status::OK;
}

grpc::Status HydraServiceImpl::ListJobs(grpc::ServerContext*,
                                        const v1::ListJobsRequest* request,
                                        v1::ListJobsResponse* response) {
  const absl::StatusOr<std::vector<JobId>> jobs =
      Resolve("", request->sweep_id());
  if (!jobs.ok()) return ToGrpc(jobs.status());
  auto statuses = StatusesOf(*jobs);
  if (!statuses.ok()) return ToGrpc(statuses.status());
  for (v1::JobStatus& job : *statuses) {
    const auto& wanted = request->states();
    if (wanted.empty() ||
        std::find(wanted.begin(), wanted.end(), job.state()) != wanted.end()) {
      *response->add_jobs() = std::move(job);
    }
  }
  return grpc::Status::OK;
}

absl::StatusOr<v1::JobDetail> HydraServiceImpl::Detail(
    const std::string& job_id, int max_steps) {
  if (job_id.empty()) {
    return absl::InvalidArgumentError("job_id: is needed, such as j7");
  }
  const absl::StatusOr<std::vector<JobId>> jobs = Resolve(job_id, "");
  if (!jobs.ok()) return jobs.status();
  // None: what is in memory is not all.
  auto detail =
      core_->Ask([&](Core& core, absl::Time) -> std::optional<v1::JobDetail> {
        const Job* job = core.FindJob(jobs->front());
        if (job == nullptr || job->summary_only) return std::nullopt;
        return DetailOf(*job, max_steps);
      });
  if (!detail.has_value()) return Unavailable();
  if (!detail->has_value()) return history_->Find(jobs->front(), max_steps);
  const absl::Status read =
      history_->AddOlderSteps(jobs->front(), max_steps, **detail);
  if (!read.ok()) return read;
  return **std::move(detail);
}

grpc::Status HydraServiceImpl::GetJob(grpc::ServerContext*,
                                      const v1::GetJobRequest* request,
                                      v1::GetJobResponse* response) {
  absl::StatusOr<v1::JobDetail> detail =
      Detail(request->job_id(), kStepsInDetail);
  if (!detail.ok()) return ToGrpc(detail.status());
  *response->mutable_job() = *std::move(detail);
  return grpc::Status::OK;
}

template <typename Request>
grpc::Status HydraServiceImpl::ForTarget(
    const Request& request,
    const std::function<std::vector<JobId>(Core&, const std::vector<JobId>&,
                                           absl::Time)>& act,
    google::protobuf::RepeatedPtrField<std::string>* changed) {
  if (request.job_id().empty() && request.sweep_id().empty()) {
    return ToGrpc(
        absl::InvalidArgumentError("target: a job_id or sweep_id is needed"));
  }
  const absl::StatusOr<std::vector<JobId>> jobs =
      Resolve(request.job_id(), request.sweep_id());
  if (!jobs.ok()) return ToGrpc(jobs.status());
  std::vector<JobId> all_changed;
  // The newest first: what others wait for is for the most part an older one's,
  // and so is not handed on from each that ends to the next one.
  for (size_t end = jobs->size(); end > 0;) {
    const size_t begin = end - std::min(end, kJobsInOneGo);
    const std::vector<JobId> some(jobs->begin() + begin, jobs->begin() + end);
    const auto done = core_->Tell(
        [&](Core& core, absl::Time now) { return act(core, some, now); });
    if (!done.has_value()) return ToGrpc(NotRecorded(*core_));
    all_changed.insert(all_changed.begin(), done->begin(), done->end());
    end = begin;
  }
  for (JobId job : all_changed) *changed->Add() = JobName(job);
  return grpc::Status::OK;
}

grpc::Status HydraServiceImpl::Cancel(grpc::ServerContext*,
                                      const v1::CancelRequest* request,
                                      v1::CancelResponse* response) {
  return ForTarget(
      *request,
      [&](Core& core, const std::vector<JobId>& jobs, absl::Time now) {
        return core.Cancel(jobs, request->delete_checkpoints(), now);
      },
      response->mutable_cancelled_job_ids());
}

grpc::Status HydraServiceImpl::Pause(grpc::ServerContext*,
                                     const v1::PauseRequest* request,
                                     v1::PauseResponse* response) {
  return ForTarget(
      *request,
      [](Core& core, const std::vector<JobId>& jobs, absl::Time now) {
        return core.Pause(jobs, now);
      },
      response->mutable_paused_job_ids());
}

grpc::Status HydraServiceImpl::Resume(grpc::ServerContext*,
                                      const v1::ResumeRequest* request,
                                      v1::ResumeResponse* response) {
  return ForTarget(
      *request,
      [](Core& core, const std::vector<JobId>& jobs, absl::Time now) {
        return core.Resume(jobs, now);
      },
      response->mutable_resumed_job_ids());
}

absl::StatusOr<bool> HydraServiceImpl::AddChanges(
    const std::vector<JobId>& jobs, Watched& watched,
    v1::WatchResponse* response) {
  bool all_ended = true;
  std::vector<JobId> forgotten;
  const auto asked = core_->Ask([&](Core& core, absl::Time now) {
    uint64_t newest = watched.revision;
    for (JobId id : jobs) {
      const Job* job = core.FindJob(id);
      if (job == nullptr) {
        if (watched.forgotten.insert(id).second) forgotten.push_back(id);
        continue;
      }
      all_ended = all_ended && job->ended();
      if (job->revision <= watched.revision) continue;
      newest = std::max(newest, job->revision);
      *response->add_jobs() = StatusOf(*job);
    }
    watched.revision = newest;
    for (v1::WorkerStatus& worker : core.Workers(now)) {
      *response->add_workers() = std::move(worker);
    }
    return true;
  });
  if (!asked.has_value()) return Unavailable();
  for (JobId id : forgotten) {
    const absl::StatusOr<v1::JobDetail> old = history_->Find(id, 0);
    if (!old.ok()) return old.status();
    *response->add_jobs() = old->status();
  }
  return all_ended;
}

grpc::Status HydraServiceImpl::Watch(
    grpc::ServerContext* context, const v1::WatchRequest* request,
    grpc::ServerWriter<v1::WatchResponse>* writer) {
  const bool everything =
      request->target_case() == v1::WatchRequest::TARGET_NOT_SET;
  const absl::Duration interval =
      absl::Milliseconds(request->interval_ms() == 0
                             ? kDefaultWatchMs
                             : std::max(kMinWatchMs, request->interval_ms()));
  Watched watched;
  while (!context->IsCancelled() && !stopping_) {
    const absl::StatusOr<std::vector<JobId>> jobs =
        Resolve(request->job_id(), request->sweep_id());
    if (!jobs.ok()) return ToGrpc(jobs.status());
    v1::WatchResponse response;
    const absl::StatusOr<bool> all_ended =
        AddChanges(*jobs, watched, &response);
    if (!all_ended.ok()) return ToGrpc(all_ended.status());
    if (!writer->Write(response)) return grpc::Status::CANCELLED;
    if (*all_ended && !everything) return grpc::Status::OK;
    const absl::Time until = SteadyNow() + interval;
    while (SteadyNow() < until && !context->IsCancelled() && !stopping_) {
      absl::SleepFor(std::min(kPoll, until - SteadyNow()));
    }
  }
  return ToGrpc(Unavailable());
}

grpc::Status HydraServiceImpl::GetResults(grpc::ServerContext*,
                                          const v1::GetResultsRequest* request,
                                          v1::GetResultsResponse* response) {
  if (request->sweep_id().empty()) {
    return ToGrpc(
        absl::InvalidArgumentError("sweep_id: is needed, such as s3"));
  }
  const absl::StatusOr<std::vector<JobId>> jobs =
      Resolve("", request->sweep_id());
  if (!jobs.ok()) return ToGrpc(jobs.status());
  auto statuses = StatusesOf(*jobs);
  if (!statuses.ok()) return ToGrpc(statuses.status());
  std::stable_sort(statuses->begin(), statuses->end(),
                   [](const v1::JobStatus& a, const v1::JobStatus& b) {
                     return Rank(a) < Rank(b);
                   });
  response->mutable_jobs()->Assign(statuses->begin(), statuses->end());
  return grpc::Status::OK;
}

grpc::Status HydraServiceImpl::StreamLogs(
    grpc::ServerContext* context, const v1::StreamLogsRequest* request,
    grpc::ServerWriter<v1::StreamLogsResponse>* writer) {
  const absl::StatusOr<v1::JobDetail> known = Detail(request->job_id(), 0);
  if (!known.ok()) return ToGrpc(known.status());
  const JobId job(*ParseId(request->job_id(), 'j', "job_id"));
  int64_t next =
      request->tail() > 0 ? logs_->TailStart(job, request->tail()) : 0;
  while (!context->IsCancelled() && !stopping_) {
    // Asked before the lines are read: none comes after the job has ended.
    auto ended = core_->Ask([&](Core& core, absl::Time) {
      return core.FindJob(job) == nullptr || core.FindJob(job)->ended();
    });
    LogStore::Page page = logs_->Read(job, next, kLogLinesPerMessage);
    if (!page.lines.empty()) {
      next = page.next;
      v1::StreamLogsResponse response;
      response.mutable_lines()->Assign(page.lines.begin(), page.lines.end());
      response.set_dropped_lines(page.dropped);
      if (!writer->Write(response)) return grpc::Status::CANCELLED;
      continue;
    }
    // A stop of the server must not look like the job's end.
    if (!ended.has_value()) break;
    if (!request->follow() || *ended) return grpc::Status::OK;
    absl::SleepFor(kPoll);
  }
  return ToGrpc(Unavailable());
}

grpc::Status HydraServiceImpl::Download(
    grpc::ServerContext*, const v1::DownloadRequest* request,
    grpc::ServerWriter<v1::DownloadResponse>* writer) {
  const absl::StatusOr<v1::JobDetail> detail = Detail(request->job_id(), 0);
  if (!detail.ok()) return ToGrpc(detail.status());
  if (detail->status().state() != v1::JOB_STATE_COMPLETED ||
      !detail->spec().output().save_model()) {
    return ToGrpc(absl::FailedPreconditionError(absl::StrCat(
        "job ", request->job_id(), " is ",
        v1::JobState_Name(detail->status().state()).substr(sizeof("JOB_STATE")),
        detail->spec().output().save_model()
            ? ", and has written no model"
            : "; output.save_model is false")));
  }
  return ToGrpc(SendFiles(
      detail->output_path(),
      [&](const v1::DownloadResponse& piece) { return writer->Write(piece); }));
}

grpc::Status HydraServiceImpl::ListWorkers(grpc::ServerContext*,
                                           const v1::ListWorkersRequest*,
                                           v1::ListWorkersResponse* response) {
  auto workers =
      core_->Ask([](Core& core, absl::Time now) { return core.Workers(now); });
  if (!workers.has_value()) return ToGrpc(Unavailable());
  response->mutable_workers()->Assign(workers->begin(), workers->end());
  return grpc::Status::OK;
}

grpc::Status HydraServiceImpl::GetServerInfo(
    grpc::ServerContext*, const v1::GetServerInfoRequest*,
    v1::GetServerInfoResponse* response) {
  *response = info_;
  auto pool = core_->Ask([](Core& core, absl::Time) {
    return std::make_pair(core.pool_used_bytes(), core.pool_reserved_bytes());
  });
  if (!pool.has_value()) return ToGrpc(Unavailable());
  response->set_pool_used_bytes(pool->first);
  response->set_pool_reserved_bytes(pool->second);
  return grpc::Status::OK;
}

}  // namespace hydra
