#include "scheduler/core/task_results.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/chain/split.h"
#include "common/model/loss_scale.h"
#include "common/status/proto_time.h"
#include "scheduler/core/early_stopping.h"
#include "scheduler/core/job_move.h"
#include "scheduler/core/records.h"
#include "scheduler/core/remedy.h"
#include "scheduler/core/report_check.h"
#include "scheduler/core/step_cost.h"
#include "scheduler/core/task_cost.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

std::string Describe(const wv1::TaskError& error) {
  std::string text(
      absl::StatusCodeToString(static_cast<absl::StatusCode>(error.code())));
  if (error.layer() >= 0) absl::StrAppend(&text, " in layer ", error.layer());
  return absl::StrCat(text, ": ", error.message());
}

// Of a TURN, in the order in which one round of all micro-batches adds them.
void AddLoss(const ChainTask& turn, const wv1::PassResult& result,
             checkpoint::v1::StepLoss& sum) {
  if (turn.first_micro_batch == 0) sum.Clear();
  for (double loss : result.batch_loss_sums()) sum.set_sum(sum.sum() + loss);
  // A worker of an earlier version, which runs steps of one round alone.
  if (result.batch_loss_sums().empty()) sum.set_sum(result.loss_sum());
  sum.set_tokens(sum.tokens() + result.loss_tokens());
}

// An UPDATE's: its step updates nothing.
bool FoundNoNorm(const wv1::PassResult& result) {
  return result.has_grad_norm() && !std::isfinite(result.grad_norm());
}

// Of a task with a loss or gradient that is not finite: its step updates
// nothing, and the loss's scale shrinks if it can.
bool Overflows(const Job& job, const OutstandingTask& done,
               const wv1::PassResult& result) {
  return job.shape.scales_loss &&
         (done.task.kind != wv1::TASK_KIND_UPDATE || FoundNoNorm(result));
}

// Where no token is trained on, a step has no loss; shown as 0.
double MeanLoss(double sum, int64_t tokens) {
  return tokens == 0 ? 0 : sum / static_cast<double>(tokens);
}

}  // namespace

absl::Status TaskResults::Take(WorkerRecord& worker,
                               const wv1::TaskReport& report, absl::Time now) {
  auto in_hand = std::find_if(worker.hand.begin(), worker.hand.end(),
                              [&](const auto& held) {
                                return held.second.value() == report.task_id();
                              });
  // Recorded before: the acknowledgement was lost.
  if (in_hand == worker.hand.end()) return absl::OkStatus();
  Job& job = parts_.book->At(in_hand->first);
  const OutstandingTask& first = job.outstanding.front();
  if (first.id.value() != report.task_id()) {
    return absl::InternalError(
        absl::StrCat("it reports task ", report.task_id(), " of ",
                     JobName(job.id), " before task ", first.id.value()));
  }
  if (absl::Status valid = CheckReport(job.shape, first.task, report);
      !valid.ok()) {
    return valid;
  }
  ++worker.finished_tasks;
  parts_.hands->Charge(job, report.cost(), now);
  const bool ending =
      job.state() != v1::JOB_STATE_RUNNING || job.outstanding.front().stray;
  if (report.cost().has_begun()) {
    Trace(worker, job, report, /*commits=*/!ending && !report.has_error());
  }
  if (!ending && !report.has_error()) {
    Commit(job, report, now);
  } else {
    Fail(job, report, now);
  }
  parts_.life->OutstandingChanged(job, now);
  return absl::OkStatus();
}

void TaskResults::Trace(WorkerRecord& worker, Job& job,
                        const wv1::TaskReport& report, bool commits) {
  TaskTrace trace = TraceOf(job.id, job.outstanding.front(), report.cost());
  if (trace.kind != wv1::TASK_KIND_PREPARE) {
    trace.device_free_at = std::exchange(worker.device_free_at, trace.ended_at);
  }
  if (commits) {
    trace.outcome = v1::TASK_OUTCOME_COMMITTED;
    AddDeviceTime(trace, job.totals);
  } else {
    const bool failed =
        report.has_error() &&
        report.error().code() != static_cast<int>(absl::StatusCode::kAborted);
    trace.outcome =
        failed ? v1::TASK_OUTCOME_FAILED : v1::TASK_OUTCOME_DISCARDED;
  }
  parts_.actions->push_back(trace);
}

