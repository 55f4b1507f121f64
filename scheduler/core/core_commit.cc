// The part of Core that takes in what a finished task made and measured.

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/proto_time.h"
#include "scheduler/core/core.h"
#include "scheduler/core/records.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

const char* SplitName(wv1::Split split) {
  return split == wv1::SPLIT_VALIDATION ? "validation" : "test";
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

void Core::Commit(Job& job, const wv1::TaskReport& report, absl::Time now) {
  const OutstandingTask done = std::move(job.outstanding.front());
  job.outstanding.erase(job.outstanding.begin());
  WorkerRecord& worker = WorkerOf(done.worker);
  worker.hand.erase(std::find(worker.hand.begin(), worker.hand.end(),
                              std::make_pair(job.id, done.id)));
  journal_->TaskEnded(done.id);
  for (const auto& [key, version] : done.made) {
    blocks_.Commit(job.id, key, version);
  }
  for (const journal::v1::BlockRecord& record : ToRecords(done.made)) {
    journal_->BlockChanged(job.id, record);
  }
  // A task ends a boundary as a whole: its record is that of its first block.
  for (const BlockKey& key : done.task.ends) {
    blocks_.End(job.id, key);
    if (key.micro_batch > 0) continue;
    journal_->BlockErased(job.id, key.kind, key.index, key.micro_batch);
  }
  worker.deaths.clear();
  worker.quarantines = 0;
  job.crashes_in_a_row = 0;
  job.crashed_on.clear();
  job.failures_in_a_row = 0;
  job.rests_until = absl::InfinitePast();
  AddCost(report.cost(), job.totals);
  CommitResult(job, done, report, now);
  Touch(job);
}

void Core::CommitResult(Job& job, const OutstandingTask& done,
                        const wv1::TaskReport& report, absl::Time now) {
  switch (done.task.kind) {
    case wv1::TASK_KIND_PREPARE:
      prepared_[job.sweep].Set(PrepareKey(job), report.prepare());
      waiting_.Wake(PrepareWait(job));
      TakePrepared(job, report.prepare(), now);
      return;
    case wv1::TASK_KIND_PILOT: {
      v1::Partition partition;
      *partition.mutable_cut_points() = report.pilot().cut_points();
      *partition.mutable_layers() = report.pilot().layers();
      partition.set_source("pilot");
      const DeviceOptions& device = WorkerOf(done.worker).device;
      const std::string key = PilotKey(job, device);
      partitions_.Abandon(job.pilot_claim, job.id);
      partitions_.Set(key, partition);
      waiting_.Wake(kPilotWait);
      Do(FoundPartition{key, partition});
      SetPartition(job, std::move(partition), device.memory_limit_bytes);
      return;
    }
    default:
      job.times->Observe(done.task, FromProto(report.cost().wall()));
      RecordPass(job, done, report.pass(), now);
      job.position = Next(job.shape, job.plan, *done.position);
      // While more of the chain is outstanding, nothing else notes it.
      if (!job.position.done()) job.phase = ChainPhase(job.position);
      RecordNonfinite(job, done, report.pass(), now);
      if (!job.ended()) journal_->PoolJobChanged(job.id, PoolJobOf(job));
      if (job.state == v1::JOB_STATE_RUNNING &&
          CompletesStep(job.shape, *done.position)) {
        MaybeBeginCheckpoint(job, now);
      }
  }
}

void Core::AddStep(Job& job, const v1::StepMetrics& step) {
  journal_->StepRecorded(job.id, step);
  job.steps.Add(step, journal_->next_sequence(), journal_->recorded());
}

void Core::RecordPass(Job& job, const OutstandingTask& done,
                      const wv1::PassResult& result, absl::Time now) {
  if (done.task.kind == wv1::TASK_KIND_TURN) {
    v1::StepMetrics step;
    step.set_step(done.task.step);
    step.set_train_loss(result.loss_sum() / result.loss_tokens());
    *step.mutable_time() = ToProto(now);
    step.set_skipped_blocks(result.skipped_blocks_size());
    AddStep(job, step);
  } else if (done.task.kind == wv1::TASK_KIND_BACKWARD &&
             result.skipped_blocks_size() > 0 && !job.steps.empty()) {
    v1::StepMetrics step = job.steps.back();
    step.set_skipped_blocks(step.skipped_blocks() +
                            result.skipped_blocks_size());
    AddStep(job, step);
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
  }
  if (CompletesStep(job.shape, *done.position) &&
      job.last_nonfinite_step != step) {
    job.nonfinite_in_a_row = 0;
  }
}

}  // namespace hydra
