// The part of Core that goes on where an earlier daemon was.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "scheduler/core/core.h"
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
bool IsNextInChain(const Job& job, const wv1::Task& wire) {
  const bool follows =
      job.state == v1::JOB_STATE_RUNNING && job.in_chain() &&
      (job.outstanding.empty() || !job.outstanding.back().stray) &&
      !job.NextPosition().done();
  if (!follows) return false;
  const ChainTask next = TaskAt(job.shape, job.plan, job.NextPosition());
  return next.kind == wire.kind() && next.step == wire.step() &&
         next.shard == wire.shard() &&
         next.first_micro_batch == wire.first_micro_batch() &&
         next.last_micro_batch == wire.last_micro_batch() &&
         next.split == wire.split() && next.writes.size() == wire.writes_size();
}

RequestKey KeyOf(const journal::v1::SweepRecord& sweep) {
  RequestKey key{sweep.request_id(), sweep.request_digest(), std::nullopt};
  if (sweep.has_caller_user()) key.caller = Caller{sweep.caller_user()};
  return key;
}

}  // namespace

absl::Status Core::Restore(const Recovered& recovered, absl::Time now) {
  CHECK(jobs_.empty()) << "Restore comes first";
  for (const auto& [id, sweep] : recovered.sweeps) {
    next_sweep_ = std::max(next_sweep_, id.value() + 1);
    // Of an old sweep, jobs.db alone knows the jobs.
    for (uint64_t job : sweep.job_ids()) {
      next_job_ = std::max(next_job_, job + 1);
      if (recovered.jobs.contains(JobId(job))) {
        sweeps_[id].jobs.push_back(JobId(job));
        ++sweeps_[id].open_jobs;
      }
    }
    requests_.Add(KeyOf(sweep), {id, 0, sweep.request_digest()});
  }
  for (const auto& [id, job] : recovered.jobs) {
    // Its sweep may be lost.
    next_job_ = std::max(next_job_, id.value() + 1);
    if (absl::Status restored = RestoreJob(id, job, now); !restored.ok()) {
      return restored;
    }
  }
  for (const auto& [id, job] : jobs_) {
    if (job.ended()) NoteEnded(job.sweep);
  }
  for (const auto& [id, process] : recovered.workers) {
    WorkerRecord& worker = WorkerOf(id);
    worker.pid = process.pid();
    worker.session = process.session();
    worker.blameless = true;
    worker.has_called = true;
    worker.lease_until = now + options_.lease;
  }
  for (WorkerRecord& worker : workers_) worker.missing_since = now;
  for (const auto& [id, hand_out] : recovered.hand_outs) {
    const auto job = recovered.jobs.find(JobId(hand_out.task().job_id()));
    if (job == recovered.jobs.end()) {
      return Contradiction(JobId(hand_out.task().job_id()),
                           "a task of it is handed out, and it is unknown");
    }
    if (absl::Status restored = RestoreHandOut(id, hand_out, job->second);
        !restored.ok()) {
      return restored;
    }
  }
  for (auto& [id, job] : jobs_) {
    if (job.ended()) continue;
    if (job.state == v1::JOB_STATE_RUNNING ||
        job.state == v1::JOB_STATE_PENDING) {
      if (job.outstanding.empty()) Advance(job, now);
    } else if (job.state != v1::JOB_STATE_PAUSED) {
      // It was ending.
      Withdraw(job);
      if (job.outstanding.empty()) FinishEnding(job, now);
    }
  }
  AdvanceWaiting(now);
  Dispatch(now);
  return absl::OkStatus();
}

absl::StatusOr<Shared<ModelTable>> Core::SharedTable(const NewJob& job) {
  absl::Status status;
  auto table =
      tables_.Get(TableContent(job.spec, *job.model_config_json),
                  [&]() -> std::shared_ptr<const ModelTable> {
                    absl::StatusOr<ModelTable> made =
                        TableOf(job.spec, *job.model_config_json);
                    status = made.status();
                    if (!made.ok()) return nullptr;
                    return std::make_shared<const ModelTable>(*std::move(made));
                  });
  if (!status.ok()) return status;
  return Shared<ModelTable>(std::move(table));
}

