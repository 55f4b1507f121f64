#include "scheduler/core/job_plan.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/chain/device_need.h"
#include "common/chain/job_shape.h"
#include "common/chain/step_bytes.h"
#include "scheduler/core/admission.h"
#include "scheduler/core/plan.h"
#include "scheduler/core/rounds.h"

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
int64_t PoolBytesFor(const v1::PoolDemand& demand, const PlanLimits& limits) {
  const int64_t promised =
      demand.total_bytes() + limits.lookahead * demand.largest_write_bytes();
  return limits.pool_first_byte +
         (promised + limits.promised_tenths - 1) / limits.promised_tenths * 10;
}

// In these shards, and in as many rounds as it takes.
int64_t LeastPoolBytes(const JobShape& shape, const PlanLimits& limits) {
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const v1::PoolDemand& demand : DemandsInRounds(shape)) {
    least = std::min(least, PoolBytesFor(demand, limits));
  }
  return least;
}

v1::DevicePlan PlanOn(const NewJob& job, JobShape shape, int64_t limit_bytes,
                      const PlanLimits& limits) {
  v1::DevicePlan plan;
  plan.set_memory_limit_bytes(limit_bytes);
  const int64_t room_bytes = RoomOn(limit_bytes) - limits.prefetch_bytes;
  auto shards = ShardsFor(job, shape, room_bytes);
  if (!shards.has_value()) {
    plan.set_refusal(absl::StrCat(
        "a layer alone needs a device of about ",
        LimitFor(LeastRoom(shape) + limits.prefetch_bytes), " bytes"));
    return plan;
  }
  shape.shards = *std::move(shards);
  const DeviceNeed need = MostOf(shape, room_bytes);
  if (need.most() > room_bytes) {
    plan.set_refusal(absl::StrCat(
        "with the given cut points a shard needs a device of about ",
        LimitFor(need.most() + limits.prefetch_bytes), " bytes"));
    return plan;
  }
  for (size_t i = 1; i < shape.shards.size(); ++i) {
    plan.add_cut_points(shape.shards[i].first);
  }
  plan.set_forward_bytes(need.forward);
  plan.set_backward_bytes(need.backward);
  plan.set_evaluate_bytes(need.evaluate);
  *plan.mutable_pool_demand() = DemandOf(shape);
  plan.set_least_pool_bytes(LeastPoolBytes(shape, limits));
  StepBytes step = PredictStepBytes(shape, v1::UPDATE_PLACE_HOST);
  *plan.mutable_promoted() = std::move(step.promoted);
  *plan.mutable_demoted() = std::move(step.demoted);
  step = PredictStepBytes(shape, v1::UPDATE_PLACE_DEVICE);
  *plan.mutable_promoted_with_device_updates() = std::move(step.promoted);
  *plan.mutable_demoted_with_device_updates() = std::move(step.demoted);
  return plan;
}

}  // namespace

std::string PlanContent(const NewJob& job) {
  const v1::TrainSpec& train = job.spec.train();
  return absl::StrCat(TableContent(job.spec, *job.model_config_json), "|",
                      train.per_device_train_batch_size(), " ",
                      train.gradient_accumulation_steps(), " ",
                      train.micro_batches_per_round(), " ",
                      train.context_length(), " ", train.optim(), " ",
                      train.momentum() > 0, " ", train.max_grad_norm() > 0, " ",
                      job.spec.evaluation().per_device_eval_batch_size(), " ",
                      absl::StrJoin(job.spec.partition().cut_points(), ","));
}

std::vector<std::string> PlanWarnings(const NewJob& job) {
  if (!job.table->RunsOwnCode()) return {};
  return {absl::StrCat(
      job.spec.model().path(),
      ": its layers are code of its own, and what they take of a device beside "
      "parameters, gradients and boundaries shows only when they run: devices "
      "need more than this plan says, and the job's pilot measures how much")};
}

v1::JobPlan PlanJob(const NewJob& job, const PlanLimits& limits) {
  const JobShape shape = MakeJobShape(job.spec, job.table);
  v1::JobPlan plan;
  plan.set_name(job.spec.name());
  plan.mutable_parameters()->Assign(job.parameters.begin(),
                                    job.parameters.end());
  plan.set_parameter_count(shape.table->ParameterCount());
  plan.set_trained_count(shape.table->TrainedCount());
  plan.set_layers(shape.table->layer_count());
  plan.set_least_device_bytes(
      LimitFor(LeastRoom(shape) + limits.prefetch_bytes));
  for (int64_t bytes : limits.device_memory_bytes) {
    *plan.add_devices() = PlanOn(job, shape, bytes, limits);
  }
  return plan;
}

}  // namespace hydra
