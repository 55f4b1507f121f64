#include "scheduler/submission/model_check.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/file/file_access.h"
#include "common/file/file_format.h"
#include "common/hash/sha256.h"
#include "common/model/base_key.h"
#include "common/model/chain_config.h"
#include "common/model/config_file.h"
#include "common/model/describe.h"
#include "common/model/frozen_type.h"
#include "common/model/weight_match.h"
#include "common/safetensors/weight_directory.h"
#include "scheduler/submission/user_file.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr int64_t kMaxConfigBytes = 1 << 20;
// Of all files of a chain's layers: of 10,000 they would be 160 GiB.
constexpr int64_t kMaxCodeBytes = int64_t{1} << 30;
constexpr char kField[] = "model.path";
constexpr char kConfigFile[] = "config.json";

void Add(const absl::Status& status, CheckedModel& model) {
  if (!status.ok()) AddMistake(kField, status.message(), &model.mistakes);
}

v1::ParameterType TypeOf(const safetensors::WeightDirectory& weights,
                         const WeightMatch& match) {
  std::set<safetensors::Dtype> types;
  for (const auto& [own, name] : match.names) {
    types.insert(weights.Find(name)->tensor->dtype);
  }
  if (types == std::set<safetensors::Dtype>{safetensors::Dtype::kBF16}) {
    return v1::PARAMETER_TYPE_BFLOAT16;
  }
  if (types == std::set<safetensors::Dtype>{safetensors::Dtype::kF16}) {
    return v1::PARAMETER_TYPE_FLOAT16;
  }
  return v1::PARAMETER_TYPE_FLOAT32;
}

void CheckWeights(const std::string& path, const FileAccess& access,
                  const ModelTable& table, CheckedModel& model) {
  safetensors::WeightDirectoryOptions options;
  options.allowed_roots = access.real_roots;
  options.user = access.user;
  const absl::StatusOr<safetensors::WeightDirectory> weights =
      safetensors::WeightDirectory::Open(path, options);
  if (!weights.ok()) return Add(weights.status(), model);
  model.weights_identity = IdentityOf(*weights);
  const WeightMatch match = MatchWeights(table, *weights);
  model.weights_type = TypeOf(*weights, match);
  model.drawn = match.drawn;
  for (const std::string& mistake : match.mistakes) {
    AddMistake(kField, mistake, &model.mistakes);
  }
  model.warnings.insert(model.warnings.end(), match.warnings.begin(),
                        match.warnings.end());
  Add(CheckAliases(match, *weights), model);
}

// The files of code are there, and are those that the table means. None is run.
void CheckLayerFiles(const std::string& path, const PathPolicy& paths,
                     const ModelTable& table, CheckedModel& model) {
  std::set<std::string> seen;
  int64_t left = kMaxCodeBytes;
  for (const LayerEntry& layer : table.layers) {
    if (!layer.file.has_value() || !seen.insert(layer.file->name).second) {
      continue;
    }
    const std::string file = absl::StrCat(path, "/", layer.file->name);
    const absl::StatusOr<std::string> bytes =
        ReadUserFile(file, paths, kMaxLayerFileBytes);
    if (!bytes.ok()) {
      Add(bytes.status(), model);
      continue;
    }
    left -= static_cast<int64_t>(bytes->size());
    if (left < 0) {
      AddMistake(kField,
                 absl::StrCat("the files of its layers have more than ",
                              kMaxCodeBytes, " B in all"),
                 &model.mistakes);
      return;
    }
    if (const std::string found = HexSha256(*bytes);
        found != layer.file->sha256) {
      AddMistake(kField,
                 absl::StrCat(file,
                              " is not the file that was exported: its SHA-256 "
                              "is ",
                              found, ", and ", kChainFile, " says ",
                              layer.file->sha256),
                 &model.mistakes);
    }
  }
}

// Each line of what Describe says is a mistake. `name`: the file's.
void AddConfigMistakes(const std::string& file, const std::string& name,
                       const std::string& text, const absl::Status& why,
                       CheckedModel& model) {
  const FileFormat* format = RecogniseFormat(text);
  if (format != nullptr && format->name != kJsonName) {
    AddMistake(kField, absl::StrCat(file, " is ", Describe(*format)),
               &model.mistakes);
    return;
  }
  for (absl::string_view line : absl::StrSplit(why.message(), '\n')) {
    AddMistake(kField, absl::StrCat(name, ": ", line), &model.mistakes);
  }
}

}  // namespace

CheckedModel CheckModel(const v1::ModelSpec& spec, const PathPolicy& paths,
                        bool allows_exported_chains) {
  CheckedModel model;
  if (absl::Status directory = paths.CheckReadableDirectory(spec.path());
      !directory.ok()) {
    Add(directory, model);
    return model;
  }
  model.is_there = true;
  std::string name = kConfigFile;
  std::string file = absl::StrCat(spec.path(), "/", name);
  absl::StatusOr<std::string> text = ReadUserFile(file, paths, kMaxConfigBytes);
  if (absl::IsNotFound(text.status())) {
    const std::string chain = absl::StrCat(spec.path(), "/", kChainFile);
    auto other = ReadUserFile(chain, paths, kMaxConfigBytes);
    if (!absl::IsNotFound(other.status())) {
      name = kChainFile;
      file = chain;
      text = std::move(other);
    }
  }
  if (!text.ok()) {
    Add(text.status(), model);
    return model;
  }
  absl::StatusOr<ModelTable> table = Describe(*text, /*overrides=*/{});
  if (!table.ok()) {
    AddConfigMistakes(file, name, *text, table.status(), model);
    return model;
  }
  if (table->config_names.file != name) {
    AddMistake(kField,
               absl::StrCat(file, ": a model of its model_type has a ",
                            table->config_names.file, " in its place"),
               &model.mistakes);
    return model;
  }
  model.table = *std::move(table);
  model.warnings = ConfigWarnings(*text, model.table->config_names);
  // What parses as a config is JSON.
  model.config_json = *TrainedModelConfig(*text, model.table->config_names,
                                          ElementTypeOf(spec.trained_dtype()));
  // Where they are not, the job is refused for that alone.
  if (allows_exported_chains) {
    CheckLayerFiles(spec.path(), paths, *model.table, model);
  }
  if (spec.init() == v1::INITIALIZATION_PRETRAINED) {
    CheckWeights(spec.path(), paths.access(), *model.table, model);
  }
  for (std::string& warning : model.warnings) {
    warning = absl::StrCat(spec.path(), ": ", warning);
  }
  return model;
}

}  // namespace hydra
