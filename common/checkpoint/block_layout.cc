#include "common/checkpoint/block_layout.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/model/element_dtype.h"
#include "common/model/factored_moments.h"
#include "common/model/optimizer.h"
#include "common/model/quantized_rows.h"

namespace hydra {
namespace {

// What a parameter's master is called beside its moments.
constexpr char kMaster[] = "master";

// The block's tensors, in elements of this type. `suffix`: that of a moment; of
// the block itself there is none.
void AddTensors(const ParameterBlock& block, const std::string& suffix,
                ElementType type, int64_t offset_bytes, BlockLayout* layout) {
  const int64_t element_bytes = ElementBytes(type);
  for (const TensorEntry& tensor : block.tensors) {
    layout->tensors.push_back(
        {absl::StrCat(tensor.name, suffix), tensor.shape,
         offset_bytes + block.FirstElement(tensor) * element_bytes,
         StoredBytes(type, tensor), StoredType(type, tensor),
         suffix.empty() && tensor.use == TensorUse::kCount});
  }
}

absl::Status CheckSize(const std::string& block, int64_t size_bytes,
                       int64_t wanted_bytes) {
  if (size_bytes == wanted_bytes) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the block of ", block, " has ", size_bytes,
                   " B, the model's table says ", wanted_bytes, " B"));
}

absl::StatusOr<const ParameterBlock*> FindBlock(int index,
                                                const ModelTable& table) {
  const int blocks = static_cast<int>(table.parameter_blocks.size());
  if (index >= 0 && index < blocks) return &table.parameter_blocks[index];
  return absl::FailedPreconditionError(
      absl::StrCat("there is no parameter block ", index,
                   ", the model's table has ", blocks, " of them"));
}

absl::StatusOr<BlockLayout> LayOutParameters(int index, int64_t size_bytes,
                                             const ModelTable& table) {
  const absl::StatusOr<const ParameterBlock*> block = FindBlock(index, table);
  if (!block.ok()) return block.status();
  absl::Status status = CheckSize(absl::StrCat("parameters ", index),
                                  size_bytes, (*block)->size_bytes);
  if (!status.ok()) return status;
  BlockLayout layout{ParametersFile(table), {}};
  AddTensors(**block, "", (*block)->type, 0, &layout);
  return layout;
}

absl::StatusOr<BlockLayout> LayOutFactored(int index, int64_t size_bytes,
                                           const ParameterBlock& block) {
  const int64_t moment_bytes = FactoredStateBytes(block);
  const int64_t master_bytes = block.has_master() ? block.gradient_bytes() : 0;
  absl::Status status = CheckSize(absl::StrCat("optimizer state ", index),
                                  size_bytes, moment_bytes + master_bytes);
  if (!status.ok()) return status;
  BlockLayout layout{kOptimizerFile, {}};
  const std::vector<FactoredMoments> kept = FactoredMomentsOf(block);
  for (size_t i = 0; i < kept.size(); ++i) {
    for (const FactoredMoment& moment : kept[i].moments) {
      layout.tensors.push_back(
          {absl::StrCat(block.tensors[i].name, ".", moment.name), moment.shape,
           moment.offset_bytes, moment.element_count * kFloatBytes,
           ElementType::kFloat32, /*is_count=*/false,
           /*may_be_absent=*/true});
    }
  }
  if (block.has_master()) {
    AddTensors(block, absl::StrCat(".", kMaster), ElementType::kFloat32,
               moment_bytes, &layout);
  }
  return layout;
}

absl::StatusOr<BlockLayout> LayOutState(int index, int64_t size_bytes,
                                        const ModelTable& table,
                                        const hydra::v1::TrainSpec& train) {
  const absl::StatusOr<const ParameterBlock*> block = FindBlock(index, table);
  if (!block.ok()) return block.status();
  if (FactorsMoments(train)) return LayOutFactored(index, size_bytes, **block);
  std::vector<std::string> parts = MomentsOf(train);
  if ((*block)->has_master()) parts.push_back(kMaster);
  const int64_t part_bytes = (*block)->gradient_bytes();
  absl::Status status =
      CheckSize(absl::StrCat("optimizer state ", index), size_bytes,
                static_cast<int64_t>(parts.size()) * part_bytes);
  if (!status.ok()) return status;
  BlockLayout layout{kOptimizerFile, {}};
  int64_t offset_bytes = 0;
  for (const std::string& part : parts) {
    const size_t first = layout.tensors.size();
    AddTensors(**block, absl::StrCat(".", part), ElementType::kFloat32,
               offset_bytes, &layout);
    for (size_t i = first; i < layout.tensors.size(); ++i) {
      layout.tensors[i].may_be_absent = part != kMaster;
    }
    offset_bytes += part_bytes;
  }
  return layout;
}