absl::Status Core::RestoreJob(JobId id, const RecoveredJob& recovered,
                              absl::Time now) {
  if (recovered.progress.has_ended_at()) {
    Job& ended = jobs_[id] = EndedJobOf(id, recovered);
    ended.DropWorkingData();
    ended.KeepSummaryOnly();
    Touch(ended);
    return absl::OkStatus();
  }
  Job& job = jobs_[id];
  SetSubmitted(id, recovered.submitted, job);
  job.submitted.model_config_json =
      SharedText(recovered.submitted.model_config_json());
  absl::StatusOr<Shared<ModelTable>> table = SharedTable(job.submitted);
  if (!table.ok()) {
    // An earlier hydrad took it; the other jobs go on.
    if (recovered.pool.has_value()) {
      return Contradiction(id, table.status().message());
    }
    job.state = v1::JOB_STATE_FAILED;
    job.reason = std::string(table.status().message());
    job.phase = v1::JOB_PHASE_ENDED;
    job.ended_at = now;
    NoteChange(job);
    return absl::OkStatus();
  }
  job.shape = MakeJobShape(job.submitted.spec, *std::move(table));
  job.checkpointed_at = now;
  job.step_ended_at = now;
  job.steps.Assign(recovered.steps);
  job.evaluations = recovered.evaluations;
  job.checkpoints = recovered.checkpoints;
  if (recovered.progress.state() != v1::JOB_STATE_UNSPECIFIED) {
    SetProgress(recovered.progress, job);
  }
  Touch(job);
  if (recovered.pool.has_value()) return RestoreInPool(job, recovered);
  if (job.state == v1::JOB_STATE_PAUSED || job.state == v1::JOB_STATE_PENDING ||
      job.state == v1::JOB_STATE_RUNNING) {
    if (!recovered.checkpoints_missing.empty()) {
      job.hold_reason = absl::StrCat(
          "paused: ", recovered.checkpoints_missing,
          "; resume the job to try again, and else to go on without it");
    }
    const bool paused =
        job.state == v1::JOB_STATE_PAUSED || !job.hold_reason.empty();
    ResetToCheckpoint(job,
                      paused ? v1::JOB_STATE_PAUSED : v1::JOB_STATE_PENDING);
  }
  return absl::OkStatus();
}

absl::Status Core::RestoreInPool(Job& job, const RecoveredJob& recovered) {
  if (job.splits.empty() || job.partition == nullptr) {
    return Contradiction(job.id, "it has no splits or no partition");
  }
  wv1::PrepareResult prepared;
  prepared.mutable_splits()->Assign(job.splits.begin(), job.splits.end());
  prepared.mutable_warnings()->Assign(job.prepare_warnings.begin(),
                                      job.prepare_warnings.end());
  prepared_[job.sweep].Set(PrepareKey(job), std::move(prepared));
  SetPartition(job, *job.partition, job.partition_limit_bytes);
  const absl::StatusOr<ChainPlan> plan = PlanOf(job);
  if (!plan.ok()) return Contradiction(job.id, plan.status().message());
  job.plan = *plan;
  SetPoolJob(*recovered.pool, job);
  BeginTimes(job);
  job.times->Restore(MeasuredOf(*recovered.pool));
  admission_.Readmit(job.id, *job.demand);
  // Here they serve nothing; whether they are there is seen at the next start.
  job.checkpoints.resize(job.checkpoints.size() -
                         recovered.missing_checkpoints);
  bool one_record_each = false;
  for (const jv1::BlockRecord& record : recovered.blocks) {
    one_record_each = one_record_each || record.micro_batch() > 0;
    for (const auto& [key, version] : BlocksOf(record)) {
      if (blocks_.AdoptCurrent(job.id, key, version)) continue;
      return Contradiction(
          job.id,
          absl::StrCat("the slot at ",
                       version.slot.has_value() ? version.slot->offset : -1,
                       " of ", version.size_bytes, " bytes is not free"));
    }
  }
  if (one_record_each) JoinBlockRecords(job, recovered);
  job.phase =
      job.position.done() ? v1::JOB_PHASE_EVALUATE : ChainPhase(job.position);
  return absl::OkStatus();
}

