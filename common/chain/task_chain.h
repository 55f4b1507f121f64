#ifndef HYDRA_COMMON_CHAIN_TASK_CHAIN_H_
#define HYDRA_COMMON_CHAIN_TASK_CHAIN_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "common/chain/chain_task.h"
#include "common/chain/job_shape.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// Pure: which tasks a job consists of once its parameters have room in the
// pool, and in which order. This is section 5 of docs/design.md as code.

// Evaluation batches that one visit to a shard runs: each visit moves the
// shard's parameters anew. As many as have room at the cuts where a training
// step has its boundaries, or in a sixteenth of what the parameters take; the
// least and the most are below. Of examples no more than kMaxStepNumbers
// (step_numbers.h) has room for, and one at least: a worker reads all of them
// at once.
int EvaluationVisitBatches(const JobShape& shape);
inline constexpr int kLeastVisitBatches = 4;
inline constexpr int kMostVisitBatches = 32;

// A place in a job's chain: the task that comes next. A value; the first task's
// is the default one.
struct ChainPosition {
  enum class Phase { kInit, kTrain, kEvaluate, kDone };
  Phase phase = Phase::kInit;
  // Steps that are complete before this task. For kTrain: the step's number.
  int64_t step = 0;
  // Which task of the initialisation, the step, or the evaluation's visit.
  int task = 0;
  // For kEvaluate. 0 batches of the visit: the least.
  hydra::worker::v1::Split split = hydra::worker::v1::SPLIT_UNSPECIFIED;
  int64_t first_batch = 0;
  int visit_batches = 0;

  bool done() const { return phase == Phase::kDone; }
  // Whether some shards of a step have done their part and others have not.
  bool inside_step() const { return phase == Phase::kTrain && task > 0; }
};

// What the job does between two steps.
struct ChainPlan {
  int64_t total_steps = 0;
  // Evaluate the validation split after every so many steps; 0: only at the
  // end.
  int64_t eval_steps = 0;
  // Batches of one evaluation; 0: the split is not there.
  int64_t validation_batches = 0;
  int64_t test_batches = 0;
  // Sequences in them; 0: every batch is full.
  int64_t validation_sequences = 0;
  int64_t test_sequences = 0;
  // Where INIT leads, if it fills the blocks from a checkpoint: its place.
  std::optional<ChainPosition> resume;
};

// The task at `position`. Requires !position.done().
ChainTask TaskAt(const JobShape& shape, const ChainPlan& plan,
                 const ChainPosition& position);

// The number of its shard. Requires !position.done().
int ShardAt(const JobShape& shape, const ChainPosition& position);

// The place after `position`. Requires !position.done().
ChainPosition Next(const JobShape& shape, const ChainPlan& plan,
                   const ChainPosition& position);

// Where a job goes on that is stopped at `position`: an initialisation or an
// evaluation begins again, since what it has in the pool is not kept.
ChainPosition ResumePlace(ChainPosition position);

// Boundaries and gradients that are there before the task at `position` of a
// step.
std::vector<BlockWrite> BlocksInsideStep(const JobShape& shape,
                                         const ChainPosition& position);

// One past the last batch of the visit at `position`.
int64_t VisitEnd(const ChainPlan& plan, const ChainPosition& position);

// Whether the task at `position` completes its step, or its evaluation.
bool CompletesStep(const JobShape& shape, const ChainPosition& position);
bool CompletesEvaluation(const JobShape& shape, const ChainPlan& plan,
                         const ChainPosition& position);

// Tasks of one step: for each of its rounds FORWARD for each shard but the
// last, TURN, BACKWARD for each but the last, down to the first one that is
// trained; and UPDATE for each of these, the first one first, where gradients
// are clipped.
int TasksPerStep(const JobShape& shape);

// FORWARD, TURN and BACKWARD tasks of one round.
int TasksPerRound(const JobShape& shape);

// The number of a step's task that is TURN of its first round: before it, no
// gradients are made.
int FirstTurn(const JobShape& shape);

// The number of a step's task that is TURN of its last round: from then on,
// parameters are updated, and the loss is known.
int LastTurn(const JobShape& shape);

// In the first `batches` batches of an evaluation of the split.
int64_t SequencesOf(const JobShape& shape, const ChainPlan& plan,
                    hydra::worker::v1::Split split, int64_t batches);

// Evaluations of the validation split that a job makes after `step` steps, and
// before its last.
int64_t IntermediateEvaluations(const ChainPlan& plan, int64_t after_step);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHAIN_TASK_CHAIN_H_
