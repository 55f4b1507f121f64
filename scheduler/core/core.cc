#include "scheduler/core/core.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status/proto_time.h"
#include "common/version/version.h"
#include "glog/logging.h"
#include "scheduler/core/plan.h"
#include "scheduler/core/records.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

int64_t PromisedBytes(const Core::Options& options) {
  return options.pool_bytes / 10 * options.promised_tenths;
}

// Numbers of one generation never meet those of another one.
constexpr int kGenerationShift = 40;

// Of what pilots measure, and how: older results are not believed.
constexpr int kPilotFormat = 2;

// "cpu" of "cpu:0".
absl::string_view DeviceKind(absl::string_view name) {
  return name.substr(0, name.find(':'));
}

// Whether it is a partition of this model; what a file said need not be.
bool Fits(const v1::Partition& partition, const ModelTable& table) {
  int last = 0;
  for (int cut : partition.cut_points()) {
    if (cut <= last || cut >= table.layer_count()) return false;
    last = cut;
  }
  return true;
}

}  // namespace

Core::Core(Options options, Policy* policy, Journal* journal, Effects* effects)
    : options_(std::move(options)),
      policy_(policy),
      journal_(journal),
      effects_(effects),
      blocks_(options_.pool_first_byte, options_.pool_bytes,
              options_.generation << kGenerationShift),
      admission_(PromisedBytes(options_), options_.devices.size(),
                 options_.lookahead),
      next_job_(options_.first_job),
      last_task_(options_.generation << kGenerationShift),
      last_context_(options_.generation << kGenerationShift) {
  for (const DeviceOptions& device : options_.devices) {
    WorkerRecord worker;
    worker.id = WorkerId(workers_.size() + 1);
    worker.device = device;
    worker.desired_sequence = options_.generation << kGenerationShift;
    workers_.push_back(std::move(worker));
  }
  for (const auto& [key, partition] : options_.partitions) {
    partitions_.Set(key, partition);
  }
}

Job& Core::JobOf(JobId job) {
  auto found = jobs_.find(job);
  CHECK(found != jobs_.end()) << "unknown job " << job;
  return found->second;
}

const Job* Core::FindJob(JobId job) const {
  auto found = jobs_.find(job);
  return found == jobs_.end() ? nullptr : &found->second;
}

std::vector<JobId> Core::JobsOf(SweepId sweep) const {
  auto found = sweeps_.find(sweep);
  return found == sweeps_.end() ? std::vector<JobId>{} : found->second.jobs;
}

std::vector<SweepId> Core::Sweeps() const {
  std::vector<SweepId> sweeps;
  for (const auto& [sweep, jobs] : sweeps_) sweeps.push_back(sweep);
  std::reverse(sweeps.begin(), sweeps.end());
  return sweeps;
}

Core::Changes Core::TakeChanges(size_t most) {
  Changes changes;
  changes.jobs = changes_.Take(most);
  changes.taken = changes_.taken();
  // Not before what changed in them.
  if (changes_.empty()) changes.forgotten = std::exchange(forgotten_, {});
  return changes;
}

void Core::Log(const Job& job, const char* severity, absl::string_view text,
               absl::Time now, const OutstandingTask* task) {
  v1::LogLine line;
  *line.mutable_time() = ToProto(now);
  line.set_severity(severity);
  line.set_source("hydrad");
  line.set_step(task == nullptr ? -1 : task->task.step);
  line.set_task_id(task == nullptr ? 0 : task->id.value());
  line.set_text(std::string(text));
  effects_->LogForJob(job.id, line);
}

std::string Core::PrepareKey(const Job& job) const {
  return absl::StrCat(job.submitted.spec.data().SerializeAsString(), "|",
                      job.submitted.spec.model().tokenizer_path(), "|",
                      job.shape.table->vocabulary_size);
}

std::string Core::PrepareWait(const Job& job) const {
  return absl::StrCat(SweepName(job.sweep), "|", PrepareKey(job));
}

const DeviceOptions& Core::PilotDevice(const Job& job) const {
  const WorkerRecord* least = nullptr;
  for (const WorkerRecord& worker : workers_) {
    if (!MayTry(worker, job)) continue;
    if (least == nullptr ||
        worker.device.memory_limit_bytes < least->device.memory_limit_bytes) {
      least = &worker;
    }
  }
  return least == nullptr ? workers_.front().device : least->device;
}