void TaskResults::Commit(Job& job, const wv1::TaskReport& report,
                         absl::Time now) {
  const OutstandingTask done = parts_.hands->Commit(job);
  WorkerRecord& worker = parts_.roster->At(done.worker);
  worker.deaths.clear();
  worker.quarantines = 0;
  job.crashes_in_a_row = 0;
  job.crashed_on.clear();
  job.failures_in_a_row = 0;
  job.rests_until = absl::InfinitePast();
  AddCost(report.cost(), job.totals);
  switch (done.task.kind) {
    case wv1::TASK_KIND_PREPARE:
      parts_.claims->SetPrepared(job, report.prepare());
      parts_.start->TakePrepared(job, report.prepare(), now);
      break;
    case wv1::TASK_KIND_PILOT:
      TakePilot(job, done, report.pilot(), now);
      break;
    default:
      TakePass(job, done, report, now);
  }
  parts_.book->Touch(job);
}

void TaskResults::TakePilot(Job& job, const OutstandingTask& done,
                            const wv1::PilotResult& result, absl::Time now) {
  v1::Partition partition;
  *partition.mutable_cut_points() = result.cut_points();
  *partition.mutable_layers() = result.layers();
  if (result.has_updates()) *partition.mutable_updates() = result.updates();
  if (result.has_step()) *partition.mutable_step() = result.step();
  if (result.has_step_of_longest_shards()) {
    *partition.mutable_step_of_longest_shards() =
        result.step_of_longest_shards();
  }
  partition.set_source("pilot");
  const DeviceOptions& device = parts_.roster->At(done.worker).device;
  parts_.actions->push_back(FoundPartition{
      parts_.claims->SetFound(job, device, partition), partition});
  parts_.start->SetFoundPartition(job, std::move(partition),
                                  device.memory_limit_bytes, now);
}

void TaskResults::TakePass(Job& job, const OutstandingTask& done,
                           const wv1::TaskReport& report, absl::Time now) {
  job.times->Observe(done.task, FromProto(report.cost().wall()),
                     FromProto(report.cost().copy()));
  RecordPass(job, done, report.pass(), now);
  MeterStep(job, done, report.cost());
  job.position = PlaceAfter(job.submitted.spec.evaluation(), job.shape,
                            job.plan, *done.position, *job.evaluations);
  if (done.task.kind == wv1::TASK_KIND_INIT &&
      job.position.phase != ChainPosition::Phase::kInit) {
    parts_.bases->Filled(job);
  }
  // While more of the chain is outstanding, nothing else notes it.
  if (!job.position.done()) MoveTo(job, ChainPhase(job.position));
  RecordNonfinite(job, done, report.pass(), now);
  if (!job.ended()) {
    if (job.shape.scales_loss && CompletesStep(job.shape, *done.position)) {
      job.loss_scale = AfterStep(job.loss_scale, FoundNoNorm(report.pass()),
                                 job.submitted.spec.train());
    }
    parts_.journal->PoolJobChanged(job.id, PoolJobOf(job));
  }
  if (job.state() == v1::JOB_STATE_RUNNING &&
      CompletesStep(job.shape, *done.position)) {
    parts_.checkpoints->EndOfStep(job, now);
  }
}

bool TaskResults::Trains(wv1::TaskKind kind) {
  return kind == wv1::TASK_KIND_TURN || kind == wv1::TASK_KIND_BACKWARD ||
         kind == wv1::TASK_KIND_UPDATE;
}

void TaskResults::AddStep(Job& job, const v1::StepMetrics& step) {
  parts_.journal->StepRecorded(job.id, step);
  job.steps.Add(step, parts_.journal->next_sequence(),
                parts_.journal->recorded());
}

void TaskResults::MeterStep(Job& job, const OutstandingTask& done,
                            const wv1::TaskCost& cost) {
  const std::optional<journal::v1::StepCost> whole =
      AddToStep(job.shape, *done.position, cost, job.step_under_way);
  if (!whole.has_value() || job.steps.empty()) return;
  v1::StepMetrics step = job.steps.back();
  *step.mutable_device() = whole->device();
  AddStep(job, step);
  job.tokens_per_second = RecentRate(job.steps, job.StepTokens());
  AddTraffic(job.shape, *done.position, *whole, cost.updates(), job.traffic);
}

void TaskResults::RecordPass(Job& job, const OutstandingTask& done,
                             const wv1::PassResult& result, absl::Time now) {
  if (done.task.kind == wv1::TASK_KIND_TURN) {
    AddLoss(done.task, result, job.step_loss);
    if (done.task.last_micro_batch < job.shape.micro_batches) return;
    v1::StepMetrics step;
    step.set_step(done.task.step);
    step.set_train_loss(MeanLoss(job.step_loss.sum(), job.step_loss.tokens()));
    *step.mutable_time() = ToProto(now);
    step.set_skipped_blocks(result.skipped_blocks_size());
    if (job.shape.scales_loss) step.set_loss_scale(done.wire.loss_scale());
    AddStep(job, step);
  } else if (Trains(done.task.kind) && !job.steps.empty() &&
             job.steps.back().step() == done.task.step) {
    v1::StepMetrics step = job.steps.back();
    const bool norm_is_new = !step.has_grad_norm() && result.has_grad_norm() &&
                             std::isfinite(result.grad_norm());
    const bool overflow_is_new =
        job.shape.scales_loss && !step.overflowed() && FoundNoNorm(result);
    if (result.skipped_blocks_size() == 0 && !norm_is_new && !overflow_is_new) {
      return;
    }
    step.set_skipped_blocks(step.skipped_blocks() +
                            result.skipped_blocks_size());
    if (norm_is_new) step.set_grad_norm(result.grad_norm());
    if (overflow_is_new) step.set_overflowed(true);
    AddStep(job, step);
  } else if (done.task.kind == wv1::TASK_KIND_EVALUATE) {
    RecordEvaluation(job, done, result, now);
  }
}

