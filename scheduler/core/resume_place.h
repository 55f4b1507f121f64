#ifndef HYDRA_SCHEDULER_CORE_RESUME_PLACE_H_
#define HYDRA_SCHEDULER_CORE_RESUME_PLACE_H_

#include <cstdint>
#include <string>

#include "common/chain/task_chain.h"
#include "hydra/journal/v1/journal.pb.h"
#include "hydra/v1/status.pb.h"
#include "scheduler/core/job.h"

namespace hydra {

// Where a job goes on from a checkpoint, and with what. Pure.

bool SamePlace(const ChainPosition& a, const ChainPosition& b);

// Whether it lies inside a step, whose last TURN and perhaps updates are done:
// then the step can only go on in the same partition and rounds.
bool IsAfterTurn(const Job& job,
                 const journal::v1::CheckpointRecord& checkpoint);

// Whether the job has the partition of the checkpoint, which lies inside a
// step, and the same rounds, and its tasks would read what that has at its
// cuts.
bool IsCutAs(const Job& job, const journal::v1::CheckpointRecord& checkpoint);

// Where INIT from the newest checkpoint leads. Requires one, a partition, and
// the plan: one of more steps than the checkpoint's trains them.
ChainPosition ResumePlaceOf(const Job& job);

// The EvaluationNumber of the first evaluation that a job makes which goes on
// at `place`.
int64_t FirstEvaluationAfter(const ChainPosition& place);

// Whether the job was trained on something else until its newest checkpoint,
// for people; empty: no, or it is not known.
std::string ChangedDataOf(const Job& job);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_RESUME_PLACE_H_
