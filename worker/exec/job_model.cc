#include "worker/exec/job_model.h"

#include <utility>

#include "common/model/gpt2_config.h"
#include "common/model/optimizer.h"

namespace hydra {

absl::StatusOr<std::unique_ptr<const JobModel>> BuildJobModel(
    const worker::v1::JobContext& job) {
  auto config = ParseGpt2Config(job.model_config_json());
  if (!config.ok()) return config.status();
  const hydra::v1::TrainSpec& train = job.spec().train();
  if (train.has_dropout()) {
    config->embd_pdrop = train.dropout();
    config->attn_pdrop = train.dropout();
    config->resid_pdrop = train.dropout();
  }
  ModelTable table = BuildGpt2Table(*config);
  ModelLayers layers = ModelLayers::Build(table);
  return std::make_unique<const JobModel>(
      JobModel{std::move(table), std::move(layers), HyperparametersOf(train),
               static_cast<int>(OptimizerStateFactor(train))});
}

}  // namespace hydra
