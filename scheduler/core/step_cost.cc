#include "scheduler/core/step_cost.h"

#include <utility>

#include "absl/time/time.h"
#include "common/chain/kind_bytes.h"
#include "common/chain/step_bytes.h"
#include "common/status/proto_time.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

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
  AddBytes(cost.promoted(), *under_way->mutable_promoted());
  AddBytes(cost.cached(), *under_way->mutable_cached());
  AddBytes(cost.demoted(), *under_way->mutable_demoted());
  if (!CompletesStep(shape, position)) return std::nullopt;
  return std::exchange(under_way, std::nullopt);
}

void AddTraffic(const JobShape& shape, const ChainPosition& position,
                const journal::v1::StepCost& step, v1::UpdatePlace updates,
                v1::StepTraffic& traffic) {
  const bool known =
      updates == v1::UPDATE_PLACE_HOST || updates == v1::UPDATE_PLACE_DEVICE;
  if (position.step == 0 || !known) return;
  if (traffic.updates() != updates) {
    const StepBytes predicted = PredictStepBytes(shape, updates);
    traffic.set_updates(updates);
    *traffic.mutable_predicted_promoted() = predicted.promoted;
    *traffic.mutable_predicted_demoted() = predicted.demoted;
  }
  traffic.set_steps(traffic.steps() + 1);
  AddBytes(step.promoted(), *traffic.mutable_promoted());
  AddBytes(step.cached(), *traffic.mutable_cached());
  AddBytes(step.demoted(), *traffic.mutable_demoted());
}

double RecentRate(const StepLog& steps, int64_t step_tokens) {
  const StepLog::Recent recent = steps.NewestFor(kRecent);
  if (recent.steps == 0) return 0;
  return static_cast<double>(recent.steps * step_tokens) /
         absl::ToDoubleSeconds(recent.device);
}

}  // namespace hydra
