#include "worker/data/example_source.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/file/file.h"
#include "common/safetensors/shape_text.h"
#include "common/text/printable.h"
#include "worker/data/example_file.h"

namespace hydra {
namespace {

using safetensors::Dtype;
using safetensors::TensorInfo;

bool IsLabelType(Dtype dtype) {
  return dtype == Dtype::kI64 || dtype == Dtype::kI32;
}

// "[examples, 3, 224, 224]"
std::string WantedShape(const ExampleInput& input) {
  return absl::StrCat("[examples, ", absl::StrJoin(input.shape, ", "), "]");
}

bool HasShape(const TensorInfo& tensor, const std::vector<int64_t>& example) {
  return tensor.shape.size() == example.size() + 1 &&
         std::equal(example.begin(), example.end(), tensor.shape.begin() + 1);
}

void CheckNumbersTensor(const TensorInfo* tensor, const ExampleInput& input,
                        std::vector<std::string>& mistakes) {
  if (tensor == nullptr) {
    mistakes.push_back(absl::StrCat("has no tensor ", input.name,
                                    "; the model takes ", WantedShape(input)));
    return;
  }
  if (!IsExampleType(tensor->dtype)) {
    mistakes.push_back(absl::StrCat(input.name, ": found the type ",
                                    safetensors::DtypeName(tensor->dtype),
                                    "; F32, F16, BF16 or U8 is needed"));
  }
  if (!HasShape(*tensor, input.shape)) {
    mistakes.push_back(absl::StrCat(input.name, ": found the shape ",
                                    safetensors::ShapeText(tensor->shape),
                                    "; the model takes ", WantedShape(input)));
  }
}

void CheckLabelsTensor(const TensorInfo* tensor,
                       std::vector<std::string>& mistakes) {
  constexpr const char* kLabels = ExampleSource::kLabels;
  if (tensor == nullptr) {
    mistakes.push_back(absl::StrCat("has no tensor ", kLabels,
                                    ", which has the class of each example"));
    return;
  }
  if (!IsLabelType(tensor->dtype)) {
    mistakes.push_back(absl::StrCat(kLabels, ": found the type ",
                                    safetensors::DtypeName(tensor->dtype),
                                    "; I64 or I32 is needed"));
  }
  if (tensor->shape.size() != 1) {
    mistakes.push_back(absl::StrCat(kLabels, ": found the shape ",
                                    safetensors::ShapeText(tensor->shape),
                                    "; [examples] is needed"));
  }
}

// Infinite, or no number: all bits of the exponent are set.
template <typename Bits>
int64_t FindNotFinite(absl::string_view bytes, Bits exponent) {
  const auto count = static_cast<int64_t>(bytes.size() / sizeof(Bits));
  for (int64_t i = 0; i < count; ++i) {
    Bits bits;
    std::memcpy(&bits, bytes.data() + i * sizeof(Bits), sizeof(Bits));
    if ((bits & exponent) == exponent) return i;
  }
  return -1;
}

int64_t FindNotFinite(Dtype dtype, absl::string_view bytes) {
  switch (dtype) {
    case Dtype::kF32:
      return FindNotFinite<uint32_t>(bytes, 0x7f800000);
    case Dtype::kF16:
      return FindNotFinite<uint16_t>(bytes, 0x7c00);
    case Dtype::kBF16:
      return FindNotFinite<uint16_t>(bytes, 0x7f80);
    default:
      return -1;
  }
}

}  // namespace

ExampleSource::ExampleSource(safetensors::Reader reader, ExampleInput input)
    : reader_(std::move(reader)), input_(std::move(input)) {}

absl::StatusOr<ExampleSource> ExampleSource::Open(const PosixFile& file,
                                                  const ExampleInput& input) {
  UniqueFd fd(fcntl(file.fd(), F_DUPFD_CLOEXEC, 0));
  if (!fd.is_open()) return ErrnoStatus("cannot open again", file.path());
  absl::StatusOr<safetensors::Reader> reader =
      safetensors::Reader::FromFile(std::move(fd), file.path());
  if (!reader.ok()) return reader.status();
  ExampleSource source(*std::move(reader), input);
  const TensorInfo* const numbers = source.reader_.table().Find(input.name);
  const TensorInfo* const labels = source.reader_.table().Find(kLabels);
  std::vector<std::string> mistakes;
  CheckNumbersTensor(numbers, input, mistakes);
  CheckLabelsTensor(labels, mistakes);
  if (mistakes.empty() && numbers->shape[0] != labels->shape[0]) {
    mistakes.push_back(absl::StrCat(input.name, " has ", numbers->shape[0],
                                    " examples, and ", kLabels, " ",
                                    labels->shape[0]));
  }
  if (mistakes.empty() && labels->shape[0] == 0) {
    mistakes.push_back("has no examples");
  }
  if (!mistakes.empty()) {
    for (std::string& mistake : mistakes) {
      mistake = absl::StrCat(file.path(), ": ", mistake);
    }
    return absl::InvalidArgumentError(absl::StrJoin(mistakes, "\n"));
  }
  source.example_count_ = labels->shape[0];
  source.dtype_ = numbers->dtype;
  for (const TensorInfo& tensor : source.reader_.table().tensors()) {
    if (&tensor == numbers || &tensor == labels) continue;
    source.others_.push_back(Quoted(tensor.name));
  }
  return source;
}

absl::Status ExampleSource::ReadLabels(int64_t first,
                                       std::vector<int64_t>* labels) const {
  const auto count = static_cast<int64_t>(labels->size());
  if (reader_.table().Find(kLabels)->dtype == Dtype::kI64) {
    constexpr int64_t kBytes = sizeof(int64_t);
    return reader_.Read(kLabels, first * kBytes, count * kBytes,
                        labels->data());
  }
  constexpr int64_t kBytes = sizeof(int32_t);
  std::vector<int32_t> narrow(count);
  const absl::Status read =
      reader_.Read(kLabels, first * kBytes, count * kBytes, narrow.data());
  labels->assign(narrow.begin(), narrow.end());
  return read;
}

absl::Status ExampleSource::CheckNumbers(int64_t example,
                                         absl::string_view bytes) const {
  const int64_t found = FindNotFinite(dtype_, bytes);
  if (found < 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(reader_.path(), ": ", input_.name, ": number ", found,
                   " of example ", example, " is infinite or no number"));
}

absl::Status ExampleSource::Read(int64_t first, int64_t count,
                                 std::string* records) const {
  std::vector<int64_t> labels(count);
  absl::Status status = ReadLabels(first, &labels);
  if (!status.ok()) return status;
  const int64_t example_bytes =
      input_.element_count() * safetensors::DtypeBits(dtype_) / 8;
  std::string numbers(count * example_bytes, '\0');
  status = reader_.Read(input_.name, first * example_bytes, numbers.size(),
                        numbers.data());
  if (!status.ok()) return status;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t label = labels[i];
    if (label < 0 || label >= input_.class_count) {
      return absl::InvalidArgumentError(absl::StrCat(
          reader_.path(), ": ", kLabels, ": example ", first + i, " has class ",
          label, "; the model has classes 0 to ", input_.class_count - 1));
    }
    const absl::string_view bytes =
        absl::string_view(numbers).substr(i * example_bytes, example_bytes);
    status = CheckNumbers(first + i, bytes);
    if (!status.ok()) return status;
    records->append(reinterpret_cast<const char*>(&label), sizeof(label));
    records->append(bytes.data(), bytes.size());
  }
  return absl::OkStatus();
}

}  // namespace hydra