std::string Core::PilotKey(const Job& job, const DeviceOptions& device) const {
  return absl::StrCat(
      job.shape.table->architecture_key, " batch=", job.shape.micro_batch_size,
      " micro_batches=", job.shape.micro_batches,
      " eval_batch=", job.shape.eval_batch_size,
      " context=", job.shape.context_length,
      " optimizer=", v1::Optimizer_Name(job.submitted.spec.train().optim()),
      " state=", job.shape.state_factor, " device=", DeviceKind(device.name),
      " model=", device.model, " threads=", device.threads,
      " limit=", device.memory_limit_bytes,
      " prefetch=", options_.prefetch_bytes + job.pilot_reserve_bytes,
      " hydra=", kVersion, " format=", kPilotFormat);
}

// The job's state, as clients see it and as a restart needs it, is another one.
void Core::NoteChange(Job& job) {
  journal_->JobChanged(job.id, ProgressOf(job));
  Touch(job);
}

void Core::Enqueue(Job& job, absl::Time now) {
  waiting_.Remove(job.id);
  if (now < job.rests_until) {
    resting_.insert(job.id);
    job.state = v1::JOB_STATE_PENDING;
    NoteChange(job);
    return;
  }
  if (job.queued_since == absl::InfinitePast()) job.queued_since = now;
  if (job.state == v1::JOB_STATE_PENDING) {
    job.reason = waits_for_device_;
    Touch(job);
  }
  policy_->Upsert(job.id, job.RemainingFrom(job.position));
}

void Core::WakeRested(absl::Time now) {
  for (auto it = resting_.begin(); it != resting_.end();) {
    const auto found = jobs_.find(*it);
    if (found != jobs_.end() && now < found->second.rests_until) {
      ++it;
      continue;
    }
    it = resting_.erase(it);
    if (found != jobs_.end() && found->second.outstanding.empty()) {
      Advance(found->second, now);
    }
  }
}

void Core::SetWaiting(Job& job, std::string reason) {
  if (job.state == v1::JOB_STATE_PENDING && job.reason == reason) return;
  job.state = v1::JOB_STATE_PENDING;
  job.reason = std::move(reason);
  Touch(job);
}

void Core::Advance(Job& job, absl::Time now) {
  while (!job.ended() && job.state != v1::JOB_STATE_PAUSED &&
         AdvanceOnce(job, now)) {
    Touch(job);
  }
}

// False: it waits, or is in the queue, or pauses, or has ended.
bool Core::AdvanceOnce(Job& job, absl::Time now) {
  if (job.restart_requested) {
    if (!SavesBeforeRestart(job, now)) RestartFromCheckpoint(job, now);
    return false;
  }
  if (job.pause_requested && PauseHere(job, now)) return false;
  switch (job.phase) {
    case v1::JOB_PHASE_PREPARE:
      return AdvanceFromPrepare(job, now);
    case v1::JOB_PHASE_PILOT:
      return AdvanceFromPilot(job, now);
    case v1::JOB_PHASE_ADMISSION:
      return AdvanceFromAdmission(job, now);
    case v1::JOB_PHASE_INIT:
    case v1::JOB_PHASE_TRAIN:
    case v1::JOB_PHASE_EVALUATE:
      return AdvanceInChain(job, now);
    default:
      return false;
  }
}

void Core::TakePrepared(Job& job, const wv1::PrepareResult& prepared,
                        absl::Time now) {
  job.splits.assign(prepared.splits().begin(), prepared.splits().end());
  job.prepare_warnings.assign(prepared.warnings().begin(),
                              prepared.warnings().end());
  // Not before: a sweep that waits would push others' lines out of the log.
  for (const std::string& warning : job.submitted.warnings) {
    Log(job, "W", warning, now);
  }
}

// What the worker wrote into the log of the job that did it.
void Core::LogSharedPreparation(const Job& job, absl::Time now) {
  for (const std::string& warning : job.prepare_warnings) {
    Log(job, "W", warning, now);
  }
  for (const wv1::PreparedSplit& split : job.splits) {
    Log(job, "I",
        absl::StrCat(wv1::Split_Name(split.split()), ": ", split.token_count(),
                     " tokens, prepared with another job of the sweep"),
        now);
  }
}

