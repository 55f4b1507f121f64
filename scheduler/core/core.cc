#include "scheduler/core/core.h"

#include <algorithm>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "common/status/error_details.h"
#include "glog/logging.h"
#include "scheduler/core/account_of.h"
#include "scheduler/core/core_parts.h"
#include "scheduler/core/job_stand.h"
#include "scheduler/core/restoration.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

// Those of `jobs` that `change` answers true for; unknown ones are not asked.
std::vector<JobId> ForEachKnown(JobBook& book, const std::vector<JobId>& jobs,
                                absl::FunctionRef<bool(Job&)> change) {
  std::vector<JobId> changed;
  for (JobId id : jobs) {
    Job* job = book.Find(id);
    if (job != nullptr && change(*job)) changed.push_back(id);
  }
  return changed;
}

}  // namespace

Core::Core(Options options, Policy* policy, Journal* journal)
    : parts_(std::make_unique<CoreParts>(std::move(options), policy, journal)) {
}

Core::~Core() = default;

absl::Status Core::Restore(const Recovered& recovered, absl::Time now) {
  return Restoration(parts_.get(), &recovered, now).Run();
}

// --- Clients ---

absl::StatusOr<v1::PoolDemand> Core::CheckFits(
    const std::vector<NewJob>& jobs) const {
  v1::PoolDemand largest;
  for (const NewJob& job : jobs) {
    const std::vector<v1::PoolDemand> demands =
        job.least_demands.empty() ? LeastDemandsOf(job) : job.least_demands;
    const auto fits = [this](const v1::PoolDemand& demand) {
      return parts_->admission.CanEverFit(demand).ok();
    };
    const auto demand = std::find_if(demands.begin(), demands.end(), fits);
    if (demand == demands.end()) {
      const auto least = std::min_element(
          demands.begin(), demands.end(), [](const auto& a, const auto& b) {
            return a.total_bytes() < b.total_bytes();
          });
      const absl::Status refused = parts_->admission.CanEverFit(*least);
      return absl::Status(
          refused.code(),
          absl::StrCat("job ", job.spec.name(), ": ", refused.message()));
    }
    if (demand->total_bytes() > largest.total_bytes()) largest = *demand;
  }
  return largest;
}

PlanLimits Core::plan_limits() const {
  PlanLimits limits;
  for (const DeviceOptions& device : parts_->options.devices) {
    limits.device_memory_bytes.push_back(device.memory_limit_bytes);
  }
  std::sort(limits.device_memory_bytes.begin(),
            limits.device_memory_bytes.end());
  limits.device_memory_bytes.erase(
      std::unique(limits.device_memory_bytes.begin(),
                  limits.device_memory_bytes.end()),
      limits.device_memory_bytes.end());
  limits.lookahead = parts_->options.lookahead;
  limits.promised_tenths = parts_->options.promised_tenths;
  limits.pool_first_byte = parts_->options.pool_first_byte;
  limits.prefetch_bytes = parts_->options.prefetch_bytes;
  return limits;
}

std::optional<Submission> Core::SubmissionOf(const RequestKey& request) const {
  return parts_->intake.SubmissionOf(request);
}

absl::StatusOr<Submission> Core::Submit(std::vector<NewJob>&& jobs,
                                        const RequestKey& request,
                                        absl::Time now) {
  if (std::optional<Submission> seen = SubmissionOf(request)) {
    const absl::Status same = CheckRepeats(*seen, request);
    if (!same.ok()) return same;
    return *std::move(seen);
  }
  if (parts_->hands.resting()) {
    return WithRetry(
        WithReason(absl::UnavailableError("the server is stopping"),
                   kNotServing),
        absl::Seconds(1));
  }
  if (absl::Status fits = CheckFits(jobs).status(); !fits.ok()) return fits;
  const Account account = AccountOf(request.caller.value_or(Caller()));
  const auto count = static_cast<int64_t>(jobs.size());
  if (absl::Status may = parts_->quotas.CheckSubmission(account, count, now);
      !may.ok()) {
    return may;
  }
  parts_->quotas.NoteSubmitted(account, count, now);
  return parts_->intake.Take(std::move(jobs), request, now);
}

std::vector<JobId> Core::Cancel(const std::vector<JobId>& jobs,
                                bool delete_checkpoints, absl::Time now) {
  return ForEachKnown(parts_->book, jobs, [&](Job& job) {
    return parts_->life.Cancel(job, delete_checkpoints, now);
  });
}

