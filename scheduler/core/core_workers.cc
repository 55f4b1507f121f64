// The part of Core that takes what workers say: messages, reports, deaths.

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "scheduler/core/core.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

const char* SplitName(wv1::Split split) {
  return split == wv1::SPLIT_VALIDATION ? "validation" : "test";
}

std::string Describe(const wv1::TaskError& error) {
  std::string text(
      absl::StatusCodeToString(static_cast<absl::StatusCode>(error.code())));
  if (error.layer() >= 0) absl::StrAppend(&text, " in layer ", error.layer());
  return absl::StrCat(text, ": ", error.message());
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

void Core::WorkerStarted(WorkerId id, int64_t pid) {
  WorkerRecord& worker = WorkerOf(id);
  worker.pid = pid;
  worker.state = v1::WORKER_STATE_STARTING;
  // A new process counts from one again.
  worker.report_sequence = 0;
  worker.log_sequence = 0;
  worker.acknowledged.clear();
  worker.desired_sequence = 0;
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
  const bool ending = job.state != v1::JOB_STATE_RUNNING;
  const bool failed =
      report.has_error() || report.result_case() == report.RESULT_NOT_SET;
  if (!ending && !failed) {
    Commit(job, report, now);
  } else {
    if (!ending) {
      Log(job, "E", Describe(report.error()), now, &job.outstanding.front());
    }
    const std::string reason = Describe(report.error());
    const std::string task =
        absl::StrCat(wv1::TaskKind_Name(job.outstanding.front().task.kind)
                         .substr(sizeof("TASK_KIND")),
                     " of step ", job.outstanding.front().task.step, ": ");
    Release(job, job.outstanding.front());
    job.outstanding.pop_front();
    if (!ending) {
      EndJob(job, v1::JOB_STATE_FAILED, absl::StrCat(task, reason), now);
      return;
    }
  }
  AfterOutstandingChanged(job, now);
}

void Core::Commit(Job& job, const wv1::TaskReport& report, absl::Time now) {
  const OutstandingTask done = std::move(job.outstanding.front());
  job.outstanding.pop_front();
  WorkerRecord& worker = WorkerOf(done.worker);
  worker.hand.erase(std::find(worker.hand.begin(), worker.hand.end(),
                              std::make_pair(job.id, done.id)));
  journal_->TaskCommitted(report);
  for (const auto& [key, version] : done.made) {
    blocks_.Commit(job.id, key, version);
  }
  for (const BlockKey& key : done.task.ends) blocks_.End(job.id, key);
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
  }
}

void Core::RecordPass(Job& job, const OutstandingTask& done,
                      const wv1::PassResult& result, absl::Time now) {
  if (done.task.kind == wv1::TASK_KIND_TURN) {
    v1::StepMetrics step;
    step.set_step(done.task.step);
    step.set_train_loss(result.loss_sum() / result.loss_tokens());
    *step.mutable_time() = ToProto(now);
    job.steps.push_back(std::move(step));
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
  job.evaluations.push_back(std::move(metrics));
  job.eval_loss_sum = 0;
  job.eval_tokens = 0;
}

void Core::TakeHeld(WorkerRecord& worker, const wv1::WorkerReport& report,
                    absl::Time now) {
  absl::flat_hash_map<uint64_t, bool> held;
  for (const wv1::HeldTask& task : report.held()) {
    held[task.task_id()] = task.begun();
  }
  const std::deque<std::pair<JobId, TaskId>> hand = worker.hand;
  for (const auto& [job_id, task_id] : hand) {
    Job& job = JobOf(job_id);
    for (size_t i = 0; i < job.outstanding.size(); ++i) {
      OutstandingTask& task = job.outstanding[i];
      if (task.id != task_id) continue;
      auto found = held.find(task_id.value());
      if (found != held.end()) {
        task.begun = task.begun || found->second;
        // A begun task of a job that goes on is not withdrawn after all.
        if (task.begun && job.state == v1::JOB_STATE_RUNNING) {
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
    effects_->LogForJob(job, kept);
  }
}

void Core::Release(const Job& job, const OutstandingTask& task) {
  WorkerRecord& worker = WorkerOf(task.worker);
  worker.hand.erase(std::find(worker.hand.begin(), worker.hand.end(),
                              std::make_pair(job.id, task.id)));
  for (const auto& [key, version] : task.made) blocks_.Discard(version);
  journal_->TaskAbandoned(task.id);
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
  if (going_on) {
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
  for (WorkerRecord& worker : workers_) {
    if (now < worker.lease_until) continue;
    worker.lease_until = absl::InfiniteFuture();
    effects_->KillWorker(worker.id, "it was silent for too long");
  }
}

void Core::WorkerDied(WorkerId id, absl::Time now) {
  WorkerRecord& worker = WorkerOf(id);
  worker.state = v1::WORKER_STATE_RESTARTING;
  worker.lease_until = absl::InfiniteFuture();
  worker.pid = 0;
  ++worker.restarts;
  bool first_task_seen = false;
  while (!worker.hand.empty()) {
    Job& job = JobOf(worker.hand.front().first);
    // Its word that it had begun its first task may not have reached us.
    const bool begun = job.outstanding.front().begun || !first_task_seen;
    first_task_seen = true;
    job.totals.set_retried_tasks(job.totals.retried_tasks() + (begun ? 1 : 0));
    if (begun) ++job.crashes_in_a_row;
    Log(job, "W",
        absl::StrCat("worker ", worker.device.name, " died; ",
                     begun ? "the task it ran runs again"
                           : "the task it held goes elsewhere"),
        now, &job.outstanding.front());
    Abandon(job, 0);
    const bool poison = job.crashes_in_a_row >= options_.poison_crashes;
    if (poison && job.state == v1::JOB_STATE_RUNNING) {
      EndJob(job, v1::JOB_STATE_FAILED,
             absl::StrCat("POISON: its tasks killed a worker ",
                          job.crashes_in_a_row, " times in a row"),
             now);
    } else {
      AfterOutstandingChanged(job, now);
    }
  }
  AdvanceWaiting(now);
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
        status.set_task(absl::StrCat(
            JobName(job_id), " ",
            wv1::TaskKind_Name(task.task.kind).substr(sizeof("TASK_KIND")),
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
