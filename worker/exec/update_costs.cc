#include "worker/exec/update_costs.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "absl/types/span.h"
#include "common/clock/steady_time.h"
#include "common/model/model_table.h"
#include "common/status/proto_time.h"
#include "worker/device/host_buffers.h"
#include "worker/model/optimizer_kernel.h"
#include "worker/model/optimizer_step.h"

namespace hydra {
namespace {

// What is copied at once: much, unless the link is slow or the device small.
constexpr int64_t kLeastBytes = int64_t{1} << 20;
constexpr int64_t kMostBytes = int64_t{32} << 20;
constexpr absl::Duration kEnough = absl::Milliseconds(20);
// More than a processor's caches hold.
constexpr int64_t kUpdatedElements = int64_t{1} << 22;
// The first time touches memory that was never used.
constexpr int kTries = 3;

double BestRate(int64_t bytes, const std::function<void()>& work) {
  absl::Duration best = absl::InfiniteDuration();
  for (int i = 0; i < kTries; ++i) {
    const absl::Time begin = SteadyNow();
    work();
    best = std::min(best, SteadyNow() - begin);
  }
  return static_cast<double>(bytes) /
         absl::ToDoubleSeconds(std::max(best, absl::Nanoseconds(1)));
}

double CopyRate(Device& device, CopyLane lane) {
  const int64_t most =
      std::min(kMostBytes, device.arena().largest_free_bytes() / 2);
  const HostBuffers::Buffer host = device.host_buffers().Take(most);
  const at::Tensor tensor = at::empty(
      {most},
      at::TensorOptions().dtype(at::kByte).device(device.torch_device()));
  double rate = 0;
  for (int64_t bytes = std::min(kLeastBytes, most);; bytes *= 2) {
    const at::Tensor part = tensor.narrow(0, 0, bytes);
    rate = BestRate(bytes, [&] {
      const absl::Span<std::byte> span(host.get(), bytes);
      device.Await(lane == CopyLane::kPromote ? device.CopyToDevice(span, part)
                                              : device.CopyToHost(part, span));
    });
    const bool enough =
        static_cast<double>(bytes) / rate >= absl::ToDoubleSeconds(kEnough);
    if (enough || 2 * bytes > most) return rate;
  }
}

}  // namespace

// Of AdamW, from one version to another.
double MeasureHostUpdateRate() {
  std::vector<float> memory(7 * kUpdatedElements);
  const auto array = [&](int i) {
    return memory.data() + i * kUpdatedElements;
  };
  UpdateArrays arrays;
  arrays.gradient = array(0);
  arrays.parameters = array(1);
  arrays.moments = {array(2), array(3)};
  arrays.new_parameters = arrays.copied_parameters = array(4);
  arrays.new_moments = {array(5), array(6)};
  arrays.past_caches = true;
  UpdateScalars scalars;
  scalars.rule = UpdateScalars::Rule::kAdam;
  scalars.epsilon = 1;
  return BestRate(7 * kUpdatedElements * kFloatBytes,
                  [&] { UpdateAll(scalars, arrays, kUpdatedElements); });
}

UpdateCosts CostsOfUpdates(const UpdateRates& rates,
                           const UpdatedParameters& parameters) {
  // Of a parameter.
  const int64_t gradient = kFloatBytes;
  const int64_t state =
      (parameters.moments + (parameters.have_masters ? 1 : 0)) * kFloatBytes;
  const int64_t made = ElementBytes(
      parameters.have_masters ? ElementType::kBFloat16 : ElementType::kFloat32);
  // With a master, the old parameter is not read.
  const int64_t old = parameters.have_masters ? 0 : made;
  const auto seconds = [&](int64_t bytes, double rate) {
    return absl::Seconds(static_cast<double>(bytes) *
                         static_cast<double>(parameters.count) / rate);
  };
  UpdateCosts costs;
  costs.on_host =
      std::max({seconds(gradient, rates.copies.to_host),
                seconds(made, rates.copies.to_device),
                seconds(gradient + old + made + 2 * state, rates.host_update)});
  costs.on_device = std::max(seconds(made + state, rates.copies.to_host),
                             seconds(state, rates.copies.to_device));
  return costs;
}

CopyRates MeasureCopyRates(Device& device) {
  return {CopyRate(device, CopyLane::kPromote),
          CopyRate(device, CopyLane::kDemote)};
}

hydra::v1::UpdatePlan PlanUpdates(hydra::v1::UpdatePlace asked,
                                  const UpdatedParameters& parameters,
                                  bool device_can_update,
                                  const CopyRates& copies) {
  hydra::v1::UpdatePlan plan;
  if (asked == hydra::v1::UPDATE_PLACE_HOST ||
      asked == hydra::v1::UPDATE_PLACE_DEVICE) {
    plan.set_place(asked);
    return plan;
  }
  if (!device_can_update) {
    plan.set_place(hydra::v1::UPDATE_PLACE_HOST);
    return plan;
  }
  const UpdateCosts costs =
      CostsOfUpdates({copies, MeasureHostUpdateRate()}, parameters);
  plan.set_place(costs.on_host <= costs.on_device
                     ? hydra::v1::UPDATE_PLACE_HOST
                     : hydra::v1::UPDATE_PLACE_DEVICE);
  *plan.mutable_on_host() = ToProto(costs.on_host);
  *plan.mutable_on_device() = ToProto(costs.on_device);
  return plan;
}

}  // namespace hydra