Core::Deleted Core::Delete(const std::vector<EndedJob>& jobs) {
  JobDeletion deletion(&parts_->book, &parts_->checkpoints, parts_->journal,
                       &parts_->actions);
  Deleted deleted;
  for (const EndedJob& job : jobs) {
    if (deletion.Delete(job)) deleted.jobs.push_back(job.id);
  }
  if (!deleted.jobs.empty()) {
    deleted.sequence = parts_->journal->next_sequence();
  }
  return deleted;
}

std::vector<JobId> Core::Pause(const std::vector<JobId>& jobs, absl::Time now) {
  return ForEachKnown(parts_->book, jobs,
                      [&](Job& job) { return parts_->life.Pause(job, now); });
}

std::vector<JobId> Core::Resume(const std::vector<JobId>& jobs,
                                absl::Time now) {
  return ForEachKnown(parts_->book, jobs,
                      [&](Job& job) { return parts_->life.Resume(job, now); });
}

std::vector<JobId> Core::SetPriority(const std::vector<JobId>& jobs,
                                     int priority, absl::Time now) {
  return ForEachKnown(parts_->book, jobs, [&](Job& job) {
    return parts_->life.SetPriority(job, priority, now);
  });
}

// --- Operators ---

absl::StatusOr<bool> Core::DrainDevices(
    const std::vector<std::string>& devices,
    const std::optional<std::string>& reason) {
  return parts_->drains.SetDevices(devices, reason);
}

bool Core::SetMaintenance(const std::optional<std::string>& reason) {
  return parts_->drains.SetMaintenance(reason);
}

void Core::SetUserLimits(const ShareOptions& shares,
                         const QuotaOptions& quotas) {
  parts_->options.shares.weights = shares.weights;
  parts_->options.quotas = quotas;
  parts_->shares.SetWeights(shares.weights);
  parts_->quotas.SetOptions(quotas);
  parts_->queue.OfferRoom();
}

// --- Workers ---

void Core::WorkerStarted(WorkerId worker,
                         const journal::v1::WorkerProcess& process) {
  parts_->roster.Started(worker, process);
}

void Core::WorkerReported(WorkerId worker, const wv1::WorkerReport& report,
                          absl::Time now) {
  parts_->events.Reported(parts_->roster.At(worker), report, now);
}

void Core::WorkerStreamEnded(WorkerId worker, absl::Time now) {
  parts_->roster.StreamEnded(worker, now);
}

void Core::WorkerDied(WorkerId worker, absl::string_view how, absl::Time now) {
  parts_->events.Died(parts_->roster.At(worker), how, now);
}

void Core::Tick(absl::Time now) {
  parts_->roster.Tick(now);
  parts_->hands.KillStuckTasks(now);
  parts_->checkpoints.LeaveStuckWriter(now);
  parts_->life.Tick(now);
  parts_->reclaimer.Tick(now);
  parts_->explainer.Tick(now);
  parts_->share_recorder.Tick(now);
  parts_->archive.ForgetOldSweeps(parts_->checkpoints.writing());
}

// --- The end of a turn ---

void Core::EndTurn(absl::Time now) {
  parts_->intake.MakeSomeJobs();
  parts_->archive.FreeSomeJobs();
  parts_->life.AdvanceAwake(now);
  if (parking_) parts_->checkpoints.SaveForStop(now);
  if (!parts_->hands.resting()) parts_->dispatcher.Run(now);
  parts_->hands.NoteIdle(now);
  parts_->hands.TellWorkers();
  parts_->explainer.ExplainSome(now);
}

bool Core::has_more_work() const {
  return parts_->queue.has_awake() || parts_->intake.has_more_work() ||
         parts_->explainer.has_more_work() || parts_->archive.has_more_work();
}

Actions Core::TakeActions() { return std::exchange(parts_->actions, {}); }

// --- Stopping ---

void Core::Park() {
  parking_ = true;
  parts_->hands.BeginRest();
  for (auto& [id, job] : parts_->book.all()) Hands::Withdraw(job);
}

bool Core::parked() const {
  const JobBook::Jobs& jobs = parts_->book.all();
  return parking_ && parts_->checkpoints.all_saved_for_stop() &&
         parts_->hands.all_empty() &&
         std::all_of(jobs.begin(), jobs.end(), [this](const auto& entry) {
           return entry.second.phase() != v1::JOB_PHASE_SAVE ||
                  parts_->life.WaitsForDisk(entry.first);
         });
}

