#include "common/checkpoint/model_files.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/checkpoint/adapter_config.h"
#include "common/checkpoint/block_layout.h"
#include "common/checkpoint/manifest_file.h"
#include "common/checkpoint/merge_adapter.h"
#include "common/checkpoint/plain_file.h"
#include "common/checkpoint/tensor_file_writer.h"
#include "common/failpoint/fail_point.h"
#include "common/model/config_file.h"
#include "common/model/lora.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

using checkpoint::v1::FileSum;

// By file name.
using TensorFiles = std::map<std::string, TensorFileWriter>;
using FileSums = std::vector<FileSum>;

absl::Status CheckCopies(const ModelContents& contents) {
  for (const CopiedFile& copy : contents.copied_files) {
    if (IsPlainName(copy.name)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "copied_files: ", Quoted(copy.name), " is not a plain name"));
  }
  return absl::OkStatus();
}

// Whether its files are made of the parameter block.
bool IsNeeded(const ModelContents& contents, int block) {
  return contents.merge_adapters || IsInFile(contents.table, block);
}

bool IsMergedAdapter(const ModelContents& contents, const BlockKey& key) {
  return contents.merge_adapters &&
         key.kind == worker::v1::BLOCK_KIND_PARAMETERS &&
         contents.table.parameter_blocks[key.index].is_adapter;
}

// Adapters are needed until the last weight is written.
absl::Status CheckOrder(const ModelContents& contents) {
  bool has_adapter = false;
  for (const CheckpointBlock& block : contents.blocks) {
    const bool is_adapter = IsMergedAdapter(contents, block.key);
    if (has_adapter && !is_adapter) {
      return absl::InvalidArgumentError(
          absl::StrCat("block ", block.key.index,
                       " stands behind adapters that are to be merged"));
    }
    has_adapter |= is_adapter;
  }
  return absl::OkStatus();
}

// Other tools do not take what is missing for zero.
absl::Status CheckParameters(const ModelContents& contents) {
  size_t parameters = 0;
  for (const CheckpointBlock& block : contents.blocks) {
    if (block.key.kind == worker::v1::BLOCK_KIND_PARAMETERS) ++parameters;
    if (block.bytes == nullptr &&
        block.key.kind != worker::v1::BLOCK_KIND_OPTIMIZER_STATE) {
      return absl::InvalidArgumentError(absl::StrCat(
          "block ", block.key.index, " of kind ",
          worker::v1::BlockKind_Name(block.key.kind), " has no bytes"));
    }
  }
  size_t wanted = 0;
  const auto count = static_cast<int>(contents.table.parameter_blocks.size());
  for (int i = 0; i < count; ++i) wanted += IsNeeded(contents, i);
  if (parameters == wanted) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(parameters, " parameter blocks, the model's files have ",
                   wanted, " of them"));
}

// One for each block; without tensors for those that are known to be zero, and
// for adapters that become a part of others.
absl::StatusOr<std::vector<BlockLayout>> LayOutBlocks(
    const ModelContents& contents, const hydra::v1::TrainSpec& train) {
  std::vector<BlockLayout> layouts;
  for (const CheckpointBlock& block : contents.blocks) {
    absl::StatusOr<BlockLayout> layout =
        LayOutBlock(block.key, block.size_bytes, contents.table, train);
    if (!layout.ok()) return layout.status();
    if (block.bytes == nullptr || IsMergedAdapter(contents, block.key)) {
      layout->tensors.clear();
    }
    if (contents.merge_adapters) layout->file = kModelFile;
    layouts.push_back(*std::move(layout));
  }
  return layouts;
}

absl::StatusOr<TensorFiles> CreateFiles(const HeldDirectory& directory,
                                        absl::Span<const BlockLayout> layouts,
                                        TensorFileWriter::Sums sums) {
  TensorFiles files;
  for (const BlockLayout& layout : layouts) {
    if (layout.tensors.empty() || files.count(layout.file) > 0) continue;
    absl::StatusOr<TensorFileWriter> file =
        TensorFileWriter::Create(directory, layout.file, layouts, sums);
    if (!file.ok()) return file.status();
    files.emplace(layout.file, *std::move(file));
  }
  return files;
}