bool Core::AdvanceFromPrepare(Job& job, absl::Time now) {
  const std::string key = PrepareKey(job);
  auto& prepared = prepared_[job.sweep];
  if (!job.splits.empty() || prepared.Find(key) != nullptr) {
    if (job.splits.empty()) {
      TakePrepared(job, *prepared.Find(key), now);
      LogSharedPreparation(job, now);
    }
    if (std::string changed = ChangedDataOf(job);
        !changed.empty() && !job.insists) {
      job.hold_reason = absl::StrCat("paused: ", changed,
                                     "; resume the job to go on all the same");
      EnterPause(job);
      return false;
    }
    // A pilot may take long, and would find no data that suffice.
    if (const absl::StatusOr<ChainPlan> plan = PlanOf(job); !plan.ok()) {
      EndJob(job, v1::JOB_STATE_FAILED, std::string(plan.status().message()),
             now);
      return false;
    }
    job.phase = v1::JOB_PHASE_PILOT;
    NoteChange(job);
    return true;
  }
  const JobId owner = prepared.Claim(key, job.id);
  if (owner != job.id) {
    waiting_.WaitFor(job.id, PrepareWait(job));
    SetWaiting(job, absl::StrCat("waits for ", JobName(owner),
                                 ", which prepares the same data"));
    return false;
  }
  Enqueue(job, now);
  return false;
}

bool Core::AdvanceFromPilot(Job& job, absl::Time now) {
  if (job.partition == nullptr) {
    const auto& given = job.submitted.spec.partition().cut_points();
    const DeviceOptions& device = PilotDevice(job);
    const std::string key = PilotKey(job, device);
    if (!given.empty()) {
      v1::Partition partition;
      *partition.mutable_cut_points() = given;
      partition.set_source("given");
      SetPartition(job, std::move(partition), /*limit_bytes=*/0);
    } else if (const v1::Partition* known = partitions_.Find(key);
               known != nullptr && Fits(*known, *job.shape.table)) {
      v1::Partition partition = *known;
      partition.set_source("reused");
      SetPartition(job, std::move(partition), device.memory_limit_bytes);
    } else if (const JobId owner = partitions_.Claim(key, job.id);
               owner != job.id) {
      waiting_.WaitFor(job.id, kPilotWait);
      SetWaiting(job, absl::StrCat("waits for ", JobName(owner),
                                   ", which finds the same cut points"));
      return false;
    } else {
      job.pilot_claim = key;
      Enqueue(job, now);
      return false;
    }
  }
  if (!CanResumeInPartition(job, now)) return true;
  job.phase = v1::JOB_PHASE_ADMISSION;
  NoteChange(job);
  return true;
}

void Core::SetPartition(Job& job, v1::Partition partition,
                        int64_t limit_bytes) {
  job.partition_limit_bytes = limit_bytes;
  job.shape.shards =
      ShardsOf({partition.cut_points().begin(), partition.cut_points().end()},
               job.shape.table->layer_count());
  job.partition =
      shared_partitions_.Get(partition.SerializeAsString(), [&partition] {
        return std::make_shared<const v1::Partition>(partition);
      });
  job.demand = DemandOf(job.shape);
}

