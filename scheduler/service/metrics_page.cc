#include "scheduler/service/metrics_page.h"

#include <algorithm>
#include <utility>

namespace hydra {

absl::Status FillMetrics(const MetricsPage& page, v1::JobDetail known,
                         OlderSteps older, v1::ListMetricsResponse* response) {
  const int newest = known.steps_size();
  const int64_t all =
      newest > 0 ? known.steps(newest - 1).step() + 1 : known.status().step();
  const int64_t first_newest = newest > 0 ? known.steps(0).step() : all;
  const bool is_last = all - page.first <= page.most;
  const int64_t end =
      is_last ? std::max(all, page.first) : page.first + page.most;
  auto steps = older(page.first, std::min(end, first_newest));
  if (!steps.ok()) return steps.status();
  response->mutable_steps()->Swap(&*steps);
  for (v1::StepMetrics& step : *known.mutable_steps()) {
    if (step.step() < page.first || step.step() >= end) continue;
    *response->add_steps() = std::move(step);
  }
  for (v1::EvaluationMetrics& evaluation : *known.mutable_evaluations()) {
    if (evaluation.step() < page.first) continue;
    if (!is_last && evaluation.step() >= end) continue;
    *response->add_evaluations() = std::move(evaluation);
  }
  if (!is_last) response->set_next_page_token(NumberToken(end));
  return absl::OkStatus();
}

}  // namespace hydra
