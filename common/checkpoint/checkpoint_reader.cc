#include "common/checkpoint/checkpoint_reader.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/block_layout.h"
#include "common/checkpoint/manifest_file.h"
#include "common/checkpoint/plain_file.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

using checkpoint::v1::FileSum;
using checkpoint::v1::Manifest;

bool HoldsTensors(const std::string& file) {
  return file == kModelFile || file == kAdapterFile || file == kOptimizerFile ||
         file == kBoundariesFile;
}

}  // namespace

CheckpointReader::CheckpointReader(FileOpener opener)
    : opener_(std::move(opener)) {}

absl::StatusOr<CheckpointReader> CheckpointReader::Open(
    const std::string& directory, const FileUser& user) {
  absl::StatusOr<FileOpener> opener = FileOpener::Make(directory, user);
  if (!opener.ok()) return opener.status();
  absl::StatusOr<Manifest> manifest = ReadManifest(*opener);
  if (!manifest.ok()) return manifest.status();
  CheckpointReader reader(*std::move(opener));
  reader.manifest_ = *std::move(manifest);
  absl::Status status = reader.OpenTensorFiles();
  if (!status.ok()) return status;
  return reader;
}

absl::Status CheckpointReader::OpenTensorFiles() {
  for (const FileSum& wanted : manifest_.files()) {
    if (!HoldsTensors(wanted.name())) continue;
    absl::StatusOr<TensorFileReader> file =
        TensorFileReader::Open(opener_, wanted);
    if (!file.ok()) return file.status();
    tensor_files_.emplace(wanted.name(), *std::move(file));
  }
  return absl::OkStatus();
}

absl::Status CheckpointReader::ReadBlock(const BlockKey& key,
                                         const ModelTable& table,
                                         absl::Span<std::byte> out) const {
  const absl::StatusOr<BlockLayout> layout = LayOutBlock(
      key, static_cast<int64_t>(out.size()), table, manifest_.spec().train());
  if (!layout.ok()) return layout.status();
  std::byte* filled = out.data();
  for (const BlockTensor& tensor : layout->tensors) {
    if (tensor.type == ElementType::kInt8) {
      return absl::FailedPreconditionError(
          absl::StrCat("tensor ", Quoted(tensor.name),
                       " is of int8, and is not restored from a checkpoint"));
    }
    std::byte* const begin = out.data() + tensor.offset_bytes;
    std::fill(filled, begin, std::byte{0});
    absl::Status status = ReadOrClear(layout->file, tensor, begin);
    if (!status.ok()) return status;
    filled = begin + tensor.size_bytes;
  }
  std::fill(filled, out.data() + out.size(), std::byte{0});
  return absl::OkStatus();
}

absl::Status CheckpointReader::ReadOrClear(const std::string& file,
                                           const BlockTensor& tensor,
                                           std::byte* out) const {
  const auto found = tensor_files_.find(file);
  if (found != tensor_files_.end() && found->second.Has(tensor.name)) {
    return found->second.Read(tensor, out);
  }
  if (tensor.may_be_absent) {
    std::fill(out, out + tensor.size_bytes, std::byte{0});
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat(opener_.PathOf(file), " was written without a tensor ",
                   Quoted(tensor.name)));
}

absl::Status CheckpointReader::Verify() const {
  for (const auto& [name, file] : tensor_files_) {
    absl::Status status = file.Verify();
    if (!status.ok()) return status;
  }
  for (const FileSum& wanted : manifest_.files()) {
    if (HoldsTensors(wanted.name())) continue;
    const auto fd = opener_.Open(wanted.name());
    if (!fd.ok()) return fd.status();
    absl::Status status =
        CheckPlainFile(*fd, opener_.PathOf(wanted.name()), wanted);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status VerifyCheckpoint(const std::string& directory) {
  const auto reader = CheckpointReader::Open(directory);
  return reader.ok() ? reader->Verify() : reader.status();
}

}  // namespace hydra
