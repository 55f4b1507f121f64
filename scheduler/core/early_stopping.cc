#include "scheduler/core/early_stopping.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "common/chain/split.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;
using Phase = ChainPosition::Phase;

bool IsOutOfPatience(const v1::EvaluationSpec& spec,
                     const std::vector<v1::EvaluationMetrics>& evaluations) {
  return spec.early_stopping_patience() > 0 &&
         StallOf(evaluations, spec.early_stopping_threshold()).evaluations >=
             spec.early_stopping_patience();
}

}  // namespace

// The first one lowers the loss whatever it is: there is none before it.
Stall StallOf(const std::vector<v1::EvaluationMetrics>& evaluations,
              double threshold) {
  Stall stall;
  double lowest = std::numeric_limits<double>::infinity();
  bool is_first = true;
  for (const v1::EvaluationMetrics& metrics : evaluations) {
    if (SplitOf(metrics) != wv1::SPLIT_VALIDATION) continue;
    const double loss = metrics.loss();
    const bool lowers = is_first || lowest - loss > threshold;
    stall.evaluations = lowers ? 0 : stall.evaluations + 1;
    is_first = false;
    if (!(loss < lowest)) continue;
    lowest = loss;
    stall.lowest_loss = loss;
    stall.lowest_step = metrics.step();
  }
  return stall;
}

bool DecidesOnStop(const v1::EvaluationSpec& spec, const JobShape& shape,
                   const ChainPlan& plan, const ChainPosition& place) {
  return spec.early_stopping_patience() > 0 &&
         CompletesEvaluation(shape, plan, place) &&
         place.split == wv1::SPLIT_VALIDATION && place.step < plan.total_steps;
}

ChainPosition PlaceAfter(
    const v1::EvaluationSpec& spec, const JobShape& shape,
    const ChainPlan& plan, const ChainPosition& done,
    const std::vector<v1::EvaluationMetrics>& evaluations) {
  if (!DecidesOnStop(spec, shape, plan, done) ||
      !IsOutOfPatience(spec, evaluations)) {
    return Next(shape, plan, done);
  }
  ChainPlan ends_here = plan;
  ends_here.total_steps = done.step;
  return Next(shape, ends_here, done);
}

bool HasStopped(const v1::EvaluationSpec& spec, const ChainPlan& plan,
                const ChainPosition& place,
                const std::vector<v1::EvaluationMetrics>& evaluations) {
  const bool is_behind_steps =
      place.done() ||
      (place.phase == Phase::kEvaluate && place.split == wv1::SPLIT_TEST);
  return is_behind_steps && place.step < plan.total_steps &&
         IsOutOfPatience(spec, evaluations);
}

std::string StopReason(const v1::EvaluationSpec& spec, const ChainPlan& plan,
                       const ChainPosition& place,
                       const std::vector<v1::EvaluationMetrics>& evaluations) {
  if (!HasStopped(spec, plan, place, evaluations)) return "";
  const double threshold = spec.early_stopping_threshold();
  const Stall stall = StallOf(evaluations, threshold);
  const std::string what =
      absl::StrCat("stopped after step ", place.step, ": ");
  if (!stall.lowest_loss.has_value()) {
    return absl::StrCat(what, "validation loss was no number for ",
                        stall.evaluations, " evaluations");
  }
  if (threshold > 0) {
    return absl::StrCat(what, "for ", stall.evaluations,
                        " evaluations validation loss did not fall by more "
                        "than ",
                        threshold, "; the lowest is ", *stall.lowest_loss,
                        " of step ", stall.lowest_step);
  }
  return absl::StrCat(what, "validation loss not below ", *stall.lowest_loss,
                      " of step ", stall.lowest_step, " for ",
                      stall.evaluations, " evaluations");
}

}  // namespace hydra
