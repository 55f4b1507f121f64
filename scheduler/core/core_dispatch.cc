// The part of Core that decides which worker gets which task, and tells it.

#include <algorithm>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "scheduler/core/core.h"
#include "scheduler/core/newest_versions.h"
#include "scheduler/core/records.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

// Jobs that a device with an empty hand looks at before it gives up: more than
// one only when the pool is too fragmented for the best ones' next writes.
constexpr int kMaxCandidates = 32;

// A smaller device than its cut points were found for cannot run a job.
bool FitsDevice(const Job& job, const WorkerRecord& worker) {
  return job.partition_limit_bytes <= worker.device.memory_limit_bytes;
}

wv1::Task WireTask(const Job& job, const OutstandingTask& task) {
  wv1::Task wire;
  wire.set_task_id(task.id.value());
  wire.set_job_id(job.id.value());
  wire.set_kind(task.task.kind);
  wire.set_step(task.task.step);
  wire.set_shard(task.task.shard);
  wire.set_first_layer(task.task.layers.first);
  wire.set_last_layer(task.task.layers.last);
  wire.set_first_micro_batch(task.task.first_micro_batch);
  wire.set_last_micro_batch(task.task.last_micro_batch);
  wire.set_split(task.task.split);
  return wire;
}

}  // namespace

bool Core::HasUntriedDevice(const Job& job) const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [&](const WorkerRecord& worker) {
                       return worker.usable() && FitsDevice(job, worker) &&
                              !job.crashed_on.contains(worker.id);
                     });
}

// Another device than those that died of it comes first.
bool Core::MayTry(const WorkerRecord& worker, const Job& job) const {
  if (!worker.usable() || !FitsDevice(job, worker)) return false;
  return !job.crashed_on.contains(worker.id) || !HasUntriedDevice(job);
}

bool Core::CanRun(const WorkerRecord& worker, const Job& job) const {
  if (!MayTry(worker, job)) return false;
  return job.phase != v1::JOB_PHASE_PILOT ||
         worker.device.memory_limit_bytes ==
             PilotDevice(job).memory_limit_bytes;
}

void Core::Dispatch(absl::Time now) {
  if (!stopping_ && !parking_) Assign(now);
  for (WorkerRecord& worker : workers_) SendDesired(worker);
}

void Core::Assign(absl::Time now) {
  std::vector<const WorkerRecord*> idle;
  for (WorkerRecord& worker : workers_) {
    if (!worker.ready() || !worker.usable() || !worker.hand.empty()) continue;
    if (!FillEmptyHand(worker, now)) idle.push_back(&worker);
  }
  if (!idle.empty()) WithdrawPromiseFor(*idle.back());
  for (WorkerRecord& worker : workers_) {
    while (worker.ready() && worker.usable() && !worker.hand.empty() &&
           worker.hand.size() < HandSize() && LookAhead(worker, idle, now)) {
    }
  }
}

bool Core::FillEmptyHand(WorkerRecord& worker, absl::Time now) {
  std::vector<JobId> candidates;
  policy_->ForEachInOrder([&](JobId id) {
    if (CanRun(worker, JobOf(id))) candidates.push_back(id);
    return candidates.size() < kMaxCandidates;
  });
  return std::any_of(candidates.begin(), candidates.end(),
                     [&](JobId id) { return HandOut(JobOf(id), worker, now); });
}

bool Core::Withdrawable(const Job& job) const {
  return !job.outstanding.empty() && !job.outstanding.front().begun &&
         !job.outstanding.front().withdrawing;
}

// A device has nothing to do: take back the longest job that another one only
// promised to run.
void Core::WithdrawPromiseFor(const WorkerRecord& idle) {
  Job* best = nullptr;
  for (const WorkerRecord& worker : workers_) {
    for (const auto& [job_id, task_id] : worker.hand) {
      Job& job = JobOf(job_id);
      // The hand's first task has begun, or is about to.
      if (worker.hand.front().first == job_id) continue;
      // One at a time: this one is on its way back.
      if (job.state == v1::JOB_STATE_RUNNING &&
          job.outstanding.front().withdrawing) {
        return;
      }
      if (!Withdrawable(job) || !CanRun(idle, job)) continue;
      if (best == nullptr || job.RemainingFrom(job.position) >
                                 best->RemainingFrom(best->position)) {
        best = &job;
      }
    }
  }
  if (best != nullptr) Withdraw(*best);
}

// While its checkpoint is written, what a job replaces stays where it is. That
// may take the job's own largest write and what nobody was promised; past that,
// the job waits for the writer.
bool Core::FitsBesideCheckpoint(const Job& job, const ChainTask& task) const {
  if (!job.writing.has_value()) return true;
  int64_t kept = blocks_.kept_bytes(job.id);
  const int64_t kept_of_others = blocks_.kept_bytes() - kept;
  for (const OutstandingTask& ahead : job.outstanding) {
    for (const auto& [key, version] : ahead.made) {
      const Version* replaced = blocks_.Find(job.id, key);
      if (replaced != nullptr && blocks_.pinned(*replaced)) {
        kept += version.size_bytes;
      }
    }
  }
  if (kept == 0) return true;
  int64_t fresh = 0;
  for (const BlockWrite& write : task.writes) {
    if (write.key.kind == wv1::BLOCK_KIND_PARAMETERS ||
        write.key.kind == wv1::BLOCK_KIND_OPTIMIZER_STATE) {
      fresh += write.size_bytes;
    }
  }
  const int64_t spare =
      std::max<int64_t>(0, admission_.spare_bytes() - kept_of_others);
  return kept + fresh <= job.demand->largest_write_bytes() + spare;
}

