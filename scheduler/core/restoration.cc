#include "scheduler/core/restoration.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "scheduler/core/job_move.h"
#include "scheduler/core/next_task.h"
#include "scheduler/core/plan.h"
#include "scheduler/core/records.h"

namespace hydra {
namespace {

namespace jv1 = hydra::journal::v1;
namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

absl::Status Contradiction(JobId job, absl::string_view what) {
  return absl::DataLossError(absl::StrCat(
      "the journals contradict themselves about ", JobName(job), ": ", what));
}

// Whether the task follows on those that the job has out.
bool IsNextInChain(const Job& job, const BlockTable& blocks,
                   const wv1::Task& wire) {
  const bool follows =
      job.state() == v1::JOB_STATE_RUNNING && job.in_chain() &&
      (job.outstanding.empty() || !job.outstanding.back().stray) &&
      !job.NextPosition().done();
  if (!follows) return false;
  const ChainTask next = NextTask(job, blocks);
  return next.kind == wire.kind() && next.step == wire.step() &&
         next.shard == wire.shard() &&
         next.first_micro_batch == wire.first_micro_batch() &&
         next.last_micro_batch == wire.last_micro_batch() &&
         next.split == wire.split() && next.writes.size() == wire.writes_size();
}

}  // namespace

absl::Status Restoration::Run() {
  CHECK(parts_.book.all().empty()) << "this comes first";
  if (recovered_.shares.has_value()) {
    parts_.share_recorder.Restore(*recovered_.shares, now_);
  }
  if (recovered_.drains.has_value()) {
    parts_.drains.Restore(*recovered_.drains);
  }
  RestoreSweeps();
  for (const auto& [id, job] : recovered_.jobs) {
    // Its sweep may be lost.
    parts_.intake.Restore(id);
    if (absl::Status restored = RestoreJob(id, job); !restored.ok()) {
      return restored;
    }
  }
  for (const auto& [id, job] : parts_.book.all()) {
    if (!job.ended()) parts_.quotas.NoteOpen(AccountOf(job));
    if (job.ended() && parts_.archive.NoteEnded(job.sweep)) {
      parts_.claims.ForgetSweep(job.sweep);
    }
  }
  RestoreWorkers();
  for (const auto& [id, hand_out] : recovered_.hand_outs) {
    if (absl::Status restored = RestoreHandOut(id, hand_out); !restored.ok()) {
      return restored;
    }
  }
  Resume();
  return absl::OkStatus();
}

void Restoration::RestoreSweeps() {
  for (const auto& [id, sweep] : recovered_.sweeps) {
    parts_.intake.Restore(id, sweep);
    // Of an old sweep, jobs.db alone knows the jobs.
    std::vector<JobId> jobs;
    for (uint64_t job : sweep.job_ids()) {
      if (recovered_.jobs.count(JobId(job)) != 0) jobs.push_back(JobId(job));
    }
    if (!jobs.empty()) parts_.book.Restore(id, std::move(jobs));
  }
}

void Restoration::RestoreWorkers() {
  for (const auto& [id, process] : recovered_.workers) {
    parts_.roster.Restore(id, process, now_ + parts_.options.lease);
  }
  for (WorkerRecord& worker : parts_.roster.all()) worker.missing_since = now_;
}

absl::Status Restoration::RestoreJob(JobId id, const RecoveredJob& recovered) {
  if (recovered.progress.has_ended_at()) {
    Job& ended = parts_.book.Restore(id) = EndedJobOf(id, recovered);
    ended.DropWorkingData();
    ended.KeepSummaryOnly();
    parts_.book.Touch(ended);
    return absl::OkStatus();
  }
  Job& job = parts_.book.Restore(id);
  SetSubmitted(id, recovered.submitted, job);
  job.submitted.model_config_json =
      parts_.models.Text(recovered.submitted.model_config_json());
  job.submitted.chat_template =
      parts_.models.Text(recovered.submitted.chat_template());
  absl::StatusOr<Shared<ModelTable>> table =
      parts_.models.MakeTable(job.submitted);
  if (!table.ok()) {
    // An earlier hydrad took it; the other jobs go on.
    if (recovered.pool.has_value()) {
      return Contradiction(id, table.status().message());
    }
    Move(job, v1::JOB_STATE_FAILED, std::string(table.status().message()));
    MoveTo(job, v1::JOB_PHASE_ENDED);
    job.ended_at = now_;
    parts_.book.NoteChange(job);
    return absl::OkStatus();
  }
  job.shape = MakeJobShape(job.submitted.spec, *std::move(table));
  job.admitted_at = now_;
  job.checkpointed_at = now_;
  job.step_ended_at = now_;
  job.steps.Assign(recovered.steps);
  job.evaluations = recovered.evaluations;
  job.checkpoints = recovered.checkpoints;
  if (recovered.progress.state() != v1::JOB_STATE_UNSPECIFIED) {
    SetProgress(recovered.progress, job);
  }
  parts_.book.Touch(job);
  if (recovered.pool.has_value()) return RestoreInPool(job, recovered);
  if (job.state() == v1::JOB_STATE_PAUSED ||
      job.state() == v1::JOB_STATE_PENDING ||
      job.state() == v1::JOB_STATE_RUNNING) {
    if (!recovered.checkpoints_missing.empty()) {
      job.hold_reason = absl::StrCat(
          "paused: ", recovered.checkpoints_missing,
          "; resume the job to try again, and else to go on without it");
      job.Hear(IntentEvent::kHoldBack);
    }
    const bool paused =
        job.state() == v1::JOB_STATE_PAUSED || job.intent == Intent::kHold;
    parts_.life.ResetToCheckpoint(
        job, paused ? v1::JOB_STATE_PAUSED : v1::JOB_STATE_PENDING);
  }
  return absl::OkStatus();
}

absl::Status Restoration::RestoreInPool(Job& job,
                                        const RecoveredJob& recovered) {
  if (job.splits.empty() || job.partition == nullptr) {
    return Contradiction(job.id, "it has no splits or no partition");
  }
  wv1::PrepareResult prepared;
  prepared.mutable_splits()->Assign(job.splits.begin(), job.splits.end());
  prepared.mutable_warnings()->Assign(job.prepare_warnings->begin(),
                                      job.prepare_warnings->end());
  parts_.claims.SetPrepared(job, std::move(prepared));
  parts_.start.SetPartition(job, *job.partition, job.partition_limit_bytes);
  const absl::StatusOr<ChainPlan> plan = PlanOf(job);
  if (!plan.ok()) return Contradiction(job.id, plan.status().message());
  job.plan = *plan;
  SetPoolJob(*recovered.pool, job);
  // In the rounds that its position counts in.
  job.demand = DemandOf(job.shape);
  parts_.start.BeginTimes(job);
  job.times->Restore(MeasuredOf(*recovered.pool));
  parts_.admission.Readmit(job.id, *job.demand, job.submitted.base_key);
  parts_.quotas.NoteAdmitted(job.id, AccountOf(job), job.demand->total_bytes());
  // Here they serve nothing; whether they are there is seen at the next start.
  job.checkpoints.Fresh().resize(job.checkpoints->size() -
                                 recovered.missing_checkpoints);
  for (const jv1::BlockRecord& record : recovered.blocks) {
    for (const auto& [key, version] : BlocksOf(record)) {
      if (Adopt(job, key, version)) continue;
      return Contradiction(
          job.id,
          absl::StrCat("the slot at ",
                       version.slot.has_value() ? version.slot->offset : -1,
                       " of ", version.size_bytes, " bytes is not free"));
    }
  }
  JoinBlockRecords(job, recovered);
  parts_.bases.Restore(job);
  RestorePhase(job, job.position.done() ? v1::JOB_PHASE_EVALUATE
                                        : ChainPhase(job.position));
  return absl::OkStatus();
}

// A frozen block's version may be that of other jobs' blocks, too.
bool Restoration::Adopt(const Job& job, const BlockKey& key,
                        const Version& version) {
  if (IsFrozen(*job.shape.table, key) && !frozen_.insert(version.id).second) {
    parts_.blocks.Share(version, job.id, key);
    return true;
  }
  return parts_.blocks.AdoptCurrent(job.id, key, version);
}

// A daemon of before wrote one for each micro-batch.
void Restoration::JoinBlockRecords(const Job& job,
                                   const RecoveredJob& recovered) {
  const auto* const blocks = parts_.blocks.BlocksOf(job.id);
  // Its first task is not committed.
  if (blocks == nullptr) return;
  const std::vector<jv1::BlockRecord> joined =
      ToRecords({blocks->begin(), blocks->end()});
  if (joined.size() == recovered.blocks.size()) return;
  for (const jv1::BlockRecord& record : recovered.blocks) {
    parts_.journal->BlockErased(job.id, BlockKeyOf(record));
  }
  for (const jv1::BlockRecord& record : joined) {
    parts_.journal->BlockChanged(job.id, record);
  }
}

// Its slots are the worker's until that says that it dropped the task or dies.
absl::Status Restoration::RestoreHandOut(TaskId id,
                                         const jv1::HandOut& hand_out) {
  const JobId job_id(hand_out.task().job_id());
  const auto recovered = recovered_.jobs.find(job_id);
  if (recovered == recovered_.jobs.end()) {
    return Contradiction(job_id,
                         "a task of it is handed out, and it is unknown");
  }
  Job& job = parts_.book.At(job_id);
  if (job.ended()) {
    return Contradiction(job_id, "a task of it is handed out after its end");
  }
  OutstandingTask task;
  task.id = id;
  task.worker = WorkerId(hand_out.worker_id());
  task.wire = hand_out.task();
  // The worker's hand is this daemon's first message to it, or what is left of
  // it: what it then does not hold, it has dropped.
  task.told_in = parts_.roster.At(task.worker).desired_sequence + 1;
  RestorePlace(recovered->second.progress, job, task);
  for (const wv1::BlockVersion& write : task.wire.writes()) {
    const Version version = VersionOf(write);
    if (!parts_.blocks.AdoptFresh(version)) {
      return Contradiction(
          job_id, absl::StrCat("the slot at ", write.offset_bytes(),
                               " of task ", id.value(), " is not free"));
    }
    task.made.emplace_back(BlockKeyOf(write), version);
  }
  parts_.queue.Dequeue(job_id);
  parts_.hands.Restore(job, std::move(task));
  return absl::OkStatus();
}

// What the task is in the job's chain, or before it.
void Restoration::RestorePlace(const jv1::JobProgress& progress, Job& job,
                               OutstandingTask& task) {
  const bool before_admission = task.wire.kind() == wv1::TASK_KIND_PREPARE ||
                                task.wire.kind() == wv1::TASK_KIND_PILOT;
  if (before_admission && job.state() == v1::JOB_STATE_PENDING) {
    RestoreState(job, v1::JOB_STATE_RUNNING, job.reason);
  }
  task.task.kind = task.wire.kind();
  if (task.wire.kind() == wv1::TASK_KIND_PREPARE) {
    parts_.claims.ClaimPrepare(job);
  } else if (task.wire.kind() == wv1::TASK_KIND_PILOT) {
    task.task.layers = {0, job.shape.table->layer_count()};
    RestorePhase(job, v1::JOB_PHASE_PILOT);
    job.splits.assign(progress.splits().begin(), progress.splits().end());
    parts_.claims.ClaimPilot(job, parts_.roster.At(task.worker).device);
  } else {
    task.task.step = task.wire.step();
    task.stray = !IsNextInChain(job, parts_.blocks, task.wire);
    task.withdrawing = task.stray;
    if (!task.stray) {
      task.position = job.NextPosition();
      task.task = NextTask(job, parts_.blocks);
    }
  }
  if (before_admission) parts_.book.NoteChange(job);
}

void Restoration::Resume() {
  for (auto& [id, job] : parts_.book.all()) {
    if (job.ended()) continue;
    if (job.state() == v1::JOB_STATE_RUNNING ||
        job.state() == v1::JOB_STATE_PENDING) {
      if (job.outstanding.empty()) parts_.life.Advance(job, now_);
    } else if (job.state() != v1::JOB_STATE_PAUSED) {
      // It was ending.
      Hands::Withdraw(job);
      if (job.outstanding.empty()) parts_.life.FinishEnding(job, now_);
    }
  }
}

}  // namespace hydra
