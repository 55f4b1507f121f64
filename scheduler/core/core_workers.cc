// The part of Core that takes what workers say: messages, reports, deaths.

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "scheduler/core/core.h"
#include "scheduler/core/records.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

// Of a job's log, for the reason of its failure.
constexpr int kLastLines = 3;
// The daemon itself stood still for so long: silence says nothing then.
constexpr absl::Duration kLongTick = absl::Seconds(2);

const char* SplitName(wv1::Split split) {
  return split == wv1::SPLIT_VALIDATION ? "validation" : "test";
}

std::string Describe(const wv1::TaskError& error) {
  std::string text(
      absl::StatusCodeToString(static_cast<absl::StatusCode>(error.code())));
  if (error.layer() >= 0) absl::StrAppend(&text, " in layer ", error.layer());
  return absl::StrCat(text, ": ", error.message());
}

// "BACKWARD"
std::string KindName(wv1::TaskKind kind) {
  return wv1::TaskKind_Name(kind).substr(sizeof("TASK_KIND"));
}

void AddCost(const wv1::TaskCost& cost, v1::JobTotals& totals) {
  totals.set_tasks(totals.tasks() + 1);
  totals.set_promoted_bytes(totals.promoted_bytes() + cost.promoted_bytes());
  totals.set_demoted_bytes(totals.demoted_bytes() + cost.demoted_bytes());
  totals.set_cached_bytes(totals.cached_bytes() + cost.cached_bytes());
  *totals.mutable_compute() =
      ToProto(FromProto(totals.compute()) + FromProto(cost.compute()));
}

}  // namespace

WorkerRecord& Core::WorkerOf(WorkerId worker) {
  CHECK(worker.value() >= 1 && worker.value() <= workers_.size());
  return workers_[worker.value() - 1];
}

void Core::WorkerStarted(WorkerId id,
                         const journal::v1::WorkerProcess& process) {
  WorkerRecord& worker = WorkerOf(id);
  journal_->WorkerStarted(id, process);
  worker.pid = process.pid();
  worker.blameless = false;
  worker.state = v1::WORKER_STATE_STARTING;
  // A new process counts from one again.
  worker.report_sequence = 0;
  worker.log_sequence = 0;
  worker.acknowledged.clear();
  worker.sent = {};
  worker.status.Clear();
}

void Core::WorkerReported(WorkerId id, const wv1::WorkerReport& report,
                          absl::Time now) {
  WorkerRecord& worker = WorkerOf(id);
  // Its process is dead or not announced yet; the next report says all again.
  if (worker.pid == 0 || report.sequence() <= worker.report_sequence) return;
  worker.report_sequence = report.sequence();
  worker.lease_until = now + options_.silence;
  if (!worker.ready()) {
    worker.state = v1::WORKER_STATE_READY;
    worker.attached_at = now;
    worker.must_send = true;
    worker.blameless = false;
  }
  worker.status = report.device();
  worker.acknowledged.clear();
  for (const wv1::TaskReport& task : report.reports()) {
    TakeReport(worker, task, now);
    worker.acknowledged.push_back(task.task_id());
  }
  TakeHeld(worker, report, now);
  TakeLogLines(worker, report);
  AdvanceWaiting(now);
  ContinueParking(now);
  Dispatch(now);
}

void Core::TakeReport(WorkerRecord& worker, const wv1::TaskReport& report,
                      absl::Time now) {
  auto in_hand = std::find_if(worker.hand.begin(), worker.hand.end(),
                              [&](const auto& held) {
                                return held.second.value() == report.task_id();
                              });
  // Recorded before: the acknowledgement was lost.
  if (in_hand == worker.hand.end()) return;
  Job& job = JobOf(in_hand->first);
  CHECK(!job.outstanding.empty() &&
        job.outstanding.front().id.value() == report.task_id())
      << "task " << report.task_id() << " was reported out of order";
  ++worker.finished_tasks;
  const bool ending =
      job.state != v1::JOB_STATE_RUNNING || job.outstanding.front().stray;
  const bool failed =
      report.has_error() || report.result_case() == report.RESULT_NOT_SET;
  if (!ending && !failed) {
    Commit(job, report, now);
  } else {
    FailTask(job, report, now);
  }
  AfterOutstandingChanged(job, now);
}

