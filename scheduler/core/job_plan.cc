#include "scheduler/core/job_plan.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/chain/device_need.h"
#include "common/chain/job_shape.h"
#include "common/chain/step_bytes.h"
#include "scheduler/core/admission.h"

namespace hydra {
namespace {

// The job's own shards, else the longest that fit.
std::optional<std::vector<LayerRange>> ShardsFor(const NewJob& job,
                                                 const JobShape& shape,
                                                 int64_t room_bytes) {
  const auto& cuts = job.spec.partition().cut_points();
  if (cuts.empty()) return LongestShards(shape, room_bytes);
  return ShardsOf({cuts.begin(), cuts.end()}, shape.table->layer_count());
}

DeviceNeed MostOf(const JobShape& shape, int64_t room_bytes) {
  DeviceNeed most;
  for (const LayerRange& layers : shape.shards) {
    const DeviceNeed need = DeviceNeedOf(shape, layers, room_bytes);
    most.forward = std::max(most.forward, need.forward);
    most.backward = std::max(most.backward, need.backward);
    most.evaluate = std::max(most.evaluate, need.evaluate);
  }
  return most;
}

// As Admission::CanEverFit reckons.
int64_t LeastPoolBytes(const v1::PoolDemand& demand, const PlanLimits& limits) {
  const int64_t promised =
      demand.total_bytes() + limits.lookahead * demand.largest_write_bytes();
  return (promised + limits.promised_tenths - 1) / limits.promised_tenths * 10;
}

v1::DevicePlan PlanOn(const NewJob& job, JobShape shape, int64_t limit_bytes,
                      const PlanLimits& limits) {
  v1::DevicePlan plan;
  plan.set_memory_limit_bytes(limit_bytes);
  const int64_t room_bytes = RoomOn(limit_bytes);
  auto shards = ShardsFor(job, shape, room_bytes);
  if (!shards.has_value()) {
    plan.set_refusal(absl::StrCat("a layer alone needs a device of about ",
                                  LimitFor(LeastRoom(shape)), " bytes"));
    return plan;
  }
  shape.shards = *std::move(shards);
  const DeviceNeed need = MostOf(shape, room_bytes);
  if (need.most() > room_bytes) {
    plan.set_refusal(absl::StrCat(
        "with the given cut points a shard needs a device of about ",
        LimitFor(need.most()), " bytes"));
    return plan;
  }
  for (size_t i = 1; i < shape.shards.size(); ++i) {
    plan.add_cut_points(shape.shards[i].first);
  }
  plan.set_forward_bytes(need.forward);
  plan.set_backward_bytes(need.backward);
  plan.set_evaluate_bytes(need.evaluate);
  *plan.mutable_pool_demand() = DemandOf(shape);
  plan.set_least_pool_bytes(LeastPoolBytes(plan.pool_demand(), limits));
  StepBytes step = PredictStepBytes(shape, v1::UPDATE_PLACE_HOST);
  *plan.mutable_promoted() = std::move(step.promoted);
  *plan.mutable_demoted() = std::move(step.demoted);
  step = PredictStepBytes(shape, v1::UPDATE_PLACE_DEVICE);
  *plan.mutable_promoted_with_device_updates() = std::move(step.promoted);
  *plan.mutable_demoted_with_device_updates() = std::move(step.demoted);
  return plan;
}

}  // namespace

v1::JobPlan PlanJob(const NewJob& job, const PlanLimits& limits) {
  const JobShape shape = MakeJobShape(job.spec, job.table);
  v1::JobPlan plan;
  plan.set_name(job.spec.name());
  plan.mutable_parameters()->Assign(job.parameters.begin(),
                                    job.parameters.end());
  plan.set_parameter_count(shape.table->ParameterCount());
  plan.set_trained_count(shape.table->TrainedCount());
  plan.set_layers(shape.table->layer_count());
  plan.set_least_device_bytes(LimitFor(LeastRoom(shape)));
  for (int64_t bytes : limits.device_memory_bytes) {
    *plan.add_devices() = PlanOn(job, shape, bytes, limits);
  }
  return plan;
}

}  // namespace hydra
