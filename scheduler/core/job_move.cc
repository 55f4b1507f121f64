#include "scheduler/core/job_move.h"

#include <initializer_list>
#include <utility>

#include "glog/logging.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr unsigned Bits(std::initializer_list<v1::JobPhase> phases) {
  unsigned bits = 0;
  for (v1::JobPhase phase : phases) bits |= 1u << phase;
  return bits;
}

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

constexpr unsigned kToTheEnd =
    Bits({kPrepare, kPilot, kAdmission, kInit, kTrain, kEvaluate});
constexpr unsigned kInChainOrSaving = Bits({kInit, kTrain, kEvaluate, kSave});

struct StateMove {
  v1::JobState from;
  v1::JobState to;
  // In which the job is when it moves.
  unsigned phases;
};

constexpr StateMove kStateMoves[] = {
    // It waits for something else, or begins again.
    {kPending, kPending, kToTheEnd},
    // A worker gets a task of it.
    {kPending, kRunning, kToTheEnd},
    {kPending, kPaused, kToTheEnd},
    {kPending, kCompleted, kInChainOrSaving},
    {kPending, kFailed, kToTheEnd | Bits({kSave})},
    {kPending, kCancelled, kToTheEnd | Bits({kSave})},
    // It rests, or waits, or begins again.
    {kRunning, kPending, kToTheEnd},
    {kRunning, kPaused, kToTheEnd},
    {kRunning, kCompleted, kInChainOrSaving},
    {kRunning, kFailed, kToTheEnd | Bits({kSave})},
    {kRunning, kCancelled, kToTheEnd | Bits({kSave})},
    // Resumed.
    {kPaused, kPending, Bits({kPrepare})},
    // It was paused before the daemon's start.
    {kPaused, kPaused, Bits({kPrepare})},
    {kPaused, kCancelled, Bits({kPrepare})},
};

struct PhaseMoves {
  v1::JobPhase from;
  unsigned to;
};

// Until its model is saved any job may begin again, and that is at PREPARE; and
// any job may end. In its chain a job may begin anywhere behind INIT, where its
// checkpoint says.
constexpr PhaseMoves kPhaseMoves[] = {
    {kPrepare, Bits({kPrepare, kPilot, kEnded})},
    {kPilot, Bits({kPrepare, kAdmission, kEnded})},
    {kAdmission, Bits({kPrepare, kInit, kEnded})},
    {kInit, Bits({kPrepare, kInit, kTrain, kEvaluate, kSave, kEnded})},
    {kTrain, Bits({kPrepare, kTrain, kEvaluate, kSave, kEnded})},
    {kEvaluate, Bits({kPrepare, kTrain, kEvaluate, kSave, kEnded})},
    // Once more, after the disk had no room.
    {kSave, Bits({kSave, kEnded})},
};

}  // namespace

bool MayMove(v1::JobState from, v1::JobState to, v1::JobPhase phase) {
  for (const StateMove& move : kStateMoves) {
    if (move.from == from && move.to == to) {
      return (move.phases & Bits({phase})) != 0;
    }
  }
  return false;
}

bool MayMove(v1::JobPhase from, v1::JobPhase to) {
  for (const PhaseMoves& moves : kPhaseMoves) {
    if (moves.from == from) return (moves.to & Bits({to})) != 0;
  }
  return false;
}

void Move(Job& job, v1::JobState to, std::string reason) {
  CHECK(MayMove(job.state, to, job.phase))
      << JobName(job.id) << " may not go from " << v1::JobState_Name(job.state)
      << " to " << v1::JobState_Name(to) << " in "
      << v1::JobPhase_Name(job.phase);
  RestoreState(job, to, std::move(reason));
}

void MoveTo(Job& job, v1::JobPhase to) {
  CHECK(MayMove(job.phase, to))
      << JobName(job.id) << " may not go from " << v1::JobPhase_Name(job.phase)
      << " to " << v1::JobPhase_Name(to);
  RestorePhase(job, to);
}

void RestoreState(Job& job, v1::JobState state, std::string reason) {
  job.state = state;
  job.reason = std::move(reason);
}

void RestorePhase(Job& job, v1::JobPhase phase) { job.phase = phase; }

}  // namespace hydra
