#include "common/safetensors/reader.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/file/file_format.h"
#include "common/safetensors/float_conversion.h"
#include "common/text/printable.h"

namespace hydra::safetensors {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "tensors are read as they lie in the file");

// Small enough to stay in a core's cache between reading and widening.
constexpr int64_t kWidenElements = 32 * 1024;

absl::Status InFile(absl::string_view path, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(path, ": ", status.message()));
}

// Why a file has no header that can be read: it may be something else.
absl::Status NoHeader(const UniqueFd& fd, const std::string& path,
                      const absl::Status& why) {
  const absl::StatusOr<std::string> head = ReadHead(fd, path);
  const FileFormat* format = head.ok() ? RecogniseFormat(*head) : nullptr;
  if (format == nullptr || format->name == kSafetensorsName) {
    return InFile(path, why);
  }
  return absl::InvalidArgumentError(
      absl::StrCat(path, " is ", Describe(*format)));
}

absl::Status CheckRange(const TensorInfo& tensor, absl::string_view unit,
                        int64_t first, int64_t count, int64_t limit) {
  if (first >= 0 && count >= 0 && first <= limit && count <= limit - first) {
    return absl::OkStatus();
  }
  return absl::OutOfRangeError(
      absl::StrCat("tensor ", Quoted(tensor.name), " has ", limit, " ", unit,
                   ", ", count, " from ", first, " were wanted"));
}

}  // namespace

Reader::Reader(UniqueFd fd, std::string path, TensorTable table)
    : fd_(std::move(fd)), path_(std::move(path)), table_(std::move(table)) {}

absl::StatusOr<Reader> Reader::Open(const std::string& path) {
  absl::StatusOr<UniqueFd> fd = OpenRegularFile(path);
  if (!fd.ok()) return fd.status();
  return FromFile(*std::move(fd), path);
}

absl::StatusOr<Reader> Reader::FromFile(UniqueFd fd, std::string path) {
  const absl::StatusOr<int64_t> file_bytes = FileBytes(fd, path);
  if (!file_bytes.ok()) return file_bytes.status();

  std::string prefix(std::min(*file_bytes, kLengthPrefixBytes), '\0');
  absl::Status status = ReadExactly(fd, path, 0, prefix.size(), prefix.data());
  if (!status.ok()) return status;
  const absl::StatusOr<int64_t> header_bytes =
      ParseHeaderLength(prefix, *file_bytes);
  if (!header_bytes.ok()) return NoHeader(fd, path, header_bytes.status());

  std::string header(*header_bytes, '\0');
  status =
      ReadExactly(fd, path, kLengthPrefixBytes, header.size(), header.data());
  if (!status.ok()) return status;
  absl::StatusOr<TensorTable> table = ParseHeader(header, *file_bytes);
  if (!table.ok()) return NoHeader(fd, path, table.status());
  return Reader(std::move(fd), std::move(path), *std::move(table));
}

absl::StatusOr<const TensorInfo*> Reader::Find(absl::string_view name) const {
  const TensorInfo* tensor = table_.Find(name);
  if (tensor != nullptr) return tensor;
  return absl::NotFoundError(
      absl::StrCat(path_, " has no tensor ", Quoted(name)));
}

absl::Status Reader::Read(absl::string_view name, int64_t offset_bytes,
                          int64_t bytes, void* to) const {
  const absl::StatusOr<const TensorInfo*> found = Find(name);
  if (!found.ok()) return found.status();
  const TensorInfo& tensor = **found;
  absl::Status status =
      CheckRange(tensor, "B", offset_bytes, bytes, tensor.size_bytes);
  if (!status.ok()) return InFile(path_, status);
  return ReadExactly(fd_, path_, tensor.offset_bytes + offset_bytes, bytes, to);
}

absl::Status Reader::ReadAsFloat32(absl::string_view name,
                                   int64_t first_element,
                                   absl::Span<float> to) const {
  const absl::StatusOr<const TensorInfo*> found = Find(name);
  if (!found.ok()) return found.status();
  const TensorInfo& tensor = **found;
  const int64_t count = static_cast<int64_t>(to.size());
  absl::Status status =
      CheckRange(tensor, "elements", first_element, count, tensor.elements);
  if (!status.ok()) return InFile(path_, status);
  switch (tensor.dtype) {
    case Dtype::kF32:
      return ReadExactly(fd_, path_, tensor.offset_bytes + 4 * first_element,
                         4 * count, to.data());
    case Dtype::kF16:
    case Dtype::kBF16:
      return ReadWidened(tensor, first_element, to);
    default:
      return absl::InvalidArgumentError(absl::StrCat(
          path_, ": tensor ", Quoted(name), " is ", DtypeName(tensor.dtype),
          ", only F32, F16 and BF16 can be read as float"));
  }
}

absl::Status Reader::ReadWidened(const TensorInfo& tensor,
                                 int64_t first_element,
                                 absl::Span<float> to) const {
  const int64_t count = static_cast<int64_t>(to.size());
  std::vector<uint16_t> narrow(std::min(count, kWidenElements));
  for (int64_t done = 0; done < count; done += kWidenElements) {
    const int64_t n = std::min(kWidenElements, count - done);
    absl::Status status = ReadExactly(
        fd_, path_, tensor.offset_bytes + 2 * (first_element + done), 2 * n,
        narrow.data());
    if (!status.ok()) return status;
    const auto from = absl::MakeConstSpan(narrow).subspan(0, n);
    const absl::Span<float> part = to.subspan(done, n);
    tensor.dtype == Dtype::kF16 ? WidenF16(from, part) : WidenBF16(from, part);
  }
  return absl::OkStatus();
}

}  // namespace hydra::safetensors
