#ifndef HYDRA_WORKER_EXEC_PILOT_TRIAL_H_
#define HYDRA_WORKER_EXEC_PILOT_TRIAL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/types/span.h"
#include "common/chain/layer_range.h"
#include "hydra/worker/v1/worker.pb.h"
#include "worker/device/device.h"
#include "worker/exec/batch_reader.h"
#include "worker/exec/block_io.h"
#include "worker/exec/job_model.h"
#include "worker/exec/layer_meter.h"
#include "worker/exec/repeated_memory.h"
#include "worker/task/task_control.h"

namespace hydra {

// Host memory of one piece of made-up data: much more than a processor's caches
// hold, so that copies are as slow as they are when training.
inline constexpr int64_t kPilotPieceBytes = int64_t{64} << 20;

// How a shard's passes went on the device.
struct TrialOutcome {
  bool fits = false;
  // By layer, of the BACKWARD or TURN, summed over so many micro-batches and
  // one update; of the FORWARD if there is none of these.
  absl::btree_map<int, LayerMeter::Measure> measures;
  int micro_batches = 0;
  // By layer, what its forward took in an EVALUATE, for as many tokens as one
  // micro-batch has.
  absl::btree_map<int, absl::Duration> evaluation;

  // If it does not fit: every shard that begins with the same layer and whose
  // last layer lies at or behind this is as bad. What LibTorch said.
  int failed_layer = -1;
  std::string message;
};

// Runs the passes of shards as training would, on made-up data: random tokens,
// and blocks that all share one piece of host memory full of small numbers;
// what is made goes to another piece. Each takes kPilotPieceBytes at most,
// however large the blocks are. The passes are the real ones, so what fits here
// fits there.
//
// However many micro-batches a step has, two at most are run: the memory is the
// same after each further one, but for what gathered rows keep, and that is
// set aside.
//
// Nothing but the passes may use the device meanwhile. Not thread-safe. Owns
// the made-up data; its end waits until no copy uses them any more.
class PilotTrial {
 public:
  // `reserve_bytes` of the device stay free in every trial. `model`, `device`,
  // `job` and `control` must outlive this. Throws c10::Error if there is not
  // even so much host memory.
  PilotTrial(const worker::v1::JobContext& job, const JobModel& model,
             Device* device, int64_t reserve_bytes, TaskControl* control);
  ~PilotTrial();

  PilotTrial(const PilotTrial&) = delete;
  PilotTrial& operator=(const PilotTrial&) = delete;

  // The BACKWARD, or TURN, of the layers [first, last), if gradients come to
  // them; a FORWARD before a cut; an EVALUATE. Throws TaskStopped.
  TrialOutcome Run(int first, int last);

  // From now on the last layer's table is streamed wherever it can be, see
  // StreamedBlock.
  void StreamAnyway() { streams_anyway_ = true; }

  // For StreamedBlock.
  int64_t RoomForTable() const;

 private:
  worker::v1::Task BackwardTask(const LayerRange& layers) const;
  void RunPass(const worker::v1::Task& task,
               absl::Span<const HostBatch> batches, BlockIo& io,
               LayerMeter& meter);
  absl::Span<std::byte> HostBytes(int64_t offset, int64_t bytes);
  // Device bytes that layers which gather rows keep of the micro-batches that
  // are not run.
  int64_t KeptBytesNotRun(const LayerRange& layers) const;

  const JobModel& model_;
  Device* const device_;
  const int64_t reserve_bytes_;
  TaskControl* const control_;
  bool streams_anyway_ = false;
  std::vector<HostBatch> training_;
  std::vector<HostBatch> evaluation_;
  // Every block that a trial reads begins here.
  std::unique_ptr<const RepeatedMemory> read_;
  // And every one that it makes, here: nobody reads it.
  std::unique_ptr<const RepeatedMemory> made_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_PILOT_TRIAL_H_
