#include "tests/reference/weight_files.h"

#include <memory>

#include "ATen/core/Tensor.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/model/chain_config.h"
#include "common/model/describe.h"
#include "common/model/element_dtype.h"
#include "common/model/weight_match.h"
#include "common/safetensors/weight_directory.h"
#include "common/safetensors/writer.h"
#include "worker/data/posix_file.h"
#include "worker/model/element_type.h"

namespace hydra {
namespace {

using safetensors::TensorSpec;
using safetensors::WeightDirectory;
using safetensors::Writer;

at::Tensor Numbers(const ParameterBlock& block, const TensorEntry& tensor,
                   const at::Tensor& flat) {
  return flat.narrow(0, block.FirstElement(tensor), tensor.element_count);
}

bool IsSaved(const ParameterBlock& block, const ModelTable& table) {
  return !table.lora.has_value() || block.is_adapter;
}

}  // namespace

absl::StatusOr<ModelTable> ReadTable(const std::string& directory,
                                     const ModelOverrides& overrides) {
  absl::StatusOr<std::string> text =
      ReadWholeFile(absl::StrCat(directory, "/config.json"));
  if (!text.ok()) {
    text = ReadWholeFile(absl::StrCat(directory, "/", kChainFile));
  }
  if (!text.ok()) return text.status();
  return Describe(*text, overrides);
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
    const ParameterBlock& block = table.parameter_blocks[i];
    if (block.is_adapter) continue;
    for (const TensorEntry& tensor : block.tensors) {
      // Else it is as it was drawn.
      if (match.names.count(tensor.name) == 0) continue;
      const absl::Status status = ReadElements(
          match, *weights, tensor, 0,
          absl::MakeSpan(
              Numbers(block, tensor, flats[i]).mutable_data_ptr<float>(),
              tensor.element_count));
      if (!status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

void RoundFrozenToInt8(const ModelTable& table,
                       const std::vector<at::Tensor>& flats) {
  for (size_t i = 0; i < flats.size(); ++i) {
    const ParameterBlock& block = table.parameter_blocks[i];
    if (!block.frozen || block.has_statistics()) continue;
    for (const TensorEntry& tensor : block.tensors) {
      if (tensor.shape.size() != 2) continue;
      const at::Tensor matrix =
          Numbers(block, tensor, flats[i]).view(tensor.shape);
      const at::Tensor scale =
          matrix.abs().amax(/*dim=*/1, /*keepdim=*/true).div(127);
      // Of a row of zeros anything will do.
      const at::Tensor divisor = scale.masked_fill(scale.eq(0), 1);
      // Which has one zero.
      const at::Tensor numbers =
          matrix.div(divisor).round().clamp(-127, 127).to(at::kChar);
      matrix.copy_(numbers.to(at::kFloat).mul(scale));
    }
  }
}

absl::Status SaveWeights(const std::string& path, const ModelTable& table,
                         const std::vector<at::Tensor>& flats) {
  std::vector<TensorSpec> specs;
  for (const ParameterBlock& block : table.parameter_blocks) {
    if (!IsSaved(block, table)) continue;
    for (const TensorEntry& tensor : block.tensors) {
      specs.push_back({tensor.name,
                       tensor.use == TensorUse::kCount
                           ? safetensors::Dtype::kI64
                           : DtypeOf(block.type),
                       tensor.shape});
    }
  }
  absl::StatusOr<std::unique_ptr<Writer>> writer = Writer::Create(path, specs);
  if (!writer.ok()) return writer.status();
  for (size_t i = 0; i < flats.size(); ++i) {
    const ParameterBlock& block = table.parameter_blocks[i];
    if (!IsSaved(block, table)) continue;
    for (const TensorEntry& tensor : block.tensors) {
      const at::Tensor numbers = Numbers(block, tensor, flats[i]);
      const at::Tensor saved = tensor.use == TensorUse::kCount
                                   ? numbers.to(at::kLong)
                                   : numbers.to(TorchTypeOf(block.type));
      const absl::Status status = (*writer)->Append(
          tensor.name, saved.const_data_ptr(), saved.nbytes());
      if (!status.ok()) return status;
    }
  }
  return (*writer)->Finish();
}

}  // namespace hydra