void Core::StopWorkers() { parts_->hands.Stop(); }

// --- Outcomes of actions ---

void Core::Recorded(uint64_t sequence) {
  parts_->journal->Recorded(sequence);
  for (Intake::Sweep& sweep : parts_->intake.Recorded(sequence)) {
    for (const auto& [id, job] : sweep.jobs) parts_->queue.Wake(id);
    parts_->book.Add(sweep.id, std::move(sweep.jobs));
  }
}

void Core::SubmissionRefused(uint64_t sequence) {
  const Intake::RefusedJobs refused = parts_->intake.Refused(sequence);
  parts_->quotas.NoteEnded(AccountOf(refused.owner), refused.jobs);
}

void Core::LogLinesKept(WorkerId worker, absl::string_view session,
                        uint64_t sequence) {
  WorkerEvents::LogLinesKept(parts_->roster.At(worker), session, sequence);
}

void Core::ModelSaved(JobId job, const absl::Status& status, absl::Time now) {
  parts_->life.ModelSaved(parts_->book.At(job), status, now);
}

void Core::CheckpointBlockWritten(JobId job, size_t index) {
  parts_->checkpoints.BlockWritten(job, index);
}

void Core::CheckpointWritten(JobId job, const absl::StatusOr<int64_t>& bytes,
                             absl::Time now) {
  if (!bytes.ok()) {
    parts_->life.CheckpointFailed(parts_->book.At(job), bytes.status());
  }
  parts_->checkpoints.Written(job, bytes, now);
}

// --- Reads ---

const JobBook& Core::jobs() const { return parts_->book; }

std::vector<v1::WorkerStatus> Core::Workers(absl::Time now) const {
  return parts_->roster.Statuses(now);
}

JobBook::Changes Core::TakeChanges(size_t most) {
  return parts_->book.TakeChanges(most);
}

const std::optional<std::string>& Core::maintenance() const {
  return parts_->roster.maintenance();
}

const ShareLedger& Core::shares() const { return parts_->shares.ledger(); }

const Core::Options& Core::options() const { return parts_->options; }

Core::PoolUse Core::pool() const {
  return {parts_->blocks.used_bytes(), parts_->admission.reserved_bytes()};
}

void Core::CheckInvariants() const {
  std::vector<Version> fresh;
  for (const auto& [id, job] : parts_->book.all()) {
    for (const OutstandingTask& task : job.outstanding) {
      CHECK(task.worker == job.outstanding.front().worker)
          << JobName(id) << " is in the hands of two workers";
      const auto& hand = parts_->roster.all()[task.worker.value() - 1].hand;
      CHECK(std::count(hand.begin(), hand.end(), std::make_pair(id, task.id)) ==
            1)
          << "task " << task.id << " is in no hand";
      for (const auto& [key, version] : task.made) fresh.push_back(version);
    }
    CHECK_EQ(parts_->bases.Has(job),
             job.in_chain() && !job.submitted.base_key.empty())
        << JobName(id);
    CHECK(StandOf(job).has_value())
        << JobName(id) << " cannot be: " << v1::JobState_Name(job.state())
        << ", " << v1::JobPhase_Name(job.phase()) << ", intent "
        << static_cast<int>(job.intent) << ", " << job.outstanding.size()
        << " tasks out";
  }
  parts_->blocks.CheckInvariants(fresh);
  CHECK_GE(parts_->admission.spare_bytes(), 0);
  const Checkpoints& checkpoints = parts_->checkpoints;
  CHECK(!checkpoints.free() || checkpoints.nobody_waits());
  CHECK(checkpoints.free()
            ? parts_->blocks.kept_bytes() == 0
            : parts_->book.At(checkpoints.writing()).writing.has_value());
  for (const WorkerRecord& worker : parts_->roster.all()) {
    // Which ones are computed, an earlier daemon knew.
    CHECK_LE(worker.hand.size(),
             parts_->hands.SizeOf(worker) + Hands::kMostComputed);
    for (const auto& [job, task] : worker.hand) {
      const std::vector<OutstandingTask>& tasks =
          parts_->book.all().at(job).outstanding;
      CHECK(std::any_of(tasks.begin(), tasks.end(),
                        [&, id = task](const OutstandingTask& t) {
                          return t.id == id && t.worker == worker.id;
                        }))
          << "task " << task << " is in a hand and belongs to no job";
    }
  }
}

}  // namespace hydra
