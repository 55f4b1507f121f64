#include "scheduler/core/job_life.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checkpoint/block_layout.h"
#include "glog/logging.h"
#include "scheduler/core/early_stopping.h"
#include "scheduler/core/hands.h"
#include "scheduler/core/job_move.h"
#include "scheduler/core/model_to_write.h"
#include "scheduler/core/records.h"
#include "scheduler/core/resume_place.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

// Whether what failed may work later: the disk is full, or failed, or is not
// there, or read-only after errors.
bool IsWorthARetry(const absl::Status& status) {
  return absl::IsResourceExhausted(status) || absl::IsUnavailable(status) ||
         absl::IsPermissionDenied(status);
}

// Of a job that has come to the end of its chain; empty where that is the end
// of all its steps.
std::string ReasonOfEnd(const Job& job) {
  return StopReason(job.submitted.spec.evaluation(), job.plan, job.position,
                    *job.evaluations);
}

}  // namespace

void JobLife::Advance(Job& job, absl::Time now) {
  while (!job.ended() && job.state() != v1::JOB_STATE_PAUSED &&
         AdvanceOnce(job, now)) {
    parts_.book->Touch(job);
  }
}

// False: it waits, or is in the queue, or pauses, or has ended.
bool JobLife::AdvanceOnce(Job& job, absl::Time now) {
  if (GoesBack(job.intent)) {
    if (!SavesBeforeRestart(job, now)) Restart(job, now);
    return false;
  }
  if (job.intent == Intent::kPause && PauseHere(job, now)) return false;
  switch (job.phase()) {
    case v1::JOB_PHASE_PREPARE:
      if (!Take(job, parts_.start->FromPrepare(job, now), now)) return false;
      MoveTo(job, v1::JOB_PHASE_PILOT);
      parts_.book->NoteChange(job);
      return true;
    case v1::JOB_PHASE_PILOT:
      return AdvanceFromPilot(job, now);
    case v1::JOB_PHASE_ADMISSION:
      if (!Take(job, parts_.start->FromAdmission(job, now), now)) return false;
      parts_.book->NoteChange(job);
      return true;
    case v1::JOB_PHASE_INIT:
    case v1::JOB_PHASE_TRAIN:
    case v1::JOB_PHASE_EVALUATE:
      return AdvanceInChain(job, now);
    default:
      return false;
  }
}

bool JobLife::Take(Job& job, const JobStart::Outcome& outcome, absl::Time now) {
  using Kind = JobStart::Outcome::Kind;
  switch (outcome.kind) {
    case Kind::kGoesOn:
      return true;
    case Kind::kWaits:
      return false;
    case Kind::kFails:
      End(job, v1::JOB_STATE_FAILED, outcome.reason, now);
      return false;
    case Kind::kHolds:
      job.hold_reason = outcome.reason;
      job.Hear(IntentEvent::kHoldBack);
      EnterPause(job);
      return false;
  }
  return false;
}

bool JobLife::AdvanceFromPilot(Job& job, absl::Time now) {
  if (!Take(job, parts_.start->FromPilot(job, now), now)) return false;
  if (!CanResumeInPartition(job, now)) return true;
  MoveTo(job, v1::JOB_PHASE_ADMISSION);
  parts_.book->NoteChange(job);
  return true;
}

bool JobLife::AdvanceInChain(Job& job, absl::Time now) {
  if (parts_.checkpoints->Holds(job.id)) return false;
  if (job.position.done()) {
    BeginSaving(job, now);
  } else {
    MoveTo(job, ChainPhase(job.position));
    parts_.queue->Enqueue(job, now);
  }
  return false;
}

void JobLife::AdvanceAwake(absl::Time now) {
  for (int i = 0; i < parts_.options->advances_in_one_go; ++i) {
    const std::optional<JobId> next = parts_.queue->TakeAwake();
    if (!next.has_value()) return;
    Advance(parts_.book->At(*next), now);
  }
}

void JobLife::Tick(absl::Time now) {
  for (JobId id : parts_.queue->TakeRested(now)) {
    Job& job = parts_.book->At(id);
    if (job.outstanding.empty()) Advance(job, now);
  }
  const std::vector<JobId> unsaved(save_again_.begin(), save_again_.end());
  for (JobId id : unsaved) {
    if (now >= parts_.book->At(id).save_again_at)
      BeginSaving(parts_.book->At(id), now);
  }
}

