#include "worker/data/example_file.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/hash/sha256.h"
#include "common/safetensors/float_conversion.h"
#include "glog/logging.h"
#include "worker/data/header_checksum.h"

namespace hydra {
namespace {

using safetensors::Dtype;

constexpr char kMagic[] = "HYDRAEXM";
constexpr uint32_t kVersion = 1;
constexpr uint32_t kVersionWithValues = 2;
constexpr int64_t kClassBytes = sizeof(int64_t);
constexpr int64_t kPieceBytes = int64_t{1} << 20;
// Far beyond any disk; their product does not overflow.
constexpr uint64_t kMaxExamples = uint64_t{1} << 30;
constexpr uint64_t kMaxElements = uint64_t{1} << 30;
constexpr uint32_t kMaxPlanes = 1 << 10;

// Of a byte.
constexpr int64_t kByteValues = 256;

// In the order of their numbers in the header.
constexpr Dtype kTypes[] = {Dtype::kF32, Dtype::kF16, Dtype::kBF16, Dtype::kU8};

struct Layout {
  char magic[8];
  uint32_t version;
  uint32_t type;
  uint64_t example_count;
  uint64_t element_count;
  char content_hash[Sha256::kDigestBytes];
  uint32_t plane_count;
  char reserved[52];
  char checksum[kHeaderChecksumBytes];
};

static_assert(sizeof(Layout) == ExampleHeader::kBytes, "no padding");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "the file's byte order is the machine's");

// Values are of bytes, and each plane has as many.
bool HasRightPlanes(const Layout& layout) {
  if (layout.version == kVersion) return layout.plane_count == 0;
  return layout.plane_count > 0 && layout.plane_count <= kMaxPlanes &&
         layout.type < std::size(kTypes) && kTypes[layout.type] == Dtype::kU8 &&
         layout.element_count % layout.plane_count == 0;
}

// The values are yet to be read.
absl::StatusOr<ExampleHeader> DecodeHeader(const std::string& bytes) {
  Layout layout;
  std::memcpy(&layout, bytes.data(), sizeof(layout));
  if (std::memcmp(layout.magic, kMagic, sizeof(layout.magic)) != 0) {
    return absl::DataLossError("is not a prepared file of examples");
  }
  if (layout.version != kVersion && layout.version != kVersionWithValues) {
    return absl::DataLossError(
        absl::StrCat("has format version ", layout.version, ", expected ",
                     kVersion, " or ", kVersionWithValues));
  }
  if (!HasRightChecksum(bytes)) {
    return absl::DataLossError("has a header that fails its checksum");
  }
  if (!HasRightPlanes(layout)) {
    return absl::DataLossError(
        absl::StrCat("has a header of version ", layout.version, " with ",
                     layout.plane_count, " planes of ", layout.element_count,
                     " numbers of type ", layout.type));
  }
  if (layout.type >= std::size(kTypes) || layout.example_count > kMaxExamples ||
      layout.element_count > kMaxElements) {
    return absl::DataLossError(
        absl::StrCat("has a header of ", layout.example_count, " examples of ",
                     layout.element_count, " numbers of type ", layout.type));
  }
  ExampleHeader header;
  header.dtype = kTypes[layout.type];
  header.example_count = static_cast<int64_t>(layout.example_count);
  header.element_count = static_cast<int64_t>(layout.element_count);
  header.content_hash.assign(layout.content_hash, sizeof(layout.content_hash));
  header.values.resize(layout.plane_count * kByteValues);
  return header;
}

// Bytes as what they mean in their plane.
void LookUp(const std::vector<float>& values, const std::vector<char>& bytes,
            absl::Span<float> numbers) {
  const int64_t planes = static_cast<int64_t>(values.size()) / kByteValues;
  const int64_t plane_bytes = static_cast<int64_t>(bytes.size()) / planes;
  for (int64_t plane = 0; plane < planes; ++plane) {
    const float* const meanings = values.data() + plane * kByteValues;
    const int64_t end = (plane + 1) * plane_bytes;
    for (int64_t i = plane * plane_bytes; i < end; ++i) {
      numbers[i] = meanings[static_cast<unsigned char>(bytes[i])];
    }
  }
}

void Widen(Dtype dtype, const std::vector<char>& bytes,
           absl::Span<float> numbers) {
  if (dtype == Dtype::kF32) {
    std::memcpy(numbers.data(), bytes.data(), bytes.size());
  } else if (dtype == Dtype::kU8) {
    std::transform(bytes.begin(), bytes.end(), numbers.begin(), [](char byte) {
      return static_cast<float>(static_cast<unsigned char>(byte)) / 255;
    });
  } else {
    std::vector<uint16_t> halves(numbers.size());
    std::memcpy(halves.data(), bytes.data(), bytes.size());
    if (dtype == Dtype::kF16) {
      safetensors::WidenF16(halves, numbers);
    } else {
      safetensors::WidenBF16(halves, numbers);
    }
  }
}

}  // namespace

