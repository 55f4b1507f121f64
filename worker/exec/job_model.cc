#include "worker/exec/job_model.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/plain_file.h"
#include "common/data/batch_plan.h"
#include "common/data/split_windows.h"
#include "common/data/step_count.h"
#include "common/file/file.h"
#include "common/model/chain_config.h"
#include "common/shared/shared.h"
#include "worker/exec/job_access.h"

namespace hydra {
namespace {

using worker::v1::JobContext;

// Null: it may not run here.
ReadLayerFile LayerFilesOf(const JobContext& job,
                           const Architectures& architectures) {
  if (!architectures.runs_exported_chains) return nullptr;
  return [&job](const std::string& name) {
    return ReadJobFile(absl::StrCat(job.spec().model().path(), "/", name),
                       AccessOf(job), kMaxLayerFileBytes);
  };
}

absl::StatusOr<BuiltModel> Build(const JobContext& job,
                                 const Architectures& architectures) {
  absl::StatusOr<ModelTable> table = architectures.families->Describe(
      job.model_config_json(), OverridesOf(job.spec()));
  if (!table.ok()) return table.status();
  absl::StatusOr<ModelLayers> layers = ModelLayers::Build(
      *table, *architectures.layers, LayerFilesOf(job, architectures));
  if (!layers.ok()) return layers.status();
  return BuiltModel{*std::move(table), *std::move(layers)};
}

// About what a file's code takes, compiled.
constexpr int64_t kCodeBytes = int64_t{256} << 10;

// About what a model takes: its tensors' entries stand in the table and in the
// layers.
int64_t BytesOf(const BuiltModel& model) {
  int64_t bytes = sizeof(BuiltModel);
  for (const ParameterBlock& block : model.table.parameter_blocks) {
    bytes += 2 * sizeof(ParameterBlock);
    for (const TensorEntry& tensor : block.tensors) {
      bytes += 2 * (sizeof(TensorEntry) + tensor.name.size() +
                    tensor.shape.size() * sizeof(int64_t));
    }
  }
  for (const LayerEntry& layer : model.table.layers) {
    if (layer.file.has_value()) bytes += kCodeBytes;
    bytes +=
        2 * static_cast<int64_t>(sizeof(LayerEntry) +
                                 layer.outputs.size() * sizeof(BoundaryTensor) +
                                 layer.attributes.size() *
                                     sizeof(*layer.attributes.begin()));
  }
  return bytes;
}

int64_t TotalStepsOf(const JobContext& job) {
  const hydra::v1::TrainSpec& train = job.spec().train();
  for (const worker::v1::PreparedSplit& split : job.splits()) {
    if (split.split() != worker::v1::SPLIT_TRAIN) continue;
    return TotalSteps(train,
                      StepsPerEpoch(WindowsOf(split, train.context_length()),
                                    SequencesPerStep(train)));
  }
  return 0;
}

}  // namespace

absl::StatusOr<JobModel> JobModels::For(const JobContext& job) {
  auto built = BuiltFor(job);
  if (!built.ok()) return built.status();
  const BuiltModel& model = **built;
  // It is a part of what is built, and keeps that.
  Shared<ModelTable> table(
      std::shared_ptr<const ModelTable>(*built, &model.table));
  return JobModel{
      *std::move(built),  model.table,
      model.layers,       MakeJobShape(job.spec(), std::move(table)),
      job.spec().train(), TotalStepsOf(job),
      job.update_place()};
}

absl::StatusOr<std::shared_ptr<const BuiltModel>> JobModels::BuiltFor(
    const JobContext& job) {
  std::string key =
      DescriptionContent(job.model_config_json(), OverridesOf(job.spec()));
  if (std::shared_ptr<const BuiltModel> known = built_.Find(key)) return known;
  absl::StatusOr<BuiltModel> model = Build(job, architectures_);
  if (!model.ok()) return model.status();
  auto built = std::make_shared<const BuiltModel>(*std::move(model));
  built_.Put(std::move(key), built, BytesOf(*built));
  return built;
}

}  // namespace hydra
