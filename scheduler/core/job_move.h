#ifndef HYDRA_SCHEDULER_CORE_JOB_MOVE_H_
#define HYDRA_SCHEDULER_CORE_JOB_MOVE_H_

#include <string>

#include "hydra/v1/status.pb.h"
#include "scheduler/core/job.h"

namespace hydra {

// How a job's state and phase may change: the one table of legal moves, and the
// only functions that make them. Drawn in docs/design.md, section 5; what state
// and phase mean together is in job_stand.h. Not thread-safe, as jobs are not.

// Whether a job in this phase may go from one state to the other. From a state
// to itself: whether it may be put there again, for another reason.
bool MayMove(hydra::v1::JobState from, hydra::v1::JobState to,
             hydra::v1::JobPhase phase);
// The same for phases.
bool MayMove(hydra::v1::JobPhase from, hydra::v1::JobPhase to);

// The job is in state `to`, for this reason; dies if it may not go there.
void Move(Job& job, hydra::v1::JobState to, std::string reason);
// The same for phases.
void MoveTo(Job& job, hydra::v1::JobPhase to);

// For a job that an earlier daemon left, when it is made of its records: it
// stands there already, however it came there.
void RestoreState(Job& job, hydra::v1::JobState state, std::string reason);
void RestorePhase(Job& job, hydra::v1::JobPhase phase);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_JOB_MOVE_H_