// Of the block's tensors, by their numbers, those that an adapter adds to.
std::map<size_t, AdaptedWeight> AdaptedWeights(const ModelContents& contents,
                                               const CheckpointBlock& block) {
  const ModelTable& table = contents.table;
  const ParameterBlock& own = table.parameter_blocks[block.key.index];
  std::map<size_t, AdaptedWeight> adapted;
  for (const CheckpointBlock& other : contents.blocks) {
    if (!IsMergedAdapter(contents, other.key)) continue;
    const ParameterBlock& adapters = table.parameter_blocks[other.key.index];
    for (const AdapterPlace& place : AdapterPlaces(own, adapters)) {
      const TensorEntry& lora_a = adapters.tensors[place.lora_a];
      const TensorEntry& lora_b = adapters.tensors[place.lora_a + 1];
      AdaptedWeight& weight = adapted[place.weight];
      weight.weight = &own.tensors[place.weight];
      weight.type = own.type;
      weight.bytes = block.bytes + weight.weight->offset_bytes;
      weight.lora_a =
          reinterpret_cast<const float*>(other.bytes + lora_a.offset_bytes);
      weight.lora_b =
          reinterpret_cast<const float*>(other.bytes + lora_b.offset_bytes);
      weight.r = lora_a.shape[0];
      weight.scale = table.lora->scale();
    }
  }
  return adapted;
}

// What no weight takes would be lost.
absl::Status CheckAdaptersFit(const ModelContents& contents) {
  const std::vector<ParameterBlock>& blocks = contents.table.parameter_blocks;
  for (const CheckpointBlock& block : contents.blocks) {
    if (!IsMergedAdapter(contents, block.key)) continue;
    const ParameterBlock& adapters = blocks[block.key.index];
    size_t taken = 0;
    for (const ParameterBlock& own : blocks) {
      if (!own.is_adapter) taken += 2 * AdapterPlaces(own, adapters).size();
    }
    if (taken == adapters.tensors.size()) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "block ", block.key.index, " has ", adapters.tensors.size(),
        " tensors of adapters, and the model's weights take ", taken,
        " of them"));
  }
  return absl::OkStatus();
}