void TaskResults::RecordEvaluation(Job& job, const OutstandingTask& done,
                                   const wv1::PassResult& result,
                                   absl::Time now) {
  for (double loss_sum : result.batch_loss_sums()) {
    job.eval_loss_sum += loss_sum;
  }
  job.eval_tokens += result.loss_tokens();
  job.eval_correct += result.correct();
  if (!CompletesEvaluation(job.shape, job.plan, *done.position)) return;
  v1::EvaluationMetrics metrics;
  metrics.set_step(done.task.step);
  metrics.set_split(SplitName(done.task.split));
  metrics.set_tokens(job.eval_tokens);
  // No number where nothing was measured: that is no best model.
  metrics.set_loss(job.eval_loss_sum / static_cast<double>(job.eval_tokens));
  std::string quality;
  if (job.shape.table->classifies()) {
    metrics.set_accuracy(static_cast<double>(job.eval_correct) /
                         static_cast<double>(job.eval_tokens));
    quality = absl::StrCat("accuracy ", metrics.accuracy(), " over ",
                           metrics.tokens(), " examples");
  } else {
    metrics.set_perplexity(std::exp(metrics.loss()));
    quality = absl::StrCat("perplexity ", metrics.perplexity(), " over ",
                           metrics.tokens(), " tokens");
  }
  parts_.book->Log(
      job, "I",
      absl::StrCat("after step ", metrics.step(), ": ", metrics.split(),
                   " loss ", metrics.loss(), ", ", quality),
      now, &done);
  parts_.journal->EvaluationRecorded(job.id, metrics);
  for (journal::v1::CheckpointRecord& checkpoint : job.checkpoints.Fresh()) {
    if (checkpoint.info().step() != metrics.step() ||
        done.task.split != wv1::SPLIT_VALIDATION ||
        checkpoint.info().inside_step()) {
      continue;
    }
    checkpoint.mutable_info()->set_validation_loss(metrics.loss());
    parts_.journal->CheckpointRecorded(job.id, checkpoint);
  }
  job.evaluations.Fresh().push_back(std::move(metrics));
  job.eval_loss_sum = 0;
  job.eval_tokens = 0;
  job.eval_correct = 0;
}

// The worker left the blocks as they were; the job's policy says how often that
// may be.
void TaskResults::RecordNonfinite(Job& job, const OutstandingTask& done,
                                  const wv1::PassResult& result,
                                  absl::Time now) {
  const int64_t step = done.task.step;
  const bool bad =
      Trains(done.task.kind) &&
      (result.skipped_blocks_size() > 0 || !std::isfinite(result.loss_sum()));
  if (bad && job.last_nonfinite_step != step) {
    job.last_nonfinite_step = step;
    job.totals.set_nonfinite_steps(job.totals.nonfinite_steps() + 1);
    const v1::TrainSpec& train = job.submitted.spec.train();
    const int most = train.max_nonfinite_steps();
    std::string what =
        absl::StrCat("step ", step, ": the loss or the gradient of ",
                     result.skipped_blocks_size(),
                     " parameter blocks is infinite or no ", "number; layers [",
                     done.task.layers.first, ", ", done.task.layers.last, ")");
    const bool overflows = Overflows(job, done, result);
    if (overflows) {
      const checkpoint::v1::LossScale next =
          AfterStep(job.loss_scale, /*overflowed=*/true, train);
      absl::StrAppendFormat(&what,
                            "; nothing is updated, the loss scale was %.0f and "
                            "is %.0f from now on",
                            ScaleOf(job.loss_scale, train), next.scale());
    }
    if (overflows && CanShrink(job.loss_scale, train)) {
      parts_.book->Log(job, "I", what, now, &done);
      return;
    }
    ++job.nonfinite_in_a_row;
    if (job.nonfinite_in_a_row > most) {
      parts_.life->End(
          job, v1::JOB_STATE_FAILED,
          absl::StrCat("NONFINITE: ", what, "; step number ",
                       job.nonfinite_in_a_row,
                       " in a row, train.max_nonfinite_steps is ", most),
          now);
      return;
    }
    parts_.book->Log(job, "W", what, now, &done);
  }
  if (CompletesStep(job.shape, *done.position) &&
      job.last_nonfinite_step != step) {
    job.nonfinite_in_a_row = 0;
  }
}

