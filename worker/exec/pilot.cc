#include "worker/exec/pilot.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status/proto_time.h"
#include "worker/exec/pilot_trial.h"
#include "worker/exec/update_costs.h"

namespace hydra {
namespace {

using hydra::v1::LayerProfile;
using worker::v1::PilotResult;

int64_t ParameterBytes(const ModelTable& table, int layer) {
  int64_t bytes = 0;
  for (int block : table.layers[layer].parameter_blocks) {
    bytes += table.parameter_blocks[block].size_bytes;
  }
  return bytes;
}

int64_t ParameterCount(const ModelTable& table) {
  int64_t count = 0;
  for (const ParameterBlock& block : table.parameter_blocks) {
    count += block.element_count();
  }
  return count;
}

struct LongestShard {
  // One past its last layer; its first layer if not even that one fits.
  int last = 0;
  // Of the longest trial that fitted; else of one that did not.
  TrialOutcome outcome;
};

LongestShard FindLongestShard(PilotTrial& trial, int first, int layer_count) {
  LongestShard longest;
  longest.last = first;
  int too_long = layer_count + 1;
  int next = layer_count;
  while (longest.last + 1 < too_long) {
    TrialOutcome outcome = trial.Run(first, next);
    if (outcome.fits) {
      longest = {next, std::move(outcome)};
      next = (longest.last + too_long) / 2;
      continue;
    }
    const bool whole_pass = outcome.failed_layer == next - 1;
    too_long = outcome.failed_layer + 1;
    next = whole_pass ? (longest.last + too_long) / 2 : too_long - 1;
    if (longest.last == first) longest.outcome = std::move(outcome);
  }
  return longest;
}

// See RunPilot. `micro_batches` is a step's number of them.
void SetTimes(bool makes_loss, const LayerMeter::Measure& measure,
              absl::Duration evaluation, int micro_batches_run,
              int64_t micro_batches, LayerProfile& profile) {
  absl::Duration forward = measure.forward / micro_batches_run;
  absl::Duration backward = measure.backward / micro_batches_run;
  if (makes_loss) {
    const absl::Duration both = forward + backward;
    forward = std::min(evaluation, both);
    backward = both - forward;
  }
  *profile.mutable_forward() = ToProto(forward);
  *profile.mutable_backward() =
      ToProto(backward + measure.update / micro_batches);
}

void AddProfiles(const ModelTable& table, const TrialOutcome& outcome,
                 int64_t micro_batches, PilotResult& result) {
  for (const auto& [layer, measure] : outcome.measures) {
    LayerProfile* profile = result.add_layers();
    profile->set_layer(layer);
    profile->set_kind(table.layers[layer].kind);
    profile->set_parameter_bytes(ParameterBytes(table, layer));
    profile->set_saved_bytes(measure.saved_bytes);
    profile->set_peak_bytes(measure.peak_bytes);
    SetTimes(layer + 1 == table.layer_count(), measure,
             outcome.evaluation.at(layer), outcome.micro_batches, micro_batches,
             *profile);
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
  return prefetch_bytes + limit_bytes / 50;
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
  if (described.moment_count() > 0 && !device->HostMemoryIsDeviceMemory()) {
    const hydra::v1::UpdatePlace asked = job.spec().train().update_on();
    if (asked == hydra::v1::UPDATE_PLACE_DEVICE && !CanUpdate(*device)) {
      return TaskFailure{absl::InvalidArgumentError(absl::StrCat(
          "train.update_on is device, and ", device->name(),
          " cannot update parameters: remove it, or set it to host"))};
    }
    *result.mutable_updates() = PlanUpdates(asked, ParameterCount(model.table),
                                            model.moment_count(), *device);
    model.update_place = result.updates().place();
  }
  PilotTrial trial(job, model, device,
                   PilotReserveBytes(job.prefetch_bytes(), limit_bytes),
                   control);
  const int layer_count = model.table.layer_count();
  for (int first = 0; first < layer_count;) {
    LongestShard shard = FindLongestShard(trial, first, layer_count);
    if (shard.last == first && first + 1 == layer_count) {
      // It seemed to have just the room for its table, and had not. When it is
      // trained it will find out too, see TaskRunner::Compute.
      trial.StreamAnyway();
      shard = FindLongestShard(trial, first, layer_count);
    }
    if (shard.last == first) {
      return TaskFailure{
          DoesNotFit(model, first, job, limit_bytes, shard.outcome),
          /*layer=*/first};
    }
    AddProfiles(model.table, shard.outcome, model.shape.micro_batches, result);
    log.Log(LogSink::Severity::kInfo,
            absl::StrCat("layers ", first, " to ", shard.last - 1,
                         " fit the device together"));
    if (shard.last < layer_count) result.add_cut_points(shard.last);
    first = shard.last;
  }
  return result;
}

}  // namespace hydra