int64_t ExampleHeader::example_bytes() const {
  return kClassBytes + element_count * safetensors::DtypeBits(dtype) / 8;
}

int64_t ExampleHeader::first_example() const {
  return kBytes + static_cast<int64_t>(values.size() * sizeof(float));
}

bool IsExampleType(Dtype dtype) {
  return std::find(std::begin(kTypes), std::end(kTypes), dtype) !=
         std::end(kTypes);
}

std::string EncodeExampleHeader(const ExampleHeader& header) {
  CHECK_EQ(header.content_hash.size(), Sha256::kDigestBytes);
  CHECK(IsExampleType(header.dtype));
  Layout layout = {};
  std::memcpy(layout.magic, kMagic, sizeof(layout.magic));
  layout.version = header.values.empty() ? kVersion : kVersionWithValues;
  layout.plane_count =
      static_cast<uint32_t>(header.values.size() / kByteValues);
  layout.type = static_cast<uint32_t>(
      std::find(std::begin(kTypes), std::end(kTypes), header.dtype) -
      std::begin(kTypes));
  layout.example_count = header.example_count;
  layout.element_count = header.element_count;
  std::memcpy(layout.content_hash, header.content_hash.data(),
              sizeof(layout.content_hash));
  return WithChecksum(
      std::string(reinterpret_cast<const char*>(&layout), sizeof(layout)));
}

ExampleFile::ExampleFile(std::string path, ExampleHeader header, UniqueFd fd)
    : path_(std::move(path)), header_(std::move(header)), fd_(std::move(fd)) {}

absl::StatusOr<ExampleFile> ExampleFile::Open(const std::string& path) {
  absl::StatusOr<UniqueFd> fd = OpenRegularFile(path);
  if (!fd.ok()) return fd.status();
  const absl::StatusOr<int64_t> size_bytes = FileBytes(*fd, path);
  if (!size_bytes.ok()) return size_bytes.status();
  if (*size_bytes < ExampleHeader::kBytes) {
    return absl::DataLossError(
        absl::StrCat(path, " has ", *size_bytes, " bytes, fewer than the ",
                     "header's ", ExampleHeader::kBytes));
  }
  std::string bytes(ExampleHeader::kBytes, '\0');
  const absl::Status read =
      ReadExactly(*fd, path, 0, ExampleHeader::kBytes, bytes.data());
  if (!read.ok()) return read;
  absl::StatusOr<ExampleHeader> header = DecodeHeader(bytes);
  if (!header.ok()) {
    return absl::DataLossError(
        absl::StrCat(path, " ", header.status().message()));
  }
  const int64_t expected =
      header->first_example() + header->example_count * header->example_bytes();
  if (*size_bytes != expected) {
    return absl::DataLossError(
        absl::StrCat(path, " has ", *size_bytes, " bytes, its header says ",
                     expected, " (", header->example_count, " examples)"));
  }
  const absl::Status values = ReadExactly(
      *fd, path, ExampleHeader::kBytes,
      header->first_example() - ExampleHeader::kBytes, header->values.data());
  if (!values.ok()) return values;
  return ExampleFile(path, *std::move(header), *std::move(fd));
}

int64_t ExampleFile::OffsetOf(int64_t example) const {
  CHECK(example >= 0 && example < example_count())
      << example << " of " << example_count();
  return header_.first_example() + example * header_.example_bytes();
}

absl::StatusOr<int64_t> ExampleFile::ReadClass(int64_t example) const {
  int64_t label = 0;
  const absl::Status read =
      ReadExactly(fd_, path_, OffsetOf(example), kClassBytes,
                  reinterpret_cast<char*>(&label));
  if (!read.ok()) return read;
  return label;
}

absl::StatusOr<int64_t> ExampleFile::Read(int64_t example,
                                          absl::Span<float> numbers) const {
  CHECK_EQ(static_cast<int64_t>(numbers.size()), element_count());
  std::vector<char> bytes(header_.example_bytes() - kClassBytes);
  const absl::Status read = ReadExactly(
      fd_, path_, OffsetOf(example) + kClassBytes, bytes.size(), bytes.data());
  if (!read.ok()) return read;
  if (header_.values.empty()) {
    Widen(header_.dtype, bytes, numbers);
  } else {
    LookUp(header_.values, bytes, numbers);
  }
  return ReadClass(example);
}

absl::Status ExampleFile::CheckContent(TaskControl& control) const {
  const int64_t end =
      header_.first_example() + example_count() * header_.example_bytes();
  Sha256 sha;
  std::string piece;
  for (int64_t at = ExampleHeader::kBytes; at < end; at += kPieceBytes) {
    if (absl::Status on = control.Advance(); !on.ok()) return on;
    piece.resize(std::min(kPieceBytes, end - at));
    const absl::Status read =
        ReadExactly(fd_, path_, at, piece.size(), piece.data());
    if (!read.ok()) return read;
    sha.Update(piece);
  }
  if (sha.Finish() == header_.content_hash) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(path_, " has content that fails its checksum"));
}

}  // namespace hydra
