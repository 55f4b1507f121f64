#include "worker/exec/pilot.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/chain/device_need.h"
#include "common/status/proto_time.h"
#include "worker/exec/pass.h"
#include "worker/exec/pilot_cut.h"
#include "worker/exec/pilot_trial.h"
#include "worker/exec/step_model.h"
#include "worker/exec/update_costs.h"

namespace hydra {
namespace {

using hydra::v1::LayerProfile;
using worker::v1::PilotResult;

// What a shorter predicted step must be of that in the longest shards, so that
// it is cut for it: the prediction is not exact.
constexpr double kWorthwhile = 0.97;

int64_t ParameterBytes(const ModelTable& table, int layer) {
  int64_t bytes = 0;
  for (int block : table.layers[layer].parameter_blocks) {
    bytes += table.parameter_blocks[block].size_bytes;
  }
  return bytes;
}

// Padding included, as it is updated too.
UpdatedParameters UpdatedOf(const JobModel& model) {
  return {model.table.TrainedElements(), model.moment_count(),
          model.table.HasMasters()};
}

void AddProfiles(const JobShape& shape, const TrialOutcome& outcome,
                 PilotResult& result) {
  for (const auto& [layer, measure] : outcome.measures) {
    LayerProfile* profile = result.add_layers();
    profile->set_layer(layer);
    profile->set_kind(shape.table->layers[layer].kind);
    profile->set_parameter_bytes(ParameterBytes(*shape.table, layer));
    profile->set_saved_bytes(measure.saved_bytes);
    profile->set_peak_bytes(measure.peak_bytes);
    const LayerTimes times = TimesOf(shape, outcome, layer);
    *profile->mutable_forward() = ToProto(times.forward);
    *profile->mutable_backward() = ToProto(times.backward);
  }
}

absl::Status DoesNotFit(const JobModel& model, int layer,
                        const worker::v1::JobContext& job, int64_t limit_bytes,
                        const TrialOutcome& outcome) {
  const ModelTable& table = model.table;
  return absl::ResourceExhaustedError(
      absl::StrCat("layer ", layer, " (", table.layers[layer].kind,
                   ") needs more than the device's ", limit_bytes,
                   " bytes: its parameters take ", ParameterBytes(table, layer),
                   ", one boundary tensor takes ",
                   table.LargestBoundaryBytes(model.shape.micro_batch_size,
                                              model.shape.context_length),
                   ", ", job.prefetch_bytes(), " are kept for prefetching; ",
                   outcome.message));
}

// A trial makes host data as large as the device needs them. Where one boundary
// tensor alone is too large for the device, none should be tried.
absl::Status CheckBoundary(const JobShape& shape, int64_t limit_bytes) {
  const int64_t boundary_bytes = shape.LargestBoundaryBytes();
  if (boundary_bytes <= limit_bytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("a boundary tensor of ",
                   std::max(shape.micro_batch_size, shape.eval_batch_size),
                   " sequences takes ", boundary_bytes,
                   " bytes, the device has ", limit_bytes));
}

}  // namespace

int64_t PilotReserveBytes(int64_t prefetch_bytes, int64_t limit_bytes) {
  return prefetch_bytes + limit_bytes / kScatterShare;
}

PilotOutcome RunPilot(const worker::v1::JobContext& job,
                      const JobModel& described, Device* device, LogSink& log,
                      TaskControl* control) {
  const int64_t limit_bytes = device->arena().limit_bytes();
  if (absl::Status fits = CheckBoundary(described.shape, limit_bytes);
      !fits.ok()) {
    return TaskFailure{std::move(fits), /*layer=*/0};
  }
  PilotResult result;
  JobModel model = described;
  const CopyRates rates = MeasureCopyRates(*device);
  const bool has_memory = !device->HostMemoryIsDeviceMemory();
  if (described.shape.KeepsState() && has_memory) {
    const hydra::v1::UpdatePlace asked = described.shape.gradients_wait()
                                             ? hydra::v1::UPDATE_PLACE_HOST
                                             : job.spec().train().update_on();
    if (asked == hydra::v1::UPDATE_PLACE_DEVICE && !CanUpdate(*device)) {
      return TaskFailure{absl::InvalidArgumentError(absl::StrCat(
          "train.update_on is device, and ", device->name(),
          " cannot update parameters: remove it, or set it to host"))};
    }
    *result.mutable_updates() =
        PlanUpdates(asked, UpdatedOf(model), CanUpdate(*device), rates);
    model.update_place = result.updates().place();
  }
  const int64_t reserve_bytes =
      PilotReserveBytes(job.prefetch_bytes(), limit_bytes);
  PilotTrial trial(job, model, device, reserve_bytes, control);
  const int layer_count = model.table.layer_count();
  PilotCut cut = FindLongestShards(trial, layer_count, log);
  if (cut.outcomes.size() > cut.shards.size()) {
    const int layer = cut.shards.empty() ? 0 : cut.shards.back().last;
    return TaskFailure{
        DoesNotFit(model, layer, job, limit_bytes, cut.outcomes.back()), layer};
  }

  StepModel::Device costs;
  costs.to_device = rates.to_device;
  costs.to_host = rates.to_host;
  costs.copies_beside = device->CopiesBeside();
  costs.memory_bytes = limit_bytes - PilotReserveBytes(0, limit_bytes);
  costs.most_needed_bytes = limit_bytes - reserve_bytes;
  costs.table_room_bytes = trial.RoomForTable();
  const bool state_moves = has_memory && !UpdatesOnHost(model, *device);
  const StepModel step(model.shape, costs, state_moves,
                       CostsOf(model.shape, cut, costs.table_room_bytes));
  const absl::Duration in_longest = step.StepTime(cut.shards);
  *result.mutable_step_of_longest_shards() = ToProto(in_longest);
  if (job.spec().partition().shards() != hydra::v1::SHARD_CHOICE_LONGEST) {
    const std::vector<LayerRange> fastest = step.FastestShards();
    if (!fastest.empty() && step.StepTime(fastest) < kWorthwhile * in_longest) {
      if (auto fits = TryShards(trial, fastest, cut)) cut = *std::move(fits);
    }
  }
  *result.mutable_step() = ToProto(step.StepTime(cut.shards));
  for (size_t i = 0; i < cut.shards.size(); ++i) {
    const LayerRange& shard = cut.shards[i];
    AddProfiles(model.shape, cut.outcomes[i], result);
    if (i > 0) result.add_cut_points(shard.first);
  }
  log.Log(LogSink::Severity::kInfo,
          absl::StrCat("cut before layers [",
                       absl::StrJoin(result.cut_points(), ", "),
                       "]: a step should take ",
                       absl::FormatDuration(FromProto(result.step())),
                       ", and in the longest shards ",
                       absl::FormatDuration(in_longest)));
  return result;
}

}  // namespace hydra
