#include "scheduler/core/job_move.h"

#include <utility>

#include "glog/logging.h"
#include "scheduler/core/phase_set.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr v1::JobState kPending = v1::JOB_STATE_PENDING;
constexpr v1::JobState kRunning = v1::JOB_STATE_RUNNING;
constexpr v1::JobState kPaused = v1::JOB_STATE_PAUSED;
constexpr v1::JobState kCompleted = v1::JOB_STATE_COMPLETED;
constexpr v1::JobState kFailed = v1::JOB_STATE_FAILED;
constexpr v1::JobState kCancelled = v1::JOB_STATE_CANCELLED;

constexpr v1::JobPhase kPrepare = v1::JOB_PHASE_PREPARE;
constexpr v1::JobPhase kPilot = v1::JOB_PHASE_PILOT;
constexpr v1::JobPhase kAdmission = v1::JOB_PHASE_ADMISSION;
constexpr v1::JobPhase kInit = v1::JOB_PHASE_INIT;
constexpr v1::JobPhase kTrain = v1::JOB_PHASE_TRAIN;
constexpr v1::JobPhase kEvaluate = v1::JOB_PHASE_EVALUATE;
constexpr v1::JobPhase kSave = v1::JOB_PHASE_SAVE;
constexpr v1::JobPhase kEnded = v1::JOB_PHASE_ENDED;

constexpr PhaseSet kUntilSaved = kBeforeSave | PhaseSet{kSave};
constexpr PhaseSet kInChainOrSaving = {kInit, kTrain, kEvaluate, kSave};

struct StateMove {
  v1::JobState from;
  v1::JobState to;
  // In which the job is when it moves.
  PhaseSet phases;
};

constexpr StateMove kStateMoves[] = {
    // It waits for something else, or begins again.
    {kPending, kPending, kBeforeSave},
    // A worker gets a task of it.
    {kPending, kRunning, kBeforeSave},
    {kPending, kPaused, kBeforeSave},
    {kPending, kCompleted, kInChainOrSaving},
    {kPending, kFailed, kUntilSaved},
    {kPending, kCancelled, kUntilSaved},
    // It rests, or waits, or begins again.
    {kRunning, kPending, kBeforeSave},
    {kRunning, kPaused, kBeforeSave},
    {kRunning, kCompleted, kInChainOrSaving},
    {kRunning, kFailed, kUntilSaved},
    {kRunning, kCancelled, kUntilSaved},
    // Resumed.
    {kPaused, kPending, {kPrepare}},
    // It was paused before the daemon's start.
    {kPaused, kPaused, {kPrepare}},
    {kPaused, kCancelled, {kPrepare}},
};

struct PhaseMoves {
  v1::JobPhase from;
  PhaseSet to;
};

// Until its model is saved any job may begin again, and that is at PREPARE; and
// any job may end. In its chain a job may begin anywhere behind INIT, where its
// checkpoint says.
constexpr PhaseMoves kPhaseMoves[] = {
    {kPrepare, {kPrepare, kPilot, kEnded}},
    {kPilot, {kPrepare, kAdmission, kEnded}},
    {kAdmission, {kPrepare, kInit, kEnded}},
    {kInit, {kPrepare, kInit, kTrain, kEvaluate, kSave, kEnded}},
    {kTrain, {kPrepare, kTrain, kEvaluate, kSave, kEnded}},
    {kEvaluate, {kPrepare, kTrain, kEvaluate, kSave, kEnded}},
    // Once more, after the disk had no room.
    {kSave, {kSave, kEnded}},
};

}  // namespace

bool MayMove(v1::JobState from, v1::JobState to, v1::JobPhase phase) {
  for (const StateMove& move : kStateMoves) {
    if (move.from == from && move.to == to) {
      return move.phases.Has(phase);
    }
  }
  return false;
}

bool MayMove(v1::JobPhase from, v1::JobPhase to) {
  for (const PhaseMoves& moves : kPhaseMoves) {
    if (moves.from == from) return moves.to.Has(to);
  }
  return false;
}

void Move(Job& job, v1::JobState to, std::string reason) {
  CHECK(MayMove(job.state(), to, job.phase()))
      << JobName(job.id) << " may not go from "
      << v1::JobState_Name(job.state()) << " to " << v1::JobState_Name(to)
      << " in " << v1::JobPhase_Name(job.phase());
  RestoreState(job, to, std::move(reason));
}

void MoveTo(Job& job, v1::JobPhase to) {
  CHECK(MayMove(job.phase(), to))
      << JobName(job.id) << " may not go from "
      << v1::JobPhase_Name(job.phase()) << " to " << v1::JobPhase_Name(to);
  RestorePhase(job, to);
}

void RestoreState(Job& job, v1::JobState state, std::string reason) {
  job.state_ = state;
  job.reason = std::move(reason);
}

void RestorePhase(Job& job, v1::JobPhase phase) { job.phase_ = phase; }

}  // namespace hydra
