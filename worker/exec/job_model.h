#ifndef HYDRA_WORKER_EXEC_JOB_MODEL_H_
#define HYDRA_WORKER_EXEC_JOB_MODEL_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "common/chain/job_shape.h"
#include "common/model/model_table.h"
#include "common/model/optimizer.h"
#include "hydra/worker/v1/worker.pb.h"
#include "worker/exec/content_cache.h"
#include "worker/model/architectures.h"
#include "worker/model/model_layers.h"

namespace hydra {

// A model's shapes and arithmetic. Constant.
struct BuiltModel {
  ModelTable table;
  ModelLayers layers;
};

// What a job's passes compute with: constant for the job.
struct JobModel {
  // Shared by all jobs of the same model.
  std::shared_ptr<const BuiltModel> built;
  const ModelTable& table;
  const ModelLayers& layers;
  // Without shards: the tasks name them.
  JobShape shape;
  // With every default filled in.
  hydra::v1::TrainSpec train;
  // Steps that the job trains; 0 while its data is not prepared.
  int64_t total_steps = 0;
  // As the job asks or its pilot found; what it says is for devices that can
  // do either.
  hydra::v1::UpdatePlace update_place = hydra::v1::UPDATE_PLACE_UNSPECIFIED;

  // Of the step with this number, from 0.
  Hyperparameters HyperparametersAt(int64_t step) const {
    return At(train, step, total_steps);
  }
  // Moments that the optimizer keeps of each parameter.
  int moment_count() const { return static_cast<int>(shape.state_factor); }
};

// The models of all jobs, each built once, for as long as there is room. Not
// thread-safe.
class JobModels {
 public:
  explicit JobModels(int64_t capacity_bytes, Architectures architectures = {})
      : architectures_(architectures), built_(capacity_bytes) {}

  // Reads the files of layers that are code, where that is allowed.
  //
  // INVALID_ARGUMENT: as ModelFamilies::Describe.
  // Others: as ModelLayers::Build, and as ReadJobFile.
  absl::StatusOr<JobModel> For(const worker::v1::JobContext& job);

 private:
  absl::StatusOr<std::shared_ptr<const BuiltModel>> BuiltFor(
      const worker::v1::JobContext& job);

  const Architectures architectures_;
  ContentCache<const BuiltModel> built_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_JOB_MODEL_H_
