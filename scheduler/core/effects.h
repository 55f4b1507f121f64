#ifndef HYDRA_SCHEDULER_CORE_EFFECTS_H_
#define HYDRA_SCHEDULER_CORE_EFFECTS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/ids/ids.h"
#include "common/model/model_table.h"
#include "hydra/checkpoint/v1/checkpoint.pb.h"
#include "hydra/v1/hydra.pb.h"
#include "hydra/v1/status.pb.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/core/block_table.h"

namespace hydra {

// What must be written for one job. The slots stay as they are until the core
// is told that it is done.
struct SaveRequest {
  JobId job;
  ModelTable table;
  std::string model_config_json;
  // Where files come from that go along with the weights.
  std::string model_dir;
  std::string tokenizer_dir;
  std::string output_path;
  // The job's configuration and what it measured, to be kept beside the model.
  hydra::v1::JobDetail detail;
  // The version of each parameter block, in the table's order.
  std::vector<Version> parameters;
};

// A checkpoint to write. The blocks' slots stay as they are until the core is
// told that they are written.
struct CheckpointRequest {
  JobId job;
  ModelTable table;
  std::string model_config_json;
  std::string tokenizer_dir;
  // The directory to make.
  std::string path;
  checkpoint::v1::Manifest manifest;
  // In the order in which training will replace them.
  std::vector<std::pair<BlockKey, Version>> blocks;
};

// What the core wants done outside. Called from the core's thread, and none of
// it may block or call back; the outcome comes as an event. Null objects and
// recording fakes are easy on purpose.
class Effects {
 public:
  virtual ~Effects() = default;

  // Sends the whole desired state to a worker; only the newest matters.
  virtual void SendDesired(WorkerId worker,
                           const hydra::worker::v1::DesiredState& desired) = 0;
  // Ends the worker's process; Core::WorkerDied follows when it is dead.
  virtual void KillWorker(WorkerId worker, absl::string_view reason) = 0;
  // Writes a trained model; Core::ModelSaved follows.
  virtual void SaveModel(const SaveRequest& request) = 0;
  // Writes a checkpoint; Core::CheckpointBlockWritten and CheckpointWritten
  // follow. One at a time.
  virtual void WriteCheckpoint(const CheckpointRequest& request) = 0;
  // Removes the directory of a job's checkpoint; why it could not is told in
  // the job's log.
  virtual void RemoveCheckpoint(JobId job, const std::string& path) = 0;
  // Remembers what a pilot found, for daemons to come.
  virtual void StorePartition(const std::string& key,
                              const hydra::v1::Partition& partition) = 0;
  // Keeps a line with the job.
  virtual void LogForJob(JobId job, const hydra::v1::LogLine& line) = 0;
  // Lines of the job that its worker had to drop.
  virtual void LogLinesDropped(JobId job, int64_t count) = 0;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_EFFECTS_H_