void JobLife::OutstandingChanged(Job& job, absl::Time now) {
  if (!job.outstanding.empty() || job.ended()) return;
  const bool going_on = job.state() == v1::JOB_STATE_RUNNING ||
                        job.state() == v1::JOB_STATE_PENDING;
  if (going_on) {
    Advance(job, now);
  } else {
    FinishEnding(job, now);
  }
}

bool JobLife::Cancel(Job& job, bool delete_checkpoints, absl::Time now) {
  if (job.state() != v1::JOB_STATE_PENDING &&
      job.state() != v1::JOB_STATE_RUNNING &&
      job.state() != v1::JOB_STATE_PAUSED) {
    return false;
  }
  if (delete_checkpoints) {
    job.delete_checkpoints = true;
    parts_.checkpoints->RemoveAll(job);
  }
  const bool saving =
      job.phase() == v1::JOB_PHASE_SAVE && save_again_.erase(job.id) == 0;
  if (saving) {
    // The writer reads its slots until it answers.
    Move(job, v1::JOB_STATE_CANCELLED, "cancelled");
    parts_.book->NoteChange(job);
  } else {
    End(job, v1::JOB_STATE_CANCELLED, "cancelled", now);
  }
  return true;
}

bool JobLife::Pause(Job& job, absl::Time now) {
  constexpr char kReason[] = "pauses at the end of its step";
  const bool yields = std::exchange(job.yields, false);
  const bool going_on = job.state() == v1::JOB_STATE_PENDING ||
                        job.state() == v1::JOB_STATE_RUNNING;
  // If it does not pause already.
  if (!yields || !going_on || !Pauses(job.intent)) {
    return BeginPause(job, kReason, now);
  }
  job.reason = kReason;
  parts_.book->NoteChange(job);
  return true;
}

bool JobLife::YieldRoom(Job& job, absl::Time now) {
  job.yields = true;
  if (!BeginPause(job,
                  "gives its room in the pool to another user's job at the end "
                  "of its step, and waits for room then",
                  now)) {
    job.yields = false;
    return false;
  }
  parts_.book->Log(job, "I", "gives its room in the pool to another user's job",
                   now);
  return true;
}

bool JobLife::BeginPause(Job& job, std::string reason, absl::Time now) {
  const bool going_on = job.state() == v1::JOB_STATE_PENDING ||
                        job.state() == v1::JOB_STATE_RUNNING;
  const std::optional<Intent> after = After(job.intent, IntentEvent::kPause);
  if (!going_on || job.phase() == v1::JOB_PHASE_SAVE || !after.has_value()) {
    return false;
  }
  job.intent = *after;
  job.reason = std::move(reason);
  parts_.book->NoteChange(job);
  if (job.outstanding.empty()) {
    parts_.queue->Leave(job.id);
    Advance(job, now);
  } else {
    // What has begun ends; what lies behind the end of the step comes back.
    Hands::Withdraw(job);
  }
  return true;
}

// Called while nothing of the job is outstanding.
bool JobLife::PauseHere(Job& job, absl::Time now) {
  if (job.phase() == v1::JOB_PHASE_SAVE || job.position.inside_step()) {
    return false;
  }
  if (Checkpoints::IsSaved(job)) {
    const bool yields = job.yields;
    EnterPause(job);
    if (yields) Resume(job, now);
  } else {
    parts_.checkpoints->Save(job, now);
  }
  return true;
}

void JobLife::EnterPause(Job& job) {
  job.yields = false;
  parts_.queue->Leave(job.id);
  parts_.claims->Abandon(job);
  LeavePool(job);
  ResetToCheckpoint(job, v1::JOB_STATE_PAUSED);
}

bool JobLife::Resume(Job& job, absl::Time now) {
  if (job.state() != v1::JOB_STATE_PAUSED) {
    // It has not come to rest yet: then it need not.
    const std::optional<Intent> after = After(job.intent, IntentEvent::kResume);
    if (job.ended() || !after.has_value()) return false;
    job.intent = *after;
    job.yields = false;
    job.reason.clear();
    parts_.checkpoints->Leave(job.id);
    parts_.book->NoteChange(job);
    if (job.outstanding.empty() && !job.writing.has_value()) Advance(job, now);
  } else {
    Move(job, v1::JOB_STATE_PENDING, "");
    job.yields = false;
    job.insists = job.intent == Intent::kHold;
    job.hold_reason.clear();
    job.Hear(IntentEvent::kWakeUp);
    parts_.book->NoteChange(job);
    Advance(job, now);
  }
  return true;
}

