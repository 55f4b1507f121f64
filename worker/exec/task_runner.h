#ifndef HYDRA_WORKER_EXEC_TASK_RUNNER_H_
#define HYDRA_WORKER_EXEC_TASK_RUNNER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "common/ids/ids.h"
#include "hydra/worker/v1/worker.pb.h"
#include "worker/device/device.h"
#include "worker/exec/batch_reader.h"
#include "worker/exec/block_io.h"
#include "worker/exec/cache_trials.h"
#include "worker/exec/device_cache.h"
#include "worker/exec/job_model.h"
#include "worker/exec/layer_meter.h"
#include "worker/exec/log_sink.h"
#include "worker/exec/prefetcher.h"
#include "worker/exec/task_failure.h"
#include "worker/exec/task_shape.h"
#include "worker/exec/update_results.h"
#include "worker/model/architectures.h"
#include "worker/task/task_control.h"

namespace hydra {

// Runs a worker's tasks but for host tasks, see RunHostTask, one after
// another, and keeps between them what may be used again: block versions on the
// device, models, and the order in which data are read.
//
// On a device that copies beside computing, the next task's blocks are fetched
// while one computes, as far as there is room: what tasks of its shape needed
// before is left to it, with something to spare.
//
// All calls must come from one thread, the only one of the process that issues
// the device's operations and copies. `device` must outlive this.
class TaskRunner {
 public:
  // The task that will be run after the running one and `index` others, if that
  // is known yet.
  struct NextTask {
    worker::v1::Task task;
    std::shared_ptr<const worker::v1::JobContext> job;
  };
  using FindNext = std::function<std::optional<NextTask>(int index)>;

  TaskRunner(Device* device, HostRange host, Architectures architectures = {});

  // What a task made of itself.
  struct Computed {
    // Not to be told before it is finished: only then is what the task wrote
    // where it says.
    worker::v1::TaskReport report;
    // Waits until all is written, and says in the report, and to the task's
    // log, what became of updates. May be called by another thread, once; null:
    // it is finished. Throws c10::Error if the device has failed.
    std::function<void(worker::v1::TaskReport&)> finish;
  };

  // Runs the task until nothing of it is left for the device to compute. What
  // it wrote may still be on its way to the host, and the host may still update
  // what it has gradients of, while the next task is run. `log` must live until
  // it is finished.
  //
  // Never throws; a failure is in the report. After one, nothing that the task
  // made is left on the device, and no copy is left that would still touch host
  // memory. A loss or gradient that is not finite is no
  // failure; a line of the log says which layers were not updated.
  //
  // A task that runs out of device memory is tried again without the cache:
  // first with the memory laid out as in a pilot, so that what fitted there
  // fits again, then with all of the device. The next tasks of its shape may begin
  // without the cache (cache_trials.h). If that does not help, and
  // the shard's last layer can take a table in ranges, it does so from then on:
  // this device may have room for the table alone, and the pilot's had not, and
  // left it less.
  //
  // Progress is told to `control`, which may stop the task. `find_next` is
  // asked now and then while it runs; what it names may still be withdrawn.
  //
  // The report's error codes:
  // * ABORTED: `control` stopped it.
  // * RESOURCE_EXHAUSTED: the device's memory does not suffice for this task.
  // * INVALID_ARGUMENT and others: what the job's files made impossible.
  // * INTERNAL: the task does not fit the model, or LibTorch failed.
  Computed Compute(const worker::v1::Task& task,
                   const worker::v1::JobContext& job, LogSink& log,
                   TaskControl& control, const FindNext& find_next);

  // The same, and waits until all is written.
  worker::v1::TaskReport Run(const worker::v1::Task& task,
                             const worker::v1::JobContext& job, LogSink& log,
                             TaskControl& control,
                             const FindNext& find_next = {});

  DeviceCache& cache() { return cache_; }

  // Block versions that are on the device, or on their way there. Any thread.
  std::vector<VersionId> CachedVersions() const { return cache_.Versions(); }

  // How long tasks have waited for copies between host and device, up to now;
  // TaskCost.copy says it of each. Any thread.
  absl::Duration copy_wait() const {
    return absl::Nanoseconds(outbound_.waited_ns.load());
  }