absl::StatusOr<BlockLayout> LayOutFlat(std::string name, int64_t size_bytes) {
  if (size_bytes < 0 || size_bytes % kFloatBytes != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "block ", name, " has ", size_bytes, " B, which are no fp32 numbers"));
  }
  const int64_t elements = size_bytes / kFloatBytes;
  return BlockLayout{kBoundariesFile,
                     {{std::move(name), {elements}, 0, size_bytes}}};
}

}  // namespace

safetensors::Dtype FileDtypeOf(const BlockTensor& tensor) {
  if (tensor.is_count) return safetensors::Dtype::kI64;
  return DtypeOf(tensor.type == ElementType::kInt8 ? ElementType::kFloat32
                                                   : tensor.type);
}

int64_t FileBytesOf(const BlockTensor& tensor) {
  int64_t bytes = safetensors::DtypeBits(FileDtypeOf(tensor)) / 8;
  for (int64_t size : tensor.shape) bytes *= size;
  return bytes;
}

int64_t CountInFile(const std::byte* in_block) {
  // Far beyond all that can be counted, and within an int64_t.
  constexpr float kMost = 0x1p62f;
  float count = 0;
  std::memcpy(&count, in_block, sizeof(count));
  return count > 0 ? static_cast<int64_t>(std::min(count, kMost)) : 0;
}

void StoreCount(int64_t count, std::byte* in_block) {
  const auto number = static_cast<float>(count);
  std::memcpy(in_block, &number, sizeof(number));
}

const char* ParametersFile(const ModelTable& table) {
  return table.lora.has_value() ? kAdapterFile : kModelFile;
}

bool IsInFile(const ModelTable& table, int block) {
  return !table.lora.has_value() || !table.parameter_blocks[block].frozen;
}

bool IsRestored(const ModelTable& table, int block) {
  return IsInFile(table, block) &&
         table.parameter_blocks[block].type != ElementType::kInt8;
}

absl::StatusOr<BlockLayout> LayOutBlock(const BlockKey& key, int64_t size_bytes,
                                        const ModelTable& table,
                                        const hydra::v1::TrainSpec& train) {
  switch (key.kind) {
    case worker::v1::BLOCK_KIND_PARAMETERS:
      return LayOutParameters(key.index, size_bytes, table);
    case worker::v1::BLOCK_KIND_OPTIMIZER_STATE:
      return LayOutState(key.index, size_bytes, table, train);
    case worker::v1::BLOCK_KIND_ACTIVATION:
      return LayOutFlat(
          absl::StrCat("activation.", key.index, ".", key.micro_batch),
          size_bytes);
    case worker::v1::BLOCK_KIND_ACTIVATION_GRADIENT:
      return LayOutFlat(
          absl::StrCat("activation_gradient.", key.index, ".", key.micro_batch),
          size_bytes);
    case worker::v1::BLOCK_KIND_PARAMETER_GRADIENT:
      return LayOutFlat(absl::StrCat("parameter_gradient.", key.index),
                        size_bytes);
    case worker::v1::BLOCK_KIND_GRADIENT_SQUARES:
      return LayOutFlat(absl::StrCat("gradient_squares.", key.index),
                        size_bytes);
    case worker::v1::BLOCK_KIND_GRADIENT_SUM:
      return LayOutFlat(
          absl::StrCat("gradient_sum.", key.index, ".", key.micro_batch),
          size_bytes);
    default:
      return absl::InvalidArgumentError(
          absl::StrCat("a checkpoint has no blocks of kind ", key.kind));
  }
}

}  // namespace hydra