bool JobLife::SetPriority(Job& job, int priority, absl::Time now) {
  if (job.ended() || job.priority == priority) return false;
  job.priority = priority;
  parts_.book->NoteChange(job);
  // It stands elsewhere.
  if (parts_.queue->Contains(job.id)) parts_.queue->Enqueue(job, now);
  return true;
}

// Once its last TURN is done a step can only go on in its partition.
bool JobLife::SavesBeforeRestart(Job& job, absl::Time now) {
  const bool turned =
      job.position.inside_step() && job.position.task > LastTurn(job.shape);
  if (!SavesBefore(job.intent) || !job.in_chain() || turned ||
      Checkpoints::IsSaved(job)) {
    return false;
  }
  parts_.checkpoints->Save(job, now);
  return true;
}

void JobLife::Restart(Job& job, absl::Time now) {
  if (job.intent == Intent::kHold) {
    EnterPause(job);
    return;
  }
  parts_.queue->Dequeue(job.id);
  LeavePool(job);
  ResetToCheckpoint(job, v1::JOB_STATE_PENDING);
  Advance(job, now);
}

void JobLife::LeavePool(Job& job) {
  parts_.checkpoints->Leave(job.id);
  parts_.bases->Leave(job);
  parts_.blocks->EndAll(job.id);
  parts_.admission->Release(job.id);
  parts_.quotas->NoteLeft(job.id);
  // Before its admission it has no record there.
  if (job.times.has_value()) parts_.journal->PoolJobErased(job.id);
  parts_.queue->OfferRoom();
}

void JobLife::ResetToCheckpoint(Job& job, v1::JobState state) {
  job.intent = WentBack(job.intent);
  std::string reason;
  if (state == v1::JOB_STATE_PAUSED) {
    reason = job.intent == Intent::kHold ? job.hold_reason : "paused";
  }
  Move(job, state, std::move(reason));
  MoveTo(job, v1::JOB_PHASE_PREPARE);
  job.splits.clear();
  job.partition.reset();
  job.partition_limit_bytes = 0;
  job.demand.reset();
  job.times.reset();
  job.shape.shards.clear();
  job.plan.resume.reset();
  job.restore_dir.clear();
  job.position = {};
  job.step_loss.Clear();
  job.loss_scale.Clear();
  job.eval_loss_sum = 0;
  job.eval_tokens = 0;
  job.eval_correct = 0;
  job.training_since = absl::InfinitePast();
  job.step_under_way.reset();
  job.traffic.Clear();
  job.nonfinite_in_a_row = 0;
  job.last_nonfinite_step = -1;
  ChainPosition place;
  bool turned = false;
  if (!job.checkpoints->empty()) {
    const journal::v1::CheckpointRecord& newest = job.checkpoints->back();
    place = FromRecord(newest.position());
    turned = IsAfterTurn(job, newest);
    job.step_loss = newest.step_loss();
    job.loss_scale = newest.loss_scale();
    job.nonfinite_in_a_row = newest.nonfinite_in_a_row();
    // Of an earlier version the other one may say nothing.
    if (newest.nonfinite_in_a_row() > 0 || newest.has_loss_scale()) {
      job.last_nonfinite_step = newest.last_nonfinite_step();
    }
  }
  job.position.step = place.step;
  // The loss of a step is known when its last TURN is done.
  EraseMetricsFrom(job, place.step + (turned ? 1 : 0),
                   FirstEvaluationAfter(place));
  parts_.book->NoteChange(job);
}

// These will be measured again.
void JobLife::EraseMetricsFrom(Job& job, int64_t first_step,
                               int64_t first_evaluation) {
  job.steps.EraseFrom(first_step);
  while (!job.evaluations->empty() &&
         EvaluationNumber(job.evaluations->back()) >= first_evaluation) {
    job.evaluations.Fresh().pop_back();
  }
  parts_.journal->MetricsErased(job.id, first_step, first_evaluation);
}