 private:
  // With less and less in the way of the task.
  enum class Memory { kWithCache, kAsInPilot, kAll };

  // What one attempt works with.
  struct Attempt {
    Attempt(Device* device, HostRange host, DeviceCache* cache,
            BlockIo::Outbound* outbound, TaskControl* control,
            const FindNext& find_next)
        : io(device, std::move(host), cache, outbound),
          meter(device, &io, control, /*synchronize=*/false),
          prefetches(cache != nullptr && device->CopiesBeside()),
          find_next(find_next) {}

    BlockIo io;
    LayerMeter meter;
    const bool prefetches;
    const FindNext& find_next;
    std::vector<HostBatch> batches;
    // What the task's updates are told of with; null if it has none.
    std::shared_ptr<const BuiltModel> model;
    UpdateResults results;
  };

  using MaybeFailure = std::optional<TaskFailure>;

  // One attempt after the other.
  MaybeFailure TryWithLessAndLess(const worker::v1::Task& task,
                                  const worker::v1::JobContext& job,
                                  LogSink& log, TaskControl& control,
                                  const FindNext& find_next,
                                  Computed& computed);
  // One attempt, with its result and cost in `computed`.
  MaybeFailure Try(Memory memory, const worker::v1::Task& task,
                   const worker::v1::JobContext& job, LogSink& log,
                   TaskControl& control, const FindNext& find_next,
                   Computed& computed);

  // Fill in the report's result. LibTorch's exceptions pass through.
  MaybeFailure Dispatch(const worker::v1::Task& task,
                        const worker::v1::JobContext& job, Attempt& attempt,
                        LogSink& log, TaskControl& control,
                        worker::v1::TaskReport& report);
  MaybeFailure RunShard(const worker::v1::Task& task,
                        const worker::v1::JobContext& job,
                        const JobModel& model, Attempt& attempt,
                        worker::v1::TaskReport& report);
  // What Computed has of a task that did not fail; finishes it if there is
  // nothing to wait for. LibTorch's exceptions pass through.
  void SetFinish(const worker::v1::Task& task, Attempt& attempt, LogSink& log,
                 Computed& computed);
  // Waits until nothing touches the host any more.
  MaybeFailure Settle(BlockIo& io);

  // See StreamedBlock. Requires a shard of the model.
  int StreamedBlockOf(const worker::v1::Task& task,
                      const worker::v1::JobContext& job,
                      const JobModel& model) const;

  // Has tasks of this shape stream from now on, wherever the table would fit.
  // False: they do it already, or there is nothing to stream.
  bool BeginStreaming(const worker::v1::Task& task,
                      const worker::v1::JobContext& job);

  // Of the device, what tasks of this shape were seen not to need; 0: none was
  // seen.
  int64_t SpareRoom(const worker::v1::Task& task,
                    const worker::v1::JobContext& job) const;
  Prefetcher::ComingTask ComingTaskOf(const NextTask& next);

  // What `body` returns, or makes of the exceptions that it throws.
  static MaybeFailure Catch(absl::FunctionRef<MaybeFailure()> body);

  // What earlier tasks of the same shape taught. Where there was none, its
  // parameters and gradients say whether it can leave much room.
  bool FitsBesideCache(const worker::v1::Task& task,
                       const worker::v1::JobContext& job);
  // Of the shard's parameters, and of their gradients if it makes some, as far
  // as they are on the device as a whole.
  int64_t BlockBytesOf(const worker::v1::Task& task,
                       const worker::v1::JobContext& job);
  void RememberNeed(const worker::v1::Task& task,
                    const worker::v1::JobContext& job, int64_t bytes);

  Device* const device_;
  const HostRange host_;
  DeviceCache cache_;
  BlockIo::Outbound outbound_;
  JobModels models_;
  BatchReader batches_;
  CacheTrials cache_trials_;
  // Ran out of memory with a table held whole.
  absl::flat_hash_set<TaskShape> streams_anyway_;
  // Most of the device that a task of the shape needed.
  absl::flat_hash_map<TaskShape, int64_t> needed_bytes_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_TASK_RUNNER_H_