absl::Status AppendMerged(const ModelContents& contents,
                          const CheckpointBlock& block,
                          const BlockLayout& layout, TensorFileWriter* file) {
  const auto adapted = AdaptedWeights(contents, block);
  for (size_t i = 0; i < layout.tensors.size(); ++i) {
    const BlockTensor& tensor = layout.tensors[i];
    const auto write = [&](const std::byte* bytes, int64_t size_bytes) {
      return file->AppendPart(tensor, bytes, size_bytes);
    };
    const auto found = adapted.find(i);
    absl::Status status =
        found != adapted.end()
            ? MergeAdapter(found->second, write)
            : file->AppendTensor(tensor, block.bytes + tensor.offset_bytes);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status AppendBlocks(const ModelContents& contents,
                          absl::Span<const BlockLayout> layouts,
                          absl::FunctionRef<bool(size_t)> written,
                          TensorFiles* files) {
  for (size_t i = 0; i < layouts.size(); ++i) {
    if (!layouts[i].tensors.empty()) {
      const CheckpointBlock& block = contents.blocks[i];
      TensorFileWriter& file = files->at(layouts[i].file);
      absl::Status status =
          contents.merge_adapters
              ? AppendMerged(contents, block, layouts[i], &file)
              : file.Append(layouts[i], block.bytes);
      if (!status.ok()) return status;
    }
    if (!written(i)) {
      return absl::CancelledError(absl::StrCat("stopped after ", i + 1, " of ",
                                               layouts.size(), " blocks of ",
                                               contents.directory));
    }
  }
  return absl::OkStatus();
}

absl::Status WriteTensors(const ModelContents& contents,
                          const hydra::v1::TrainSpec& train,
                          absl::FunctionRef<bool(size_t)> written,
                          const HeldDirectory& directory, FileSums* sums) {
  const auto layouts = LayOutBlocks(contents, train);
  if (!layouts.ok()) return layouts.status();
  absl::Status status = CheckAdaptersFit(contents);
  if (!status.ok()) return status;
  absl::StatusOr<TensorFiles> files =
      CreateFiles(directory, *layouts,
                  sums == nullptr ? TensorFileWriter::Sums::kNone
                                  : TensorFileWriter::Sums::kOfTensors);
  if (!files.ok()) return files.status();
  status = AppendBlocks(contents, *layouts, written, &*files);
  if (!status.ok()) return status;
  for (auto& [name, file] : *files) {
    absl::StatusOr<FileSum> sum = file.Finish();
    if (!sum.ok()) return sum.status();
    if (sums != nullptr) sums->push_back(*std::move(sum));
    FailPoint("checkpoint.between_files");
  }
  return absl::OkStatus();
}

// What all weights in the file can be read as without a loss.
ElementType WidestType(const ModelTable& table) {
  std::optional<ElementType> type;
  for (const ParameterBlock& block : table.parameter_blocks) {
    if (block.is_adapter) continue;
    if (type.value_or(block.type) != block.type) return ElementType::kFloat32;
    type = block.type;
  }
  // What stands in the place of int8.
  if (type == ElementType::kInt8) return ElementType::kFloat32;
  return type.value_or(ElementType::kFloat32);
}

// contents.config_json says what is trained is of; what is frozen may be of
// another type, and transformers rounds all weights to the one that it reads.
absl::StatusOr<FileSum> WriteConfig(const ModelContents& contents,
                                    const HeldDirectory& directory) {
  const ModelTable& table = contents.table;
  if (!contents.merge_adapters && !table.HasMasters()) {
    return WritePlainFile(directory, table.config_names.file,
                          contents.config_json);
  }
  const absl::StatusOr<std::string> config =
      WithWeightsType(contents.config_json, WidestType(table));
  if (!config.ok()) return config.status();
  return WritePlainFile(directory, table.config_names.file, *config);
}

absl::Status WritePlainFiles(const ModelContents& contents,
                             const HeldDirectory& directory, FileSums* sums) {
  const ModelTable& table = contents.table;
  absl::StatusOr<FileSum> sum =
      contents.writes_adapters()
          ? WritePlainFile(directory, kAdapterConfigFile,
                           AdapterConfigJson(table, contents.model_dir))
          : WriteConfig(contents, directory);
  if (!sum.ok()) return sum.status();
  FileSums own = {*std::move(sum)};
  for (const TextFile& file : contents.text_files) {
    sum = WritePlainFile(directory, file.name, file.text);
    if (!sum.ok()) return sum.status();
    own.push_back(*std::move(sum));
  }
  const absl::StatusOr<FileSums> copies =
      CopyPlainFiles(directory, contents.copied_files, contents.access);
  if (!copies.ok()) return copies.status();
  if (sums == nullptr) return absl::OkStatus();
  sums->insert(sums->end(), own.begin(), own.end());
  sums->insert(sums->end(), copies->begin(), copies->end());
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteModelFiles(const ModelContents& contents,
                             const hydra::v1::TrainSpec& train,
                             const HeldDirectory& directory,
                             absl::FunctionRef<bool(size_t block)> written,
                             FileSums* sums) {
  absl::Status status = CheckCopies(contents);
  if (status.ok()) status = CheckOrder(contents);
  if (status.ok()) status = CheckParameters(contents);
  if (status.ok()) {
    status = WriteTensors(contents, train, written, directory, sums);
  }
  if (status.ok()) status = WritePlainFiles(contents, directory, sums);
  return status;
}

}  // namespace hydra
