#include "tests/reference/weight_files.h"

#include <fstream>
#include <iterator>
#include <memory>

#include "ATen/ATen.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/safetensors/weight_directory.h"
#include "common/safetensors/writer.h"

namespace hydra {
namespace {

using safetensors::TensorSpec;
using safetensors::WeightDirectory;
using safetensors::Writer;

absl::Status LoadTensor(const WeightDirectory& weights,
                        const TensorEntry& tensor, float* to) {
  absl::string_view name = tensor.name;
  if (weights.Find(name) == nullptr) {
    name = absl::StripPrefix(name, "transformer.");
  }
  const safetensors::Weight* weight = weights.Find(name);
  if (weight == nullptr || weight->tensor->shape != tensor.shape) {
    return absl::InvalidArgumentError(
        absl::StrCat(tensor.name, " is missing or has another shape"));
  }
  return weights.ReadAsFloat32(name, 0,
                               absl::MakeSpan(to, tensor.element_count));
}

float* Numbers(const TensorEntry& tensor, const at::Tensor& flat) {
  return flat.mutable_data_ptr<float>() + tensor.offset_bytes / kFloatBytes;
}

}  // namespace

absl::StatusOr<Gpt2Config> ReadConfig(const std::string& directory) {
  std::ifstream file(directory + "/config.json");
  if (!file) {
    return absl::NotFoundError(absl::StrCat(directory, "/config.json"));
  }
  return ParseGpt2Config(std::string(std::istreambuf_iterator<char>(file), {}));
}

absl::Status LoadWeights(const std::string& directory, const ModelTable& table,
                         const std::vector<at::Tensor>& flats) {
  // Bazel hands test data out as links, and this program's user may read
  // whatever they can open.
  absl::StatusOr<WeightDirectory> weights =
      WeightDirectory::Open(directory, {/*allowed_roots=*/{"/"}});
  if (!weights.ok()) return weights.status();
  for (size_t i = 0; i < flats.size(); ++i) {
    for (const TensorEntry& tensor : table.parameter_blocks[i].tensors) {
      const absl::Status status =
          LoadTensor(*weights, tensor, Numbers(tensor, flats[i]));
      if (!status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

absl::Status SaveWeights(const std::string& path, const ModelTable& table,
                         const std::vector<at::Tensor>& flats) {
  std::vector<TensorSpec> specs;
  for (const ParameterBlock& block : table.parameter_blocks) {
    for (const TensorEntry& tensor : block.tensors) {
      specs.push_back({tensor.name, safetensors::Dtype::kF32, tensor.shape});
    }
  }
  absl::StatusOr<std::unique_ptr<Writer>> writer = Writer::Create(path, specs);
  if (!writer.ok()) return writer.status();
  for (size_t i = 0; i < flats.size(); ++i) {
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
