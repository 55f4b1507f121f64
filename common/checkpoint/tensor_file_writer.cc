#include "common/checkpoint/tensor_file_writer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/model/model_table.h"
#include "common/model/quantized_rows.h"

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
    absl::Status status = AppendTensor(tensor, block + tensor.offset_bytes);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status TensorFileWriter::AppendTensor(const BlockTensor& tensor,
                                            const std::byte* bytes) {
  if (tensor.is_count) {
    const int64_t count = CountInFile(bytes);
    return AppendPart(tensor, reinterpret_cast<const std::byte*>(&count),
                      sizeof(count));
  }
  if (tensor.type == ElementType::kInt8) return AppendRows(tensor, bytes);
  if (sums_ == Sums::kNone) return AppendPart(tensor, bytes, tensor.size_bytes);
  int64_t done = 0;
  do {
    const int64_t piece_bytes =
        std::min(kSumPieceBytes, tensor.size_bytes - done);
    absl::Status status = AppendPart(tensor, bytes + done, piece_bytes);
    if (!status.ok()) return status;
    done += piece_bytes;
  } while (done < tensor.size_bytes);
  return absl::OkStatus();
}

absl::Status TensorFileWriter::AppendRows(const BlockTensor& tensor,
                                          const std::byte* bytes) {
  const int64_t rows = tensor.shape[0];
  const int64_t width = tensor.shape[1];
  const int64_t rows_at_once =
      std::clamp<int64_t>(kSumPieceBytes / (width * kFloatBytes), 1, rows);
  std::vector<float> numbers;
  for (int64_t first = 0; first < rows; first += rows_at_once) {
    numbers.resize(std::min(rows_at_once, rows - first) * width);
    DequantizeRows(bytes + first * QuantizedRowBytes(width), width,
                   absl::MakeSpan(numbers));
    absl::Status status =
        AppendPart(tensor, reinterpret_cast<const std::byte*>(numbers.data()),
                   static_cast<int64_t>(numbers.size()) * kFloatBytes);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status TensorFileWriter::AppendPart(const BlockTensor& tensor,
                                          const std::byte* bytes,
                                          int64_t size_bytes) {
  if (sums_ == Sums::kOfTensors) tensor_sum_.Add(bytes, size_bytes);
  absl::Status status = writer_->Append(tensor.name, bytes, size_bytes);
  if (!status.ok()) return status;
  tensor_bytes_ += size_bytes;
  if (tensor_bytes_ < FileBytesOf(tensor)) return absl::OkStatus();
  if (sums_ == Sums::kOfTensors) {
    (*sum_.mutable_tensors())[tensor.name] = tensor_sum_.Value();
  }
  tensor_sum_ = TensorSum();
  tensor_bytes_ = 0;
  return absl::OkStatus();
}

absl::StatusOr<FileSum> TensorFileWriter::Finish() {
  absl::Status status = writer_->Finish();
  if (!status.ok()) return status;
  return std::move(sum_);
}

}  // namespace hydra
