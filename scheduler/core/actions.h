#ifndef HYDRA_SCHEDULER_CORE_ACTIONS_H_
#define HYDRA_SCHEDULER_CORE_ACTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/checkpoint/written_model.h"
#include "common/ids/ids.h"
#include "hydra/checkpoint/v1/checkpoint.pb.h"
#include "hydra/v1/hydra.pb.h"
#include "hydra/v1/status.pb.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/core/block_table.h"
#include "scheduler/core/task_trace.h"

namespace hydra {

// A job's model to write, as it stands. The blocks' slots stay as they are
// until the core is told that they are written.
struct ModelToWrite : WrittenModel {
  JobId job;
  // As whom its files are read and written; none: nobody knows whose job it is.
  std::optional<uint32_t> owner;
  std::vector<std::pair<BlockKey, Version>> blocks;
};

// The trained model: those of its parameters that IsInFile() is true of, or
// all, where adapters are merged; in the table's order.
struct SaveRequest : ModelToWrite {
  // The job's configuration and what it measured, to be kept beside the model.
  hydra::v1::JobDetail detail;
};

// A checkpoint; its blocks are in the order in which training will replace
// them.
struct CheckpointRequest : ModelToWrite {
  checkpoint::v1::Manifest manifest;
};

// The whole desired state of a worker; only the newest matters.
struct WorkerMessage {
  WorkerId worker;
  hydra::worker::v1::DesiredState desired;
};

// Ends the worker's process; Core::WorkerDied follows when it is dead.
struct WorkerKill {
  WorkerId worker;
  std::string reason;
};

// Removes the directory of a job's checkpoint; why it could not is told in the
// job's log.
struct CheckpointRemoval {
  JobId job;
  std::string path;
  // As ModelToWrite's.
  std::optional<uint32_t> owner;
};

// Removes a job's log: nobody finds the job any more.
struct LogRemoval {
  JobId job;
};

// Remembers what a pilot found, for daemons to come.
struct FoundPartition {
  std::string key;
  hydra::v1::Partition partition;
};

// Keeps a line with the job.
struct LineForJob {
  JobId job;
  hydra::v1::LogLine line;
};

// The job's worker had to drop so many of its lines.
struct DroppedLines {
  JobId job;
  int64_t count = 0;
};

// Everything that the lines of this process were to be kept for is among the
// actions before this one: once they are kept, or lost for good,
// Core::LogLinesKept follows, and the worker forgets its lines up to
// `sequence`.
struct LogLinesTaken {
  WorkerId worker;
  std::string session;
  uint64_t sequence = 0;
};

// What the core wants done outside, as a value. Whoever runs the core carries
// it out once its turn is recorded (see journal.h); none of it may make the
// core wait, and the outcome comes as an event: Core::ModelSaved for a
// SaveRequest; CheckpointBlockWritten and CheckpointWritten for a
// CheckpointRequest, of which there is one at a time. Traces are remembered for
// people who ask.
using Action =
    std::variant<WorkerMessage, WorkerKill, SaveRequest, CheckpointRequest,
                 CheckpointRemoval, LogRemoval, FoundPartition, LineForJob,
                 DroppedLines, LogLinesTaken, TaskTrace, DecisionTrace>;

// In the order in which they are to be carried out.
using Actions = std::vector<Action>;

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_ACTIONS_H_
