#ifndef HYDRA_SCHEDULER_CORE_EARLY_STOPPING_H_
#define HYDRA_SCHEDULER_CORE_EARLY_STOPPING_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/chain/task_chain.h"
#include "hydra/v1/job.pb.h"
#include "hydra/v1/status.pb.h"

namespace hydra {

// When a job ends before all of its steps, as transformers'
// EarlyStoppingCallback has it. Everything follows from the evaluations that
// are recorded: a job that goes back to a checkpoint forgets those behind it,
// and makes them again. Pure.

// What the validation losses come to.
struct Stall {
  // Evaluations in a row, up to the newest, that did not lower the loss: to
  // below the lowest before by more than the threshold.
  int evaluations = 0;
  // The lowest loss, and the step that it was measured after. Absent: none is a
  // number.
  std::optional<double> lowest_loss;
  int64_t lowest_step = 0;
};

// `evaluations` in their order; those of other splits do not count.
Stall StallOf(const std::vector<hydra::v1::EvaluationMetrics>& evaluations,
              double threshold);

// Whether it depends on the task at `place`, which completes an evaluation,
// what the job does next. Until its loss is recorded nobody can tell.
bool DecidesOnStop(const hydra::v1::EvaluationSpec& spec, const JobShape& shape,
                   const ChainPlan& plan, const ChainPosition& place);

// The place after `done`, which has been committed, its loss included. Where
// the job stops early that is as behind its last step: the test split, or the
// end.
ChainPosition PlaceAfter(
    const hydra::v1::EvaluationSpec& spec, const JobShape& shape,
    const ChainPlan& plan, const ChainPosition& done,
    const std::vector<hydra::v1::EvaluationMetrics>& evaluations);

// Whether a job that has come to `place` stopped early: it is behind its last
// step before `plan` is, and its losses say so. A job that ended by an earlier
// plan of fewer steps did not.
bool HasStopped(const hydra::v1::EvaluationSpec& spec, const ChainPlan& plan,
                const ChainPosition& place,
                const std::vector<hydra::v1::EvaluationMetrics>& evaluations);

// Why it did, for people: "stopped after step 300: validation loss not below
// 3.21 of step 200 for 3 evaluations". Empty: it did not.
std::string StopReason(
    const hydra::v1::EvaluationSpec& spec, const ChainPlan& plan,
    const ChainPosition& place,
    const std::vector<hydra::v1::EvaluationMetrics>& evaluations);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_EARLY_STOPPING_H_
