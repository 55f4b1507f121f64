#ifndef HYDRA_WORKER_EXEC_PILOT_CUT_H_
#define HYDRA_WORKER_EXEC_PILOT_CUT_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "common/chain/job_shape.h"
#include "common/chain/layer_range.h"
#include "worker/exec/log_sink.h"
#include "worker/exec/pilot_trial.h"
#include "worker/exec/step_model.h"

namespace hydra {

// A model cut into shards that fit the device, each with the trial that showed
// it.
struct PilotCut {
  std::vector<LayerRange> shards;
  std::vector<TrialOutcome> outcomes;
};

// As few shards as the device lets be, made as long as possible from the first
// layer on: Algorithm 1 of Hydra's paper, see RunPilot. If a layer does not fit
// alone, the shards end before it, and the last outcome is that of its trial.
// Each shard that is found is logged.
PilotCut FindLongestShards(PilotTrial& trial, int layer_count, LogSink& log);

// Whether these shards fit; nothing if one does not. Those that are in `known`
// are not tried again.
std::optional<PilotCut> TryShards(PilotTrial& trial,
                                  const std::vector<LayerRange>& shards,
                                  const PilotCut& known);

// What each layer costs, in chain order, as the cut's trials measured it, with
// so much room for a table.
std::vector<LayerCost> CostsOf(const JobShape& shape, const PilotCut& cut,
                               int64_t table_room_bytes);

// The times of one layer in that order's terms.
struct LayerTimes {
  absl::Duration forward;
  absl::Duration backward;
};
LayerTimes TimesOf(const JobShape& shape, const TrialOutcome& outcome,
                   int layer);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_PILOT_CUT_H_
