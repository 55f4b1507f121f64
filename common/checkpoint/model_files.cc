#include "common/checkpoint/model_files.h"

#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/checkpoint/adapter_config.h"
#include "common/checkpoint/block_layout.h"
#include "common/checkpoint/manifest_file.h"
#include "common/checkpoint/plain_file.h"
#include "common/checkpoint/tensor_file_writer.h"
#include "common/failpoint/fail_point.h"
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
  for (int i = 0; i < count; ++i) wanted += IsInFile(contents.table, i);
  if (parameters == wanted) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(parameters, " parameter blocks, the model's files have ",
                   wanted, " of them"));
}

// One for each block; without tensors for those that are known to be zero.
absl::StatusOr<std::vector<BlockLayout>> LayOutBlocks(
    const ModelContents& contents, const hydra::v1::TrainSpec& train) {
  std::vector<BlockLayout> layouts;
  for (const CheckpointBlock& block : contents.blocks) {
    absl::StatusOr<BlockLayout> layout =
        LayOutBlock(block.key, block.size_bytes, contents.table, train);
    if (!layout.ok()) return layout.status();
    if (block.bytes == nullptr) layout->tensors.clear();
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

absl::Status AppendBlocks(const ModelContents& contents,
                          absl::Span<const BlockLayout> layouts,
                          absl::FunctionRef<bool(size_t)> written,
                          TensorFiles* files) {
  for (size_t i = 0; i < layouts.size(); ++i) {
    if (!layouts[i].tensors.empty()) {
      absl::Status status = files->at(layouts[i].file)
                                .Append(layouts[i], contents.blocks[i].bytes);
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
  absl::StatusOr<TensorFiles> files =
      CreateFiles(directory, *layouts,
                  sums == nullptr ? TensorFileWriter::Sums::kNone
                                  : TensorFileWriter::Sums::kOfTensors);
  if (!files.ok()) return files.status();
  absl::Status status = AppendBlocks(contents, *layouts, written, &*files);
  if (!status.ok()) return status;
  for (auto& [name, file] : *files) {
    absl::StatusOr<FileSum> sum = file.Finish();
    if (!sum.ok()) return sum.status();
    if (sums != nullptr) sums->push_back(*std::move(sum));
    FailPoint("checkpoint.between_files");
  }
  return absl::OkStatus();
}

absl::Status WritePlainFiles(const ModelContents& contents,
                             const HeldDirectory& directory, FileSums* sums) {
  const ModelTable& table = contents.table;
  absl::StatusOr<FileSum> sum =
      table.lora.has_value()
          ? WritePlainFile(directory, kAdapterConfigFile,
                           AdapterConfigJson(table, contents.model_dir))
          : WritePlainFile(directory, "config.json", contents.config_json);
  if (!sum.ok()) return sum.status();
  FileSums own = {*std::move(sum)};
  for (const TextFile& file : contents.text_files) {
    sum = WritePlainFile(directory, file.name, file.text);
    if (!sum.ok()) return sum.status();
    own.push_back(*std::move(sum));
  }
  const absl::StatusOr<FileSums> copies =
      CopyPlainFiles(directory, contents.copied_files, contents.real_roots);
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
  if (status.ok()) status = CheckParameters(contents);
  if (status.ok()) {
    status = WriteTensors(contents, train, written, directory, sums);
  }
  if (status.ok()) status = WritePlainFiles(contents, directory, sums);
  return status;
}

}  // namespace hydra