void TaskResults::Fail(Job& job, const wv1::TaskReport& report,
                       absl::Time now) {
  const OutstandingTask failed = parts_.hands->TakeFailed(job);
  if (job.state() != v1::JOB_STATE_RUNNING || GoesBack(job.intent) ||
      failed.stray) {
    return;
  }
  const auto code = static_cast<absl::StatusCode>(report.error().code());
  if (code == absl::StatusCode::kAborted && failed.told_to_stop) {
    Hands::Disown(job);
    return;
  }
  std::string reason =
      absl::StrCat(KindName(failed.task.kind), " of step ", failed.task.step,
                   ": ", Describe(report.error()));
  parts_.book->Log(job, "E", Describe(report.error()), now, &failed);
  const Remedy remedy = RemedyOf(failed.task.kind, code);
  if (remedy == Remedy::kAgain && TryAgain(job, reason, now)) return;
  if (remedy == Remedy::kCutAnew && CutAnew(job, reason, now)) return;
  if (!failed.wire.restore_dir().empty() &&
      code != absl::StatusCode::kResourceExhausted) {
    TakeBadCheckpoint(job, failed.wire.restore_dir(), report.error(), now);
    return;
  }
  if (remedy == Remedy::kAgain) {
    absl::StrAppend(&reason, "; it was tried ", job.failures_in_a_row,
                    " times");
  } else if (remedy == Remedy::kCutAnew) {
    absl::StrAppend(&reason,
                    job.partition->source() == "given"
                        ? "; the cut points are the job's own: without "
                          "partition.cut_points a pilot finds some that fit"
                        : "; the pilot left half of the device free already");
  }
  parts_.life->End(job, v1::JOB_STATE_FAILED, std::move(reason), now);
}

bool TaskResults::TryAgain(Job& job, absl::string_view reason, absl::Time now) {
  if (++job.failures_in_a_row > parts_.options->task_retries) return false;
  const absl::Duration pause = PauseAfter(job.failures_in_a_row);
  job.rests_until = now + pause;
  job.reason = absl::StrCat(
      reason, "; it is tried again after ", absl::FormatDuration(pause), ", ",
      parts_.options->task_retries - job.failures_in_a_row, " times more");
  Hands::Disown(job);
  parts_.book->NoteChange(job);
  return true;
}

bool TaskResults::CutAnew(Job& job, absl::string_view reason, absl::Time now) {
  if (job.partition->source() == "given") return false;
  const int64_t reserve =
      NextReserve(job.pilot_reserve_bytes, parts_.roster->LeastMemory());
  if (reserve == 0) return false;
  job.pilot_reserve_bytes = reserve;
  parts_.book->Log(
      job, "W",
      absl::StrCat(reason, "; a pilot cuts the model anew and leaves ", reserve,
                   " bytes of the device free"),
      now);
  job.Hear(IntentEvent::kCutAnew);
  Hands::Disown(job);
  parts_.book->NoteChange(job);
  return true;
}

void TaskResults::TakeBadCheckpoint(Job& job, const std::string& path,
                                    const wv1::TaskError& error,
                                    absl::Time now) {
  const auto code = static_cast<absl::StatusCode>(error.code());
  const bool missing = code == absl::StatusCode::kNotFound;
  if (code == absl::StatusCode::kDataLoss || (missing && job.insists)) {
    parts_.book->Log(
        job, "W",
        absl::StrCat("does not go on from ", path,
                     ", which is damaged or gone, but from the checkpoint "
                     "before it"),
        now);
    for (size_t i = 0; i < job.checkpoints->size(); ++i) {
      if ((*job.checkpoints)[i].info().path() != path) continue;
      parts_.checkpoints->Remove(job, i);
      break;
    }
    job.Hear(IntentEvent::kFallBack);
  } else {
    // It may be whole: somebody has to look. What a base model lacks is no
    // fault of a checkpoint's.
    const bool is_base = code == absl::StatusCode::kFailedPrecondition;
    job.hold_reason = absl::StrCat(
        "paused: the checkpoint ", path, " cannot be ",
        is_base ? "gone on from: " : "read: ", Describe(error),
        "; resume the job to try again",
        missing   ? ", and else to go on from the checkpoint before it"
        : is_base ? ", and with other files than before"
                  : "");
    job.Hear(IntentEvent::kHoldBack);
  }
  Hands::Withdraw(job);
}

}  // namespace hydra