bool Core::AdvanceFromAdmission(Job& job, absl::Time now) {
  const absl::StatusOr<ChainPlan> plan = PlanOf(job);
  if (!plan.ok()) {
    EndJob(job, v1::JOB_STATE_FAILED, std::string(plan.status().message()),
           now);
    return false;
  }
  job.plan = *plan;
  if (!job.checkpoints.empty()) {
    job.plan.resume = ResumePlaceOf(job);
    job.restore_dir = job.checkpoints.back().info().path();
  }
  if (absl::Status fits = admission_.CanEverFit(*job.demand); !fits.ok()) {
    EndJob(job, v1::JOB_STATE_FAILED, std::string(fits.message()), now);
    return false;
  }
  // First come, first served: a small job does not slip past a large one.
  if (waiting_.WaitsBehindOthers(job.id)) {
    waiting_.WaitForRoom(job.id);
    SetWaiting(job, "waits behind earlier jobs for room in the pool");
    return false;
  }
  if (absl::Status admitted =
          admission_.Admit(job.id, *job.demand, blocks_.kept_bytes());
      !admitted.ok()) {
    waiting_.WaitForRoom(job.id);
    SetWaiting(job, std::string(admitted.message()));
    return false;
  }
  waiting_.Remove(job.id);
  job.reason.clear();
  BeginTimes(job);
  if (job.shape.state_factor > 0) {
    for (int i = 0; i < job.shape.table->parameter_blocks.size(); ++i) {
      const BlockKey key{wv1::BLOCK_KIND_OPTIMIZER_STATE, i, 0};
      blocks_.CommitZero(job.id, key, job.shape.StateBytes(i));
      journal_->BlockChanged(job.id, ToRecord(key, *blocks_.Find(job.id, key)));
    }
  }
  Log(job, "I",
      absl::StrCat("admitted with ", job.demand->total_bytes(), " pool bytes; ",
                   job.shape.shard_count(), " shards, cut before layers [",
                   absl::StrJoin(job.partition->cut_points(), ", "), "] (",
                   job.partition->source(), "); ", job.plan.total_steps,
                   " steps",
                   job.plan.resume.has_value()
                       ? absl::StrCat("; goes on from ", job.restore_dir)
                       : ""),
      now);
  job.phase = v1::JOB_PHASE_INIT;
  job.checkpointed_at = now;
  job.step_ended_at = now;
  journal_->PoolJobChanged(job.id, PoolJobOf(job));
  NoteChange(job);
  return true;
}

void Core::BeginTimes(Job& job) {
  const auto& layers = job.partition->layers();
  job.times.emplace(
      job.shape, std::vector<v1::LayerProfile>(layers.begin(), layers.end()));
}

bool Core::AdvanceInChain(Job& job, absl::Time now) {
  if (writer_queue_.contains(job.id)) return false;
  if (job.position.done()) {
    BeginSaving(job, now);
  } else {
    job.phase = ChainPhase(job.position);
    Enqueue(job, now);
  }
  return false;
}

void Core::AdvanceWaiting(absl::Time now) {
  for (int i = 0; i < options_.advances_in_one_go; ++i) {
    const std::optional<JobId> next = waiting_.Take();
    if (!next.has_value()) return;
    Advance(JobOf(*next), now);
  }
}

void Core::ContinueWork(absl::Time now) {
  MakeSomeJobs();
  ForgetSomeJobs();
  AdvanceWaiting(now);
  ContinueParking(now);
  Dispatch(now);
  ExplainSomeWaits(now);
}

void Core::AbandonClaims(const Job& job) {
  if (prepared_[job.sweep].Abandon(PrepareKey(job), job.id)) {
    waiting_.Wake(PrepareWait(job));
  }
  if (partitions_.Abandon(job.pilot_claim, job.id)) waiting_.Wake(kPilotWait);
}

void Core::CheckInvariants() const {
  std::vector<Version> fresh;
  for (const auto& [id, job] : jobs_) {
    for (const OutstandingTask& task : job.outstanding) {
      CHECK(task.worker == job.outstanding.front().worker)
          << JobName(id) << " is in the hands of two workers";
      const auto& hand = workers_[task.worker.value() - 1].hand;
      CHECK(std::count(hand.begin(), hand.end(), std::make_pair(id, task.id)) ==
            1)
          << "task " << task.id << " is in no hand";
      for (const auto& [key, version] : task.made) fresh.push_back(version);
    }
    if (job.ended()) CHECK(job.outstanding.empty()) << JobName(id);
  }
  blocks_.CheckInvariants(fresh);
  CHECK_LE(admission_.reserved_bytes(), PromisedBytes(options_));
  CHECK(writing_ != JobId() || writer_queue_.empty());
  CHECK(writing_ == JobId() ? blocks_.kept_bytes() == 0
                            : jobs_.at(writing_).writing.has_value());
  for (const WorkerRecord& worker : workers_) {
    CHECK_LE(worker.hand.size(), HandSize());
    for (const auto& [job, task] : worker.hand) {
      const std::vector<OutstandingTask>& tasks = jobs_.at(job).outstanding;
      CHECK(std::any_of(tasks.begin(), tasks.end(),
                        [&, id = task](const OutstandingTask& t) {
                          return t.id == id && t.worker == worker.id;
                        }))
          << "task " << task << " is in a hand and belongs to no job";
    }
  }
}

}  // namespace hydra
