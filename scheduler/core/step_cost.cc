#include "scheduler/core/step_cost.h"

#include <utility>

#include "absl/time/time.h"
#include "common/status/proto_time.h"

namespace hydra {
namespace {

// Long enough that one slow step is not all, and short enough to be now.
constexpr absl::Duration kRecent = absl::Seconds(10);

}  // namespace

std::optional<journal::v1::StepCost> AddToStep(
    const JobShape& shape, const ChainPosition& position,
    const worker::v1::TaskCost& cost,
    std::optional<journal::v1::StepCost>& under_way) {
  if (position.phase != ChainPosition::Phase::kTrain) return std::nullopt;
  if (position.task == 0) under_way.emplace();
  if (!under_way.has_value()) return std::nullopt;
  *under_way->mutable_device() =
      ToProto(FromProto(under_way->device()) + FromProto(cost.wall()));
  if (!CompletesStep(shape, position)) return std::nullopt;
  return std::exchange(under_way, std::nullopt);
}

double RecentRate(const StepLog& steps, int64_t step_tokens) {
  const StepLog::Recent recent = steps.NewestFor(kRecent);
  if (recent.steps == 0) return 0;
  return static_cast<double>(recent.steps * step_tokens) /
         absl::ToDoubleSeconds(recent.device);
}

}  // namespace hydra
