#include "common/safetensors/header.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/safetensors/header_json.h"
#include "common/text/printable.h"

namespace hydra::safetensors {
namespace {

absl::Status Wrong(const HeaderEntry& entry, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("tensor ", Quoted(entry.name), ": ", why));
}

std::string ShapeAndDtype(const HeaderEntry& entry) {
  constexpr size_t kMaxShown = 16;
  const size_t shown = std::min(entry.shape.size(), kMaxShown);
  return absl::StrCat(
      "shape [",
      absl::StrJoin(entry.shape.begin(), entry.shape.begin() + shown, ","),
      shown < entry.shape.size() ? ",...]" : "]", " of ",
      DtypeName(entry.dtype));
}

// Multiplies from left to right, as the reference does: a zero does not excuse
// the dimensions before it.
absl::StatusOr<uint64_t> Elements(const HeaderEntry& entry) {
  uint64_t elements = 1;
  for (uint64_t dimension : entry.shape) {
    if (__builtin_mul_overflow(elements, dimension, &elements)) {
      return Wrong(entry, absl::StrCat(ShapeAndDtype(entry),
                                       " has more than 2^64 - 1 elements"));
    }
  }
  return elements;
}

absl::StatusOr<uint64_t> SizeBytes(const HeaderEntry& entry,
                                   uint64_t elements) {
  uint64_t bits;
  if (__builtin_mul_overflow(
          elements, static_cast<uint64_t>(DtypeBits(entry.dtype)), &bits)) {
    return Wrong(entry, absl::StrCat(ShapeAndDtype(entry),
                                     " has more than 2^64 - 1 bits"));
  }
  if (bits % 8 != 0) {
    return Wrong(entry, absl::StrCat(ShapeAndDtype(entry), " has ", bits,
                                     " bits, not whole bytes"));
  }
  return bits / 8;
}

absl::StatusOr<std::vector<int64_t>> SignedShape(const HeaderEntry& entry) {
  for (uint64_t dimension : entry.shape) {
    if (dimension > std::numeric_limits<int64_t>::max()) {
      return Wrong(entry,
                   absl::StrCat("dimension ", dimension, " is above 2^63 - 1"));
    }
  }
  return std::vector<int64_t>(entry.shape.begin(), entry.shape.end());
}

// The entry as a tensor, when it begins at `begin`, counted from `data_begin`.
absl::StatusOr<TensorInfo> CheckEntry(HeaderEntry entry, uint64_t begin,
                                      int64_t data_begin, int64_t data_bytes) {
  if (entry.begin != begin) {
    return Wrong(entry,
                 absl::StrCat("its data begins at ", entry.begin,
                              ", but the data before it ends at ", begin));
  }
  if (entry.end < entry.begin) {
    return Wrong(entry, absl::StrCat("its data ends at ", entry.end,
                                     ", before its begin at ", entry.begin));
  }
  const absl::StatusOr<uint64_t> elements = Elements(entry);
  if (!elements.ok()) return elements.status();
  const absl::StatusOr<uint64_t> size_bytes = SizeBytes(entry, *elements);
  if (!size_bytes.ok()) return size_bytes.status();
  if (entry.end - entry.begin != *size_bytes) {
    return Wrong(entry,
                 absl::StrCat(ShapeAndDtype(entry), " needs ", *size_bytes,
                              " B, data_offsets [", entry.begin, ",", entry.end,
                              "] hold ", entry.end - entry.begin, " B"));
  }
  if (entry.end > static_cast<uint64_t>(data_bytes)) {
    return Wrong(
        entry, absl::StrCat("its data ends at ", entry.end, ", the file holds ",
                            data_bytes, " B of data"));
  }
  absl::StatusOr<std::vector<int64_t>> shape = SignedShape(entry);
  if (!shape.ok()) return shape.status();
  return TensorInfo{std::move(entry.name),
                    entry.dtype,
                    *std::move(shape),
                    static_cast<int64_t>(*elements),
                    data_begin + static_cast<int64_t>(entry.begin),
                    static_cast<int64_t>(*size_bytes)};
}

// Of two entries with one name the later one counts. Ordered by their data.
std::vector<HeaderEntry> OrderedEntries(std::vector<HeaderEntry> entries) {
  std::reverse(entries.begin(), entries.end());
  std::stable_sort(entries.begin(), entries.end(),
                   [](const HeaderEntry& a, const HeaderEntry& b) {
                     return a.name < b.name;
                   });
  entries.erase(std::unique(entries.begin(), entries.end(),
                            [](const HeaderEntry& a, const HeaderEntry& b) {
                              return a.name == b.name;
                            }),
                entries.end());
  std::stable_sort(entries.begin(), entries.end(),
                   [](const HeaderEntry& a, const HeaderEntry& b) {
                     return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
                   });
  return entries;
}

uint64_t LittleEndian64(absl::string_view bytes) {
  uint64_t value = 0;
  for (int i = 7; i >= 0; --i) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

}  // namespace

TensorTable::TensorTable(std::vector<TensorInfo> tensors,
                         std::map<std::string, std::string> metadata)
    : tensors_(std::move(tensors)), metadata_(std::move(metadata)) {
  index_by_name_.reserve(tensors_.size());
  for (size_t i = 0; i < tensors_.size(); ++i) {
    index_by_name_.emplace(tensors_[i].name, i);
  }
}

const TensorInfo* TensorTable::Find(absl::string_view name) const {
  const auto found = index_by_name_.find(name);
  return found == index_by_name_.end() ? nullptr : &tensors_[found->second];
}

absl::StatusOr<int64_t> ParseHeaderLength(absl::string_view prefix,
                                          int64_t file_bytes) {
  if (file_bytes < kLengthPrefixBytes || prefix.size() < kLengthPrefixBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the file has ", file_bytes, " B, the length of a header alone takes ",
        kLengthPrefixBytes, " B"));
  }
  const uint64_t length = LittleEndian64(prefix);
  if (length > static_cast<uint64_t>(kMaxHeaderBytes)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the length at byte 0 says that the header has ", length,
                     " B, at most ", kMaxHeaderBytes, " B are allowed"));
  }
  const int64_t room_bytes = file_bytes - kLengthPrefixBytes;
  if (static_cast<int64_t>(length) > room_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the length at byte 0 says that the header has ", length,
                     " B, the file has ", room_bytes, " B behind it"));
  }
  return static_cast<int64_t>(length);
}

absl::StatusOr<TensorTable> ParseHeader(absl::string_view header,
                                        int64_t file_bytes) {
  absl::StatusOr<HeaderJson> json = ParseHeaderJson(header);
  if (!json.ok()) return json.status();
  const int64_t data_begin =
      kLengthPrefixBytes + static_cast<int64_t>(header.size());
  const int64_t data_bytes = file_bytes - data_begin;

  std::vector<HeaderEntry> entries = OrderedEntries(std::move(json->entries));
  std::vector<TensorInfo> tensors;
  tensors.reserve(entries.size());
  uint64_t begin = 0;
  for (HeaderEntry& entry : entries) {
    const uint64_t end = entry.end;
    absl::StatusOr<TensorInfo> tensor =
        CheckEntry(std::move(entry), begin, data_begin, data_bytes);
    if (!tensor.ok()) return tensor.status();
    tensors.push_back(*std::move(tensor));
    begin = end;
  }
  if (begin != static_cast<uint64_t>(data_bytes)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the tensors end at byte ", data_begin + begin,
                     " of the file, the file at byte ", file_bytes));
  }
  return TensorTable(std::move(tensors), std::move(json->metadata));
}

}  // namespace hydra::safetensors
