#include "common/checkpoint/tensor_file_reader.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/tensor_sum.h"
#include "common/safetensors/dtype.h"
#include "common/safetensors/shape_text.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

using checkpoint::v1::FileSum;
using safetensors::Reader;
using safetensors::ShapeText;
using safetensors::TensorInfo;

}  // namespace

TensorFileReader::TensorFileReader(Reader reader, FileSum wanted)
    : reader_(std::move(reader)), wanted_(std::move(wanted)) {}

absl::StatusOr<TensorFileReader> TensorFileReader::Open(
    const FileOpener& opener, FileSum wanted) {
  const std::string path = opener.PathOf(wanted.name());
  absl::StatusOr<UniqueFd> fd = opener.Open(wanted.name());
  if (!fd.ok()) return fd.status();
  const absl::StatusOr<int64_t> bytes = FileBytes(*fd, path);
  if (!bytes.ok()) return bytes.status();
  if (*bytes != wanted.bytes()) {
    return absl::DataLossError(absl::StrCat(
        path, " has ", *bytes, " B, expected ", wanted.bytes(), " B"));
  }
  absl::StatusOr<Reader> reader = Reader::FromFile(*std::move(fd), path);
  if (!reader.ok()) return AsDataLoss(reader.status());
  TensorFileReader file(*std::move(reader), std::move(wanted));
  absl::Status status = file.CheckHeader();
  if (!status.ok()) return status;
  return file;
}

absl::Status TensorFileReader::CheckHeader() const {
  const auto loss = [this](const auto&... what) {
    return absl::DataLossError(absl::StrCat(reader_.path(), what...));
  };
  const std::map<std::string, std::string> metadata = {{"format", "pt"}};
  if (reader_.table().metadata() != metadata) {
    return loss(" has other metadata than {\"format\": \"pt\"}");
  }
  for (const TensorInfo& tensor : reader_.table().tensors()) {
    if (!Has(tensor.name)) {
      return loss(" has tensor ", Quoted(tensor.name), ", not expected there");
    }
  }
  if (reader_.table().tensors().size() != wanted_.tensors().size()) {
    return loss(" has ", reader_.table().tensors().size(),
                " tensors, expected ", wanted_.tensors().size());
  }
  return absl::OkStatus();
}

bool TensorFileReader::Has(const std::string& tensor) const {
  return wanted_.tensors().contains(tensor);
}

absl::Status TensorFileReader::Read(const BlockTensor& tensor,
                                    std::byte* out) const {
  const TensorInfo* found = reader_.table().Find(tensor.name);
  if (found == nullptr || found->shape != tensor.shape) {
    return absl::FailedPreconditionError(absl::StrCat(
        reader_.path(), ": tensor ", Quoted(tensor.name),
        found == nullptr ? " is missing"
                         : absl::StrCat(" has shape ", ShapeText(found->shape),
                                        ", wanted ", ShapeText(tensor.shape))));
  }
  if (found->dtype != FileDtypeOf(tensor)) {
    return absl::FailedPreconditionError(
        absl::StrCat(reader_.path(), ": tensor ", Quoted(tensor.name), " is ",
                     safetensors::DtypeName(found->dtype), ", wanted ",
                     safetensors::DtypeName(FileDtypeOf(tensor))));
  }
  if (!tensor.is_count) return ReadBytes(tensor.name, tensor.size_bytes, out);
  int64_t count = 0;
  absl::Status status = ReadBytes(tensor.name, sizeof(count),
                                  reinterpret_cast<std::byte*>(&count));
  StoreCount(count, out);
  return status;
}

absl::Status TensorFileReader::ReadBytes(const std::string& tensor,
                                         int64_t size_bytes,
                                         std::byte* out) const {
  TensorSum sum;
  for (int64_t done = 0; done < size_bytes; done += kSumPieceBytes) {
    const int64_t piece_bytes = std::min(kSumPieceBytes, size_bytes - done);
    absl::Status status = reader_.Read(tensor, done, piece_bytes, out + done);
    if (!status.ok()) return status;
    sum.Add(out + done, piece_bytes);
  }
  return CheckSum(tensor, sum.Value());
}

absl::Status TensorFileReader::Verify() const {
  std::vector<char> piece(kSumPieceBytes);
  for (const TensorInfo& tensor : reader_.table().tensors()) {
    TensorSum sum;
    for (int64_t done = 0; done < tensor.size_bytes; done += kSumPieceBytes) {
      const int64_t piece_bytes =
          std::min(kSumPieceBytes, tensor.size_bytes - done);
      absl::Status status =
          reader_.Read(tensor.name, done, piece_bytes, piece.data());
      if (!status.ok()) return status;
      sum.Add(piece.data(), piece_bytes);
    }
    absl::Status status = CheckSum(tensor.name, sum.Value());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status TensorFileReader::CheckSum(const std::string& tensor,
                                        uint64_t found) const {
  const uint64_t expected = wanted_.tensors().at(tensor);
  if (found == expected) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(reader_.path(), ": tensor ", Quoted(tensor), " has the sum ",
                   SumText(found), ", expected ", SumText(expected)));
}

}  // namespace hydra