bool Core::IsUnwanted(const Job& job, const OutstandingTask& task) const {
  if (!task.begun) return false;
  if (job.state != v1::JOB_STATE_RUNNING || job.restart_requested ||
      task.stray) {
    return true;
  }
  // A step's tasks end, and are saved. These would begin again.
  const bool rests = job.pause_requested || parking_ || stopping_;
  return rests && (task.task.kind == wv1::TASK_KIND_PREPARE ||
                   task.task.kind == wv1::TASK_KIND_PILOT ||
                   task.task.kind == wv1::TASK_KIND_INIT);
}

void Core::Withdraw(Job& job) {
  for (OutstandingTask& task : job.outstanding) task.withdrawing = true;
}

// The job with the most time left among those whose last task is in this hand.
Job* Core::BestSuccessor(const WorkerRecord& worker, absl::Time now) {
  Job* best = nullptr;
  absl::Duration longest;
  for (const auto& [job_id, task_id] : worker.hand) {
    Job& job = JobOf(job_id);
    const OutstandingTask& last = job.outstanding.back();
    if (job.state != v1::JOB_STATE_RUNNING || last.id != task_id ||
        last.withdrawing || !last.position.has_value()) {
      continue;
    }
    const ChainPosition next = job.NextPosition();
    if (next.done() || !job.MayGoOn(next) || HoldsBeforeStep(job, next, now)) {
      continue;
    }
    const absl::Duration remaining = job.RemainingFrom(next);
    if (best == nullptr || remaining > longest) {
      best = &job;
      longest = remaining;
    }
  }
  return best;
}

// The best job in the queue that this device can run and no idle one could: a
// job is promised ahead only where it cannot begin at once.
Job* Core::BestIdleJob(const WorkerRecord& worker,
                       const std::vector<const WorkerRecord*>& idle) {
  Job* best = nullptr;
  int looked_at = 0;
  policy_->ForEachInOrder([&](JobId id) {
    Job& job = JobOf(id);
    const bool idle_could = std::any_of(
        idle.begin(), idle.end(),
        [&](const WorkerRecord* other) { return CanRun(*other, job); });
    if (!idle_could && CanRun(worker, job)) best = &job;
    return best == nullptr && ++looked_at < kMaxCandidates;
  });
  return best;
}

bool Core::LookAhead(WorkerRecord& worker,
                     const std::vector<const WorkerRecord*>& idle_workers,
                     absl::Time now) {
  Job* successor = BestSuccessor(worker, now);
  Job* idle = BestIdleJob(worker, idle_workers);
  if (idle != nullptr && successor != nullptr &&
      successor->RemainingFrom(successor->NextPosition()) >
          idle->RemainingFrom(idle->position)) {
    idle = nullptr;
  }
  if (idle != nullptr && HandOut(*idle, worker, now)) return true;
  return successor != nullptr && HandOut(*successor, worker, now);
}

std::optional<OutstandingTask> Core::MakeTask(Job& job) {
  OutstandingTask task;
  if (job.phase == v1::JOB_PHASE_PREPARE) {
    task.task.kind = wv1::TASK_KIND_PREPARE;
  } else if (job.phase == v1::JOB_PHASE_PILOT) {
    task.task.kind = wv1::TASK_KIND_PILOT;
    task.task.layers = {0, job.shape.table->layer_count()};
  } else {
    task.position = job.NextPosition();
    task.task = TaskAt(job.shape, job.plan, *task.position);
    if (!FitsBesideCheckpoint(job, task.task)) return std::nullopt;
  }
  task.id = TaskId(last_task_ + 1);
  task.wire = WireTask(job, task);
  if (task.task.kind == wv1::TASK_KIND_INIT) {
    task.wire.set_restore_dir(job.restore_dir);
  }
  const NewestVersions newest(blocks_, job);
  for (const BlockKey& key : task.task.reads) {
    const Version* version = newest.Find(key);
    CHECK(version != nullptr) << JobName(job.id) << " reads a missing block";
    FillVersion(key, *version, *task.wire.add_reads());
  }
  job.refused_write_bytes = 0;
  for (const BlockWrite& write : task.task.writes) {
    std::optional<Version> version = blocks_.Make(write.size_bytes);
    if (!version.has_value()) {
      for (const BlockWrite& each : task.task.writes) {
        job.refused_write_bytes += each.size_bytes;
      }
      for (const auto& [key, made] : task.made) blocks_.Discard(made);
      return std::nullopt;
    }
    FillVersion(write.key, *version, *task.wire.add_writes());
    task.made.emplace_back(write.key, *version);
  }
  ++last_task_;
  return task;
}

