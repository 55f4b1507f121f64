#ifndef HYDRA_WORKER_EXEC_TASK_RUNNER_H_
#define HYDRA_WORKER_EXEC_TASK_RUNNER_H_

#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "common/ids/ids.h"
#include "hydra/worker/v1/worker.pb.h"
#include "worker/device/device.h"
#include "worker/exec/batch_reader.h"
#include "worker/exec/block_io.h"
#include "worker/exec/device_cache.h"
#include "worker/exec/job_model.h"
#include "worker/exec/layer_meter.h"
#include "worker/exec/log_sink.h"
#include "worker/exec/task_failure.h"
#include "worker/model/architectures.h"
#include "worker/task/task_control.h"

namespace hydra {

// Runs a worker's tasks but for host tasks, see RunHostTask, one after
// another, and keeps between them what may be used again: block versions on the
// device, models, and the order in which data are read.
//
// All calls must come from one thread, the only one of the process that issues
// LibTorch's operations. `device` must outlive this.
class TaskRunner {
 public:
  TaskRunner(Device* device, HostRange host, Architectures architectures = {});

  // Never throws; a failure is in the report. After one, nothing that the task
  // made is left on the device. However it ended, no copy is left that would
  // still touch host memory. A loss or gradient that is not finite is no
  // failure; a line of the log says which layers were not updated.
  //
  // A task that runs out of device memory is tried again without the cache:
  // first with the memory laid out as in a pilot, so that what fitted there
  // fits again, then with all of the device. The job's later tasks of the same
  // kind and first layer begin without the cache.
  //
  // Progress is told to `control`, which may stop the task.
  //
  // The report's error codes:
  // * ABORTED: `control` stopped it.
  // * RESOURCE_EXHAUSTED: the device's memory does not suffice for this task.
  // * INVALID_ARGUMENT and others: what the job's files made impossible.
  // * INTERNAL: the task does not fit the model, or LibTorch failed.
  worker::v1::TaskReport Run(const worker::v1::Task& task,
                             const worker::v1::JobContext& job, LogSink& log,
                             TaskControl& control);

  DeviceCache& cache() { return cache_; }

 private:
  // Which tasks are alike in what they need: those of one job, kind and first
  // layer.
  using TaskShape = std::tuple<JobId, worker::v1::TaskKind, int>;

  // With less and less in the way of the task.
  enum class Memory { kWithCache, kAsInPilot, kAll };

  // What one attempt works with.
  struct Attempt {
    Attempt(Device* device, HostRange host, DeviceCache* cache,
            TaskControl* control)
        : io(device, std::move(host), cache),
          meter(device, &io, control, /*synchronize=*/false) {}

    BlockIo io;
    LayerMeter meter;
    // Copies may read them until the attempt's end has synchronized the device.
    std::vector<HostBatch> batches;
  };

  using MaybeFailure = std::optional<TaskFailure>;

  // One attempt, with its result and cost in `report`.
  MaybeFailure Try(Memory memory, const worker::v1::Task& task,
                   const worker::v1::JobContext& job, LogSink& log,
                   TaskControl& control, worker::v1::TaskReport& report);

  // Fill in the report's result. LibTorch's exceptions pass through.
  MaybeFailure Dispatch(const worker::v1::Task& task,
                        const worker::v1::JobContext& job, Attempt& attempt,
                        LogSink& log, TaskControl& control,
                        worker::v1::TaskReport& report);
  MaybeFailure RunShard(const worker::v1::Task& task,
                        const worker::v1::JobContext& job,
                        const JobModel& model, Attempt& attempt, LogSink& log,
                        worker::v1::TaskReport& report);

  // What `body` returns, or makes of the exceptions that it throws.
  static MaybeFailure Catch(absl::FunctionRef<MaybeFailure()> body);

  // What earlier tasks of the same shape taught.
  bool IsTooLargeForCache(const worker::v1::Task& task) const;
  void RememberTooLargeForCache(const worker::v1::Task& task);

  Device* const device_;
  const HostRange host_;
  DeviceCache cache_;
  JobModels models_;
  BatchReader batches_;
  // Ran out of memory with the cache.
  absl::flat_hash_set<TaskShape> too_large_for_cache_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_TASK_RUNNER_H_
