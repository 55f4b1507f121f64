#include "worker/exec/pilot_cut.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

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

}  // namespace

PilotCut FindLongestShards(PilotTrial& trial, int layer_count, LogSink& log) {
  PilotCut cut;
  for (int first = 0; first < layer_count;) {
    LongestShard shard = FindLongestShard(trial, first, layer_count);
    if (shard.last == first && first + 1 == layer_count) {
      // It seemed to have just the room for its table, and had not. When it is
      // trained it will find out too, see TaskRunner::Compute.
      trial.StreamAnyway();
      shard = FindLongestShard(trial, first, layer_count);
    }
    cut.outcomes.push_back(std::move(shard.outcome));
    if (shard.last == first) break;
    cut.shards.push_back({first, shard.last});
    log.Log(LogSink::Severity::kInfo,
            absl::StrCat("layers ", first, " to ", shard.last - 1,
                         " fit the device together"));
    first = shard.last;
  }
  return cut;
}

std::optional<PilotCut> TryShards(PilotTrial& trial,
                                  const std::vector<LayerRange>& shards,
                                  const PilotCut& known) {
  PilotCut cut;
  for (const LayerRange& shard : shards) {
    const auto same =
        std::find(known.shards.begin(), known.shards.end(), shard);
    TrialOutcome outcome = same == known.shards.end()
                               ? trial.Run(shard.first, shard.last)
                               : known.outcomes[same - known.shards.begin()];
    if (!outcome.fits) return std::nullopt;
    cut.shards.push_back(shard);
    cut.outcomes.push_back(std::move(outcome));
  }
  return cut;
}

std::vector<LayerCost> CostsOf(const JobShape& shape, const PilotCut& cut,
                               int64_t table_room_bytes) {
  std::vector<LayerCost> costs(shape.table->layer_count());
  for (size_t i = 0; i < cut.shards.size(); ++i) {
    const LayerRange& shard = cut.shards[i];
    const TrialOutcome& outcome = cut.outcomes[i];
    for (int layer = shard.first; layer < shard.last; ++layer) {
      const LayerTimes times = TimesOf(shape, outcome, layer);
      costs[layer] = {times.forward, times.backward,
                      outcome.measures.at(layer).saved_bytes};
    }
    const std::vector<int64_t> held =
        StepModel::HeldBytes(shape, shard, costs, table_room_bytes);
    for (int layer = shard.first; layer < shard.last; ++layer) {
      costs[layer].own_bytes = std::max<int64_t>(
          0, outcome.measures.at(layer).peak_bytes - held[layer - shard.first]);
    }
  }
  return costs;
}

LayerTimes TimesOf(const JobShape& shape, const TrialOutcome& outcome,
                   int layer) {
  const LayerMeter::Measure& measure = outcome.measures.at(layer);
  LayerTimes times;
  times.forward = measure.forward / outcome.micro_batches;
  times.backward = measure.backward / outcome.micro_batches;
  if (layer + 1 == shape.table->layer_count()) {
    const absl::Duration both = times.forward + times.backward;
    times.forward = std::min(outcome.evaluation.at(layer), both);
    times.backward = both - times.forward;
  }
  times.backward += measure.update / shape.micro_batches;
  return times;
}

}  // namespace hydra