void Core::FailTask(Job& job, const wv1::TaskReport& report, absl::Time now) {
  OutstandingTask failed = std::move(job.outstanding.front());
  job.outstanding.pop_front();
  if (!job.outstanding.empty()) LeaveToNext(failed, job);
  Release(job, failed);
  if (job.state != v1::JOB_STATE_RUNNING || job.restart_requested ||
      failed.stray) {
    return;
  }
  const std::string reason = Describe(report.error());
  Log(job, "E", reason, now, &failed);
  // A checkpoint that is damaged or gone: the one before it may be whole.
  const auto code = static_cast<absl::StatusCode>(report.error().code());
  if (!failed.wire.restore_dir().empty() && !job.checkpoints.empty() &&
      (code == absl::StatusCode::kDataLoss ||
       code == absl::StatusCode::kNotFound)) {
    Log(job, "W",
        absl::StrCat("does not go on from ", failed.wire.restore_dir(),
                     ", which is damaged, but from the checkpoint before it"),
        now, &failed);
    const v1::CheckpointInfo damaged = job.checkpoints.back().info();
    job.checkpoints.pop_back();
    journal_->CheckpointErased(job.id, damaged);
    job.restart_requested = true;
    Withdraw(job);
    return;
  }
  EndJob(job, v1::JOB_STATE_FAILED,
         absl::StrCat(KindName(failed.task.kind), " of step ", failed.task.step,
                      ": ", reason),
         now);
}

void Core::Commit(Job& job, const wv1::TaskReport& report, absl::Time now) {
  const OutstandingTask done = std::move(job.outstanding.front());
  job.outstanding.pop_front();
  WorkerRecord& worker = WorkerOf(done.worker);
  worker.hand.erase(std::find(worker.hand.begin(), worker.hand.end(),
                              std::make_pair(job.id, done.id)));
  journal_->TaskEnded(done.id);
  for (const auto& [key, version] : done.made) {
    blocks_.Commit(job.id, key, version);
    journal_->BlockChanged(job.id, ToRecord(key, version));
  }
  for (const BlockKey& key : done.task.ends) {
    blocks_.End(job.id, key);
    journal_->BlockErased(job.id, key.kind, key.index, key.micro_batch);
  }
  job.crashes_in_a_row = 0;
  AddCost(report.cost(), job.totals);
  CommitResult(job, done, report, now);
  Touch(job);
}

void Core::CommitResult(Job& job, const OutstandingTask& done,
                        const wv1::TaskReport& report, absl::Time now) {
  switch (done.task.kind) {
    case wv1::TASK_KIND_PREPARE: {
      std::vector<wv1::PreparedSplit> splits(report.prepare().splits().begin(),
                                             report.prepare().splits().end());
      prepared_.Set(PrepareKey(job), splits);
      waiting_may_go_on_ = true;
      job.splits = std::move(splits);
      return;
    }
    case wv1::TASK_KIND_PILOT: {
      v1::Partition partition;
      *partition.mutable_cut_points() = report.pilot().cut_points();
      *partition.mutable_layers() = report.pilot().layers();
      partition.set_source("pilot");
      partitions_.Set(PilotKey(job), partition);
      waiting_may_go_on_ = true;
      effects_->StorePartition(PilotKey(job), partition);
      SetPartition(job, std::move(partition));
      return;
    }
    default:
      job.times->Observe(done.task, FromProto(report.cost().wall()));
      RecordPass(job, done, report.pass(), now);
      job.position = Next(job.shape, job.plan, *done.position);
      // While more of the chain is outstanding, nothing else notes it.
      if (!job.position.done()) job.phase = ChainPhase(job.position);
      journal_->PoolJobChanged(job.id, PoolJobOf(job));
      RecordNonfinite(job, done, report.pass(), now);
      if (!job.ended() && CompletesStep(job.shape, *done.position)) {
        MaybeBeginCheckpoint(job, now);
      }
  }
}

