#include "common/checkpoint/tensor_file_writer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/checkpoint/tensor_sum.h"

namespace hydra {

using checkpoint::v1::FileSum;
using safetensors::TensorSpec;
using safetensors::Writer;

TensorFileWriter::TensorFileWriter(const std::string& name,
                                   std::unique_ptr<Writer> writer, Sums sums)
    : writer_(std::move(writer)), sums_(sums) {
  sum_.set_name(name);
  sum_.set_bytes(writer_->file_bytes());
}

absl::StatusOr<TensorFileWriter> TensorFileWriter::Create(
    const HeldDirectory& directory, const std::string& name,
    absl::Span<const BlockLayout> layouts, Sums sums) {
  std::vector<TensorSpec> specs;
  for (const BlockLayout& layout : layouts) {
    if (layout.file != name) continue;
    for (const BlockTensor& tensor : layout.tensors) {
      specs.push_back({tensor.name, FileDtypeOf(tensor), tensor.shape});
    }
  }
  absl::StatusOr<std::unique_ptr<Writer>> writer =
      Writer::Create(directory, name, specs);
  if (!writer.ok()) return writer.status();
  return TensorFileWriter(name, *std::move(writer), sums);
}

absl::Status TensorFileWriter::Append(const BlockLayout& layout,
                                      const std::byte* block) {
  for (const BlockTensor& tensor : layout.tensors) {
    const std::byte* const bytes = block + tensor.offset_bytes;
    absl::Status status;
    if (tensor.is_count) {
      const int64_t count = CountInFile(bytes);
      status =
          AppendTensor(tensor.name, reinterpret_cast<const std::byte*>(&count),
                       sizeof(count));
    } else {
      status = AppendTensor(tensor.name, bytes, tensor.size_bytes);
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status TensorFileWriter::AppendTensor(const std::string& name,
                                            const std::byte* bytes,
                                            int64_t size_bytes) {
  if (sums_ == Sums::kNone) return writer_->Append(name, bytes, size_bytes);
  TensorSum sum;
  for (int64_t done = 0; done < size_bytes; done += kSumPieceBytes) {
    const int64_t piece_bytes = std::min(kSumPieceBytes, size_bytes - done);
    sum.Add(bytes + done, piece_bytes);
    absl::Status status = writer_->Append(name, bytes + done, piece_bytes);
    if (!status.ok()) return status;
  }
  (*sum_.mutable_tensors())[name] = sum.Value();
  return absl::OkStatus();
}

absl::StatusOr<FileSum> TensorFileWriter::Finish() {
  absl::Status status = writer_->Finish();
  if (!status.ok()) return status;
  return std::move(sum_);
}

}  // namespace hydra