bool JobLife::CanResumeInPartition(Job& job, absl::Time now) {
  if (job.checkpoints->empty()) return true;
  const journal::v1::CheckpointRecord newest = job.checkpoints->back();
  // Before TURN nothing has been updated: the step can begin again.
  if (!IsAfterTurn(job, newest) || IsCutAs(job, newest)) return true;
  parts_.checkpoints->Remove(job, job.checkpoints->size() - 1);
  ResetToCheckpoint(job, v1::JOB_STATE_PENDING);
  parts_.book->Log(
      job, "W",
      absl::StrCat(
          "the newest checkpoint lies inside step ", newest.info().step(),
          " of a model that was cut before layers [",
          absl::StrJoin(newest.cut_points(), ", "), "], in ",
          std::max(1, newest.rounds()),
          " rounds, and fits no other cut, nor workers of another version; "
          "the job goes on from step ",
          job.position.step),
      now);
  return false;
}

void JobLife::CheckpointFailed(Job& job, const absl::Status& why) {
  const bool pauses = Pauses(job.intent);
  job.Hear(IntentEvent::kNotSaved);
  if (!pauses || Pauses(job.intent)) return;
  job.yields = false;
  job.reason = absl::StrCat("did not pause, since it could not be saved: ",
                            why.message());
  parts_.book->NoteChange(job);
}

void JobLife::End(Job& job, v1::JobState state, std::string reason,
                  absl::Time now) {
  Move(job, state, std::move(reason));
  parts_.queue->Leave(job.id);
  parts_.queue->OfferRoom();
  parts_.claims->Abandon(job);
  if (job.outstanding.empty()) {
    FinishEnding(job, now);
  } else {
    Hands::Withdraw(job);
    parts_.book->NoteChange(job);
  }
}

void JobLife::FinishEnding(Job& job, absl::Time now) {
  MoveTo(job, v1::JOB_PHASE_ENDED);
  job.ended_at = now;
  parts_.quotas->NoteEnded(AccountOf(job), 1);
  LeavePool(job);
  parts_.book->NoteChange(job);
  const bool failed = job.state() == v1::JOB_STATE_FAILED;
  parts_.book->Log(
      job, failed ? "E" : "I",
      absl::StrCat(v1::JobState_Name(job.state()).substr(sizeof("JOB_STATE")),
                   job.reason.empty() ? "" : ": ", job.reason),
      now);
  parts_.archive->Add(job);
  if (parts_.archive->NoteEnded(job.sweep))
    parts_.claims->ForgetSweep(job.sweep);
}

void JobLife::BeginSaving(Job& job, absl::Time now) {
  if (!job.submitted.spec.output().save_model()) {
    End(job, v1::JOB_STATE_COMPLETED, ReasonOfEnd(job), now);
    return;
  }
  MoveTo(job, v1::JOB_PHASE_SAVE);
  save_again_.erase(job.id);
  parts_.book->Touch(job);
  SaveRequest request{ModelToWriteOf(job, job.output_path)};
  request.detail = DetailOf(job, kAllSteps);
  request.merge_adapters = job.submitted.spec.output().merge_adapters();
  for (int i = 0; i < job.shape.table->parameter_blocks.size(); ++i) {
    if (!request.merge_adapters && !IsInFile(*job.shape.table, i)) continue;
    const BlockKey key = ParametersKey(i);
    request.blocks.emplace_back(key, *parts_.blocks->Find(job.id, key));
  }
  parts_.actions->push_back(std::move(request));
}

void JobLife::ModelSaved(Job& job, const absl::Status& status, absl::Time now) {
  // A job that was cancelled meanwhile holds its slots until now.
  if (job.phase() != v1::JOB_PHASE_SAVE) return;
  if (job.state() == v1::JOB_STATE_CANCELLED) {
    FinishEnding(job, now);
  } else if (status.ok()) {
    End(job, v1::JOB_STATE_COMPLETED, ReasonOfEnd(job), now);
  } else if (IsWorthARetry(status)) {
    // The trained model stays in the pool until the disk takes it.
    job.reason = absl::StrCat(
        "the model cannot be written, and will be tried "
        "again: ",
        status.message());
    parts_.book->Log(job, "W", job.reason, now);
    job.save_again_at = now + parts_.options->save_retry;
    save_again_.insert(job.id);
    parts_.book->Touch(job);
  } else {
    End(job, v1::JOB_STATE_FAILED,
        absl::StrCat("writing the model: ", status.message()), now);
  }
}

}  // namespace hydra