void Core::RecordPass(Job& job, const OutstandingTask& done,
                      const wv1::PassResult& result, absl::Time now) {
  if (done.task.kind == wv1::TASK_KIND_TURN) {
    v1::StepMetrics step;
    step.set_step(done.task.step);
    step.set_train_loss(result.loss_sum() / result.loss_tokens());
    *step.mutable_time() = ToProto(now);
    step.set_skipped_blocks(result.skipped_blocks_size());
    journal_->StepRecorded(job.id, step);
    job.steps.push_back(std::move(step));
  } else if (done.task.kind == wv1::TASK_KIND_BACKWARD &&
             result.skipped_blocks_size() > 0) {
    v1::StepMetrics& step = job.steps.back();
    step.set_skipped_blocks(step.skipped_blocks() +
                            result.skipped_blocks_size());
    journal_->StepRecorded(job.id, step);
  }
  if (done.task.kind != wv1::TASK_KIND_EVALUATE) return;
  job.eval_loss_sum += result.loss_sum();
  job.eval_tokens += result.loss_tokens();
  if (!CompletesEvaluation(job.shape, job.plan, *done.position)) return;
  v1::EvaluationMetrics metrics;
  metrics.set_step(done.task.step);
  metrics.set_split(SplitName(done.task.split));
  metrics.set_tokens(job.eval_tokens);
  metrics.set_loss(job.eval_loss_sum / job.eval_tokens);
  metrics.set_perplexity(std::exp(metrics.loss()));
  Log(job, "I",
      absl::StrCat("after step ", metrics.step(), ": ", metrics.split(),
                   " loss ", metrics.loss(), ", perplexity ",
                   metrics.perplexity(), " over ", metrics.tokens(), " tokens"),
      now, &done);
  journal_->EvaluationRecorded(job.id, metrics);
  for (journal::v1::CheckpointRecord& checkpoint : job.checkpoints) {
    if (checkpoint.info().step() != metrics.step() ||
        metrics.split() != "validation" || checkpoint.info().inside_step()) {
      continue;
    }
    checkpoint.mutable_info()->set_validation_loss(metrics.loss());
    journal_->CheckpointRecorded(job.id, checkpoint);
  }
  job.evaluations.push_back(std::move(metrics));
  job.eval_loss_sum = 0;
  job.eval_tokens = 0;
}

// The worker left the blocks as they were; the job's policy says how often that
// may be.
void Core::RecordNonfinite(Job& job, const OutstandingTask& done,
                           const wv1::PassResult& result, absl::Time now) {
  const int64_t step = done.task.step;
  const bool trains = done.task.kind == wv1::TASK_KIND_TURN ||
                      done.task.kind == wv1::TASK_KIND_BACKWARD;
  const bool bad = trains && (result.skipped_blocks_size() > 0 ||
                              !std::isfinite(result.loss_sum()));
  if (bad && job.last_nonfinite_step != step) {
    job.last_nonfinite_step = step;
    ++job.nonfinite_in_a_row;
    job.totals.set_nonfinite_steps(job.totals.nonfinite_steps() + 1);
    const int most = job.submitted.spec.train().max_nonfinite_steps();
    const std::string what =
        absl::StrCat("step ", step, ": the loss or the gradient of ",
                     result.skipped_blocks_size(),
                     " parameter blocks is infinite or no ", "number; layers [",
                     done.task.layers.first, ", ", done.task.layers.last, ")");
    if (job.nonfinite_in_a_row > most) {
      EndJob(job, v1::JOB_STATE_FAILED,
             absl::StrCat("NONFINITE: ", what, "; step number ",
                          job.nonfinite_in_a_row,
                          " in a row, train.max_nonfinite_steps is ", most),
             now);
      return;
    }
    Log(job, "W", what, now, &done);
    journal_->PoolJobChanged(job.id, PoolJobOf(job));
  }
  if (CompletesStep(job.shape, *done.position) &&
      job.last_nonfinite_step != step && job.nonfinite_in_a_row > 0) {
    job.nonfinite_in_a_row = 0;
    journal_->PoolJobChanged(job.id, PoolJobOf(job));
  }
}

void Core::TakeHeld(WorkerRecord& worker, const wv1::WorkerReport& report,
                    absl::Time now) {
  absl::flat_hash_map<uint64_t, const wv1::HeldTask*> held;
  for (const wv1::HeldTask& task : report.held()) {
    held[task.task_id()] = &task;
  }
  const std::deque<std::pair<JobId, TaskId>> hand = worker.hand;
  for (const auto& [job_id, task_id] : hand) {
    Job& job = JobOf(job_id);
    for (size_t i = 0; i < job.outstanding.size(); ++i) {
      OutstandingTask& task = job.outstanding[i];
      if (task.id != task_id) continue;
      auto found = held.find(task_id.value());
      if (found != held.end()) {
        const wv1::HeldTask& said = *found->second;
        if (said.begun() && !task.begun) {
          task.begun_at = now - FromProto(said.running());
        }
        task.begun = task.begun || said.begun();
        // A begun task of a job that goes on is not withdrawn after all.
        if (task.begun && job.state == v1::JOB_STATE_RUNNING && !task.stray) {
          task.withdrawing = false;
        }
      } else if (task.told_in > 0 &&
                 report.desired_sequence() >= task.told_in) {
        // It was told, and is neither held nor reported: it was dropped.
        Abandon(job, i);
        AfterOutstandingChanged(job, now);
      }
      break;
    }
  }
}

