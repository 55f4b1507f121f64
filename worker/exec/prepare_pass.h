#ifndef HYDRA_WORKER_EXEC_PREPARE_PASS_H_
#define HYDRA_WORKER_EXEC_PREPARE_PASS_H_

#include "absl/status/statusor.h"
#include "common/model/model_table.h"
#include "hydra/worker/v1/worker.pb.h"
#include "worker/exec/log_sink.h"
#include "worker/task/task_control.h"

namespace hydra {

// PREPARE: makes or finds the prepared file of every split that the job's data
// names, of what the model of `table` is fed.
//
// Errors: as Prepare's of worker/data/token_cache.h, PrepareExamples' of
// worker/data/example_cache.h, and ReadImageReading's and PrepareImages' of
// worker/data/image/image_cache.h.
absl::StatusOr<worker::v1::PrepareResult> RunPreparePass(
    const worker::v1::JobContext& job, const ModelTable& table, LogSink& log,
    TaskControl& control);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_PREPARE_PASS_H_