bool Core::HandOut(Job& job, WorkerRecord& worker, absl::Time now) {
  std::optional<OutstandingTask> task = MakeTask(job);
  if (!task.has_value()) return false;
  policy_->Remove(job.id);
  job.queued_since = absl::InfinitePast();
  task->worker = worker.id;
  journal_->TaskHandedOut(worker.id, task->wire);
  worker.hand.emplace_back(job.id, task->id);
  if (job.state == v1::JOB_STATE_PENDING) {
    job.state = v1::JOB_STATE_RUNNING;
    job.reason.clear();
    if (job.started_at == absl::InfinitePast()) job.started_at = now;
    NoteChange(job);
  }
  if (task->task.kind == wv1::TASK_KIND_FORWARD ||
      task->task.kind == wv1::TASK_KIND_TURN) {
    if (job.training_since == absl::InfinitePast()) {
      job.training_since = now;
      job.training_from_step = task->task.step;
    }
  }
  job.outstanding.push_back(*std::move(task));
  Touch(job);
  return true;
}

wv1::JobContext Core::ContextOf(const Job& job) const {
  wv1::JobContext context;
  context.set_job_id(job.id.value());
  *context.mutable_spec() = job.submitted.spec;
  context.set_model_config_json(*job.submitted.model_config_json);
  context.mutable_splits()->Assign(job.splits.begin(), job.splits.end());
  context.set_token_cache_dir(options_.token_cache_dir);
  context.set_prefetch_bytes(options_.prefetch_bytes + job.pilot_reserve_bytes);
  context.mutable_read_roots()->Assign(options_.read_roots.begin(),
                                       options_.read_roots.end());
  return context;
}

DesiredKey Core::DesiredKeyOf(const WorkerRecord& worker) const {
  DesiredKey key;
  for (const auto& [job_id, task_id] : worker.hand) {
    for (const OutstandingTask& task : jobs_.at(job_id).outstanding) {
      if (task.id == task_id && !task.withdrawing) key.tasks.push_back(task.id);
    }
  }
  key.acknowledged = worker.acknowledged;
  key.log_sequence = worker.log_sequence;
  key.stop = stopping_;
  for (const auto& [job_id, task_id] : worker.hand) {
    const Job& job = jobs_.at(job_id);
    for (const OutstandingTask& task : job.outstanding) {
      if (task.id == task_id && IsUnwanted(job, task)) {
        key.cancelled.push_back(task_id);
      }
    }
  }
  return key;
}

// All that may change of it.
std::string Core::ContextContentOf(const Job& job) const {
  std::string content = absl::StrCat(job.pilot_reserve_bytes);
  for (const wv1::PreparedSplit& split : job.splits) {
    absl::StrAppend(&content, "|", split.SerializeAsString());
  }
  return content;
}

void Core::AddContexts(WorkerRecord& worker, const absl::btree_set<JobId>& jobs,
                       wv1::DesiredState& desired) {
  for (JobId id : jobs) {
    const Job& job = jobs_.at(id);
    const uint64_t number =
        worker.contexts.Need(id, ContextContentOf(job), &last_context_);
    if (worker.contexts.Has(id)) continue;
    wv1::JobContext& context = *desired.add_jobs();
    context = ContextOf(job);
    context.set_number(number);
  }
  const std::vector<uint64_t> kept = worker.contexts.EndMessage();
  desired.mutable_contexts()->Assign(kept.begin(), kept.end());
}

// Also notes, for each task, the first message that names it.
wv1::DesiredState Core::MakeDesired(WorkerRecord& worker) {
  wv1::DesiredState desired;
  desired.set_sequence(worker.desired_sequence);
  absl::btree_set<JobId> jobs;
  for (const auto& [job_id, task_id] : worker.hand) {
    for (OutstandingTask& task : JobOf(job_id).outstanding) {
      if (task.id != task_id) continue;
      if (IsUnwanted(JobOf(job_id), task)) {
        task.told_to_stop = true;
        desired.add_cancelled_tasks(task_id.value());
      }
      if (task.withdrawing) continue;
      if (task.told_in == 0) task.told_in = worker.desired_sequence;
      *desired.add_tasks() = task.wire;
      jobs.insert(job_id);
    }
  }
  AddContexts(worker, jobs, desired);
  desired.mutable_acknowledged_tasks()->Assign(worker.acknowledged.begin(),
                                               worker.acknowledged.end());
  desired.set_acknowledged_log_sequence(worker.log_sequence);
  desired.set_stop(stopping_);
  return desired;
}

void Core::SendDesired(WorkerRecord& worker) {
  if (!worker.ready()) return;
  DesiredKey key = DesiredKeyOf(worker);
  if (key == worker.sent && !worker.must_send) return;
  ++worker.desired_sequence;
  Do(WorkerMessage{worker.id, MakeDesired(worker)});
  worker.sent = std::move(key);
  worker.must_send = false;
}

}  // namespace hydra
