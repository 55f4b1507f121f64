#ifndef HYDRA_WORKER_EXEC_HOST_TASK_H_
#define HYDRA_WORKER_EXEC_HOST_TASK_H_

#include "common/model/describe.h"
#include "hydra/worker/v1/worker.pb.h"
#include "worker/exec/log_sink.h"
#include "worker/task/task_control.h"

namespace hydra {

// Whether the task needs neither the device nor a block: PREPARE. It may take
// hours, and runs beside the thread that computes.
bool IsHostTask(const worker::v1::Task& task);

// Runs such a task. Uses nothing of LibTorch; thread-safe. Never throws; a
// failure is in the report.
//
// The report's error codes:
// * ABORTED: `control` stopped it. The next one for the same data goes on from
//   what is written, see worker/data/token_cache.h.
// * INVALID_ARGUMENT and others: what the job's files made impossible.
// * INTERNAL: out of host memory, or a fault of ours.
worker::v1::TaskReport RunHostTask(
    const worker::v1::Task& task, const worker::v1::JobContext& job,
    LogSink& log, TaskControl& control,
    const ModelFamilies& families = KnownFamilies());

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_HOST_TASK_H_
