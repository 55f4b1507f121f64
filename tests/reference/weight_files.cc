#include "tests/reference/weight_files.h"

#include <fstream>
#include <iterator>
#include <memory>

#include "ATen/core/Tensor.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/model/describe.h"
#include "common/model/weight_match.h"
#include "common/safetensors/weight_directory.h"
#include "common/safetensors/writer.h"

namespace hydra {
namespace {

using safetensors::TensorSpec;
using safetensors::WeightDirectory;
using safetensors::Writer;

float* Numbers(const TensorEntry& tensor, const at::Tensor& flat) {
  return flat.mutable_data_ptr<float>() + tensor.offset_bytes / kFloatBytes;
}

bool IsSaved(const ParameterBlock& block, const ModelTable& table) {
  return !table.lora.has_value() || block.is_adapter;
}

}  // namespace

absl::StatusOr<ModelTable> ReadTable(const std::string& directory,
                                     const ModelOverrides& overrides) {
  std::ifstream file(directory + "/config.json");
  if (!file) {
    return absl::NotFoundError(absl::StrCat(directory, "/config.json"));
  }
  return Describe(std::string(std::istreambuf_iterator<char>(file), {}),
                  overrides);
}

absl::Status LoadWeights(const std::string& directory, const ModelTable& table,
                         const std::vector<at::Tensor>& flats) {
  // Bazel hands test data out as links, and this program's user may read
  // whatever they can open.
  absl::StatusOr<WeightDirectory> weights =
      WeightDirectory::Open(directory, {/*allowed_roots=*/{"/"}});
  if (!weights.ok()) return weights.status();
  const WeightMatch match = MatchWeights(table, *weights);
  if (!match.mistakes.empty()) {
    return absl::InvalidArgumentError(absl::StrJoin(match.mistakes, "; "));
  }
  for (size_t i = 0; i < flats.size(); ++i) {
    if (table.parameter_blocks[i].is_adapter) continue;
    for (const TensorEntry& tensor : table.parameter_blocks[i].tensors) {
      const auto found = match.names.find(tensor.name);
      // It is as it was drawn.
      if (found == match.names.end()) continue;
      const absl::Status status = weights->ReadAsFloat32(
          found->second, 0,
          absl::MakeSpan(Numbers(tensor, flats[i]), tensor.element_count));
      if (!status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

absl::Status SaveWeights(const std::string& path, const ModelTable& table,
                         const std::vector<at::Tensor>& flats) {
  std::vector<TensorSpec> specs;
  for (const ParameterBlock& block : table.parameter_blocks) {
    if (!IsSaved(block, table)) continue;
    for (const TensorEntry& tensor : block.tensors) {
      specs.push_back({tensor.name, safetensors::Dtype::kF32, tensor.shape});
    }
  }
  absl::StatusOr<std::unique_ptr<Writer>> writer = Writer::Create(path, specs);
  if (!writer.ok()) return writer.status();
  for (size_t i = 0; i < flats.size(); ++i) {
    if (!IsSaved(table.parameter_blocks[i], table)) continue;
    for (const TensorEntry& tensor : table.parameter_blocks[i].tensors) {
      const absl::Status status =
          (*writer)->Append(tensor.name, Numbers(tensor, flats[i]),
                            tensor.element_count * kFloatBytes);
      if (!status.ok()) return status;
    }
  }
  return (*writer)->Finish();
}

}  // namespace hydra