void Core::TakeLogLines(WorkerRecord& worker, const wv1::WorkerReport& report) {
  for (const wv1::JobLogLine& line : report.log_lines()) {
    if (line.sequence() <= worker.log_sequence) continue;
    worker.log_sequence = line.sequence();
    const JobId job(line.job_id());
    if (FindJob(job) == nullptr) continue;
    if (line.dropped_before() > 0) {
      effects_->LogLinesDropped(job, line.dropped_before());
    }
    v1::LogLine kept;
    *kept.mutable_time() = line.time();
    kept.set_severity(line.severity());
    kept.set_source(worker.device.name);
    kept.set_step(line.step());
    kept.set_task_id(line.task_id());
    kept.set_text(line.text());
    std::deque<std::string>& last = JobOf(job).last_lines;
    last.push_back(line.text());
    if (last.size() > kLastLines) last.pop_front();
    effects_->LogForJob(job, kept);
  }
}

// The worker may be running the task after it, and read what this one made: so
// that one holds its slots from now on.
void Core::LeaveToNext(OutstandingTask& task, Job& job) {
  OutstandingTask& next = job.outstanding.front();
  for (const auto& [key, version] : std::exchange(task.made, {})) {
    next.made.emplace_back(key, version);
    FillVersion(key, version, *next.wire.add_writes());
  }
  journal_->TaskHandedOut(next.worker, next.wire);
}

void Core::Release(const Job& job, const OutstandingTask& task) {
  WorkerRecord& worker = WorkerOf(task.worker);
  worker.hand.erase(std::find(worker.hand.begin(), worker.hand.end(),
                              std::make_pair(job.id, task.id)));
  for (const auto& [key, version] : task.made) blocks_.Discard(version);
  journal_->TaskEnded(task.id);
}

void Core::Abandon(Job& job, size_t first) {
  while (job.outstanding.size() > first) {
    Release(job, job.outstanding.back());
    job.outstanding.pop_back();
  }
}

void Core::AfterOutstandingChanged(Job& job, absl::Time now) {
  if (!job.outstanding.empty() || job.ended()) return;
  const bool going_on =
      job.state == v1::JOB_STATE_RUNNING || job.state == v1::JOB_STATE_PENDING;
  if (going_on && job.restart_requested) {
    RestartFromCheckpoint(job, now);
  } else if (going_on) {
    Advance(job, now);
  } else {
    FinishEnding(job, now);
  }
}

void Core::WorkerStreamEnded(WorkerId id, absl::Time now) {
  WorkerRecord& worker = WorkerOf(id);
  if (!worker.ready()) return;
  worker.state = v1::WORKER_STATE_STARTING;
  worker.lease_until = now + options_.lease;
}

void Core::Tick(absl::Time now) {
  const bool stood_still = now - last_tick_ > kLongTick;
  last_tick_ = now;
  for (WorkerRecord& worker : workers_) {
    if (stood_still && worker.lease_until < now + options_.lease) {
      worker.lease_until = now + options_.lease;
    }
    if (now >= worker.lease_until) {
      worker.lease_until = absl::InfiniteFuture();
      worker.blameless = true;
      effects_->KillWorker(worker.id, "it was silent for too long");
    }
    KillStuckTask(worker, now);
  }
  ForgetOldSweeps();
  const std::vector<JobId> unsaved(save_again_.begin(), save_again_.end());
  for (JobId id : unsaved) {
    if (now >= JobOf(id).save_again_at) BeginSaving(JobOf(id), now);
  }
}

absl::Duration Core::LongestTime(const Job& job,
                                 const OutstandingTask& task) const {
  const bool measured = job.times.has_value() && task.position.has_value() &&
                        task.task.kind != wv1::TASK_KIND_INIT;
  if (!measured) return options_.watchdog_unmeasured;
  return std::max(options_.watchdog_floor,
                  options_.watchdog_factor * job.times->Estimate(task.task));
}