// A daemon of before wrote one for each micro-batch.
void Core::JoinBlockRecords(const Job& job, const RecoveredJob& recovered) {
  for (const jv1::BlockRecord& record : recovered.blocks) {
    if (record.micro_batch() == 0) continue;
    journal_->BlockErased(job.id, record.kind(), record.index(),
                          record.micro_batch());
  }
  const auto& blocks = *blocks_.BlocksOf(job.id);
  for (const jv1::BlockRecord& record :
       ToRecords({blocks.begin(), blocks.end()})) {
    journal_->BlockChanged(job.id, record);
  }
}

// Its slots are the worker's until that says that it dropped the task or dies.
absl::Status Core::RestoreHandOut(TaskId id, const jv1::HandOut& hand_out,
                                  const RecoveredJob& recovered) {
  const JobId job_id(hand_out.task().job_id());
  Job& job = JobOf(job_id);
  if (job.ended()) {
    return Contradiction(job_id, "a task of it is handed out after its end");
  }
  OutstandingTask task;
  task.id = id;
  task.worker = WorkerId(hand_out.worker_id());
  task.wire = hand_out.task();
  // The worker's hand is this daemon's first message to it, or what is left of
  // it: what it then does not hold, it has dropped.
  task.told_in = WorkerOf(task.worker).desired_sequence + 1;
  const bool before_admission = task.wire.kind() == wv1::TASK_KIND_PREPARE ||
                                task.wire.kind() == wv1::TASK_KIND_PILOT;
  if (before_admission && job.state == v1::JOB_STATE_PENDING) {
    job.state = v1::JOB_STATE_RUNNING;
  }
  task.task.kind = task.wire.kind();
  if (task.wire.kind() == wv1::TASK_KIND_PREPARE) {
    prepared_[job.sweep].Claim(PrepareKey(job), job_id);
  } else if (task.wire.kind() == wv1::TASK_KIND_PILOT) {
    task.task.layers = {0, job.shape.table->layer_count()};
    job.phase = v1::JOB_PHASE_PILOT;
    job.splits.assign(recovered.progress.splits().begin(),
                      recovered.progress.splits().end());
    job.pilot_claim = PilotKey(job, WorkerOf(task.worker).device);
    partitions_.Claim(job.pilot_claim, job_id);
  } else {
    task.task.step = task.wire.step();
    task.stray = !IsNextInChain(job, task.wire);
    task.withdrawing = task.stray;
    if (!task.stray) {
      task.position = job.NextPosition();
      task.task = TaskAt(job.shape, job.plan, *task.position);
    }
  }
  if (before_admission) NoteChange(job);
  for (const wv1::BlockVersion& write : task.wire.writes()) {
    const Version version = VersionOf(write);
    if (!blocks_.AdoptFresh(version)) {
      return Contradiction(
          job_id, absl::StrCat("the slot at ", write.offset_bytes(),
                               " of task ", id.value(), " is not free"));
    }
    task.made.emplace_back(
        BlockKey{write.kind(), write.index(), write.micro_batch()}, version);
  }
  policy_->Remove(job_id);
  WorkerOf(task.worker).hand.emplace_back(job_id, id);
  job.outstanding.push_back(std::move(task));
  return absl::OkStatus();
}

}  // namespace hydra
