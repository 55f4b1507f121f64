#ifndef HYDRA_WORKER_EXEC_JOB_MODEL_H_
#define HYDRA_WORKER_EXEC_JOB_MODEL_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/model/model_table.h"
#include "hydra/worker/v1/worker.pb.h"
#include "worker/model/model_layers.h"
#include "worker/model/optimizer_step.h"

namespace hydra {

// What a job's passes compute with: constant for the job.
struct JobModel {
  // With the job's own dropout, if it has one, in its config.
  ModelTable table;
  ModelLayers layers;
  Hyperparameters hyperparameters;
  // Moments that the optimizer keeps of each parameter.
  int moment_count = 0;
};

// INVALID_ARGUMENT: as ParseGpt2Config.
absl::StatusOr<std::unique_ptr<const JobModel>> BuildJobModel(
    const worker::v1::JobContext& job);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_JOB_MODEL_H_