void Core::KillStuckTask(WorkerRecord& worker, absl::Time now) {
  if (!worker.ready()) return;
  // Any of its hand may be the begun one, after a restart of the daemon.
  for (const auto& [job_id, task_id] : worker.hand) {
    Job& job = JobOf(job_id);
    OutstandingTask& task = job.outstanding.front();
    if (task.id != task_id || !task.begun ||
        now - task.begun_at < LongestTime(job, task)) {
      continue;
    }
    Log(job, "W",
        absl::StrCat("a task has run for ",
                     absl::FormatDuration(now - task.begun_at),
                     ", and should be done after ",
                     absl::FormatDuration(LongestTime(job, task)),
                     "; its worker is killed"),
        now, &task);
    // Once: the next one is another process.
    task.begun_at = absl::InfiniteFuture();
    effects_->KillWorker(worker.id, "its task takes too long");
  }
}

std::string Core::PoisonReason(const Job& job, const OutstandingTask& task,
                               absl::string_view how) const {
  std::string reason = absl::StrCat(
      "POISON: its tasks killed a worker ", job.crashes_in_a_row,
      " times in a row, the last time ", KindName(task.task.kind), " of step ",
      task.task.step, ", layers [", task.task.layers.first, ", ",
      task.task.layers.last, "); the worker: ", how);
  if (!job.last_lines.empty()) {
    absl::StrAppend(&reason, "; the job's last lines: ",
                    absl::StrJoin(job.last_lines, " | "));
  }
  return reason;
}

void Core::WorkerDied(WorkerId id, absl::string_view how, absl::Time now) {
  WorkerRecord& worker = WorkerOf(id);
  const bool blameless = worker.blameless;
  journal_->WorkerEnded(id);
  worker.state = v1::WORKER_STATE_RESTARTING;
  worker.lease_until = absl::InfiniteFuture();
  worker.pid = 0;
  ++worker.restarts;
  bool first_task_seen = false;
  while (!worker.hand.empty()) {
    Job& job = JobOf(worker.hand.front().first);
    const OutstandingTask task = job.outstanding.front();
    // Its word that it had begun its first task may not have reached us.
    const bool begun = task.begun || !first_task_seen;
    first_task_seen = true;
    job.totals.set_retried_tasks(job.totals.retried_tasks() + (begun ? 1 : 0));
    if (begun && !blameless) ++job.crashes_in_a_row;
    Log(job, "W",
        absl::StrCat("worker ", worker.device.name, " died (", how, "); ",
                     begun ? "the task it ran runs again"
                           : "the task it held goes elsewhere"),
        now, &task);
    Abandon(job, 0);
    if (job.in_chain()) journal_->PoolJobChanged(job.id, PoolJobOf(job));
    const bool poison = job.crashes_in_a_row >= options_.poison_crashes;
    if (poison && job.state == v1::JOB_STATE_RUNNING) {
      EndJob(job, v1::JOB_STATE_FAILED, PoisonReason(job, task, how), now);
    } else {
      AfterOutstandingChanged(job, now);
    }
  }
  AdvanceWaiting(now);
  ContinueParking(now);
  Dispatch(now);
}

std::vector<v1::WorkerStatus> Core::Workers(absl::Time now) const {
  std::vector<v1::WorkerStatus> statuses;
  for (const WorkerRecord& worker : workers_) {
    v1::WorkerStatus status;
    status.set_device(worker.device.name);
    status.set_state(worker.state);
    status.set_pid(worker.pid);
    status.set_memory_limit_bytes(worker.device.memory_limit_bytes);
    status.set_peak_bytes(worker.status.peak_bytes());
    status.set_outside_bytes(worker.status.outside_bytes());
    status.set_threads(worker.device.threads);
    status.set_held_tasks(worker.hand.size());
    status.set_finished_tasks(worker.finished_tasks);
    status.set_restarts(worker.restarts);
    *status.mutable_busy() = worker.status.busy();
    *status.mutable_compute_cpu() = worker.status.compute_cpu();
    if (worker.ready()) {
      *status.mutable_attached() = ToProto(now - worker.attached_at);
    }
    for (const auto& [job_id, task_id] : worker.hand) {
      for (const OutstandingTask& task : jobs_.at(job_id).outstanding) {
        if (task.id != task_id || !task.begun) continue;
        status.set_task(
            absl::StrCat(JobName(job_id), " ", KindName(task.task.kind),
                         " shard ", task.task.shard, " step ", task.task.step));
        status.set_held_tasks(status.held_tasks() - 1);
      }
    }
    statuses.push_back(std::move(status));
  }
  return statuses;
}

void Core::StopWorkers() {
  stopping_ = true;
  for (WorkerRecord& worker : workers_) SendDesired(worker);
}

}  // namespace hydra
