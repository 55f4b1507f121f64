#include "common/safetensors/header_text.h"

#include <limits>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/text/printable.h"
#include "nlohmann/json.hpp"

namespace hydra::safetensors {
namespace {

constexpr size_t kAlignmentBytes = 8;

// In JSON. Bytes that are not UTF-8 come out as U+FFFD, and are noticed when
// the text is read back.
std::string JsonString(const std::string& text) {
  using Json = nlohmann::json;
  return Json(text).dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false,
                         Json::error_handler_t::replace);
}

absl::Status Wrong(const TensorSpec& tensor, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("tensor ", Quoted(tensor.name), " of shape [",
                   absl::StrJoin(tensor.shape, ","), "]: ", why));
}

absl::StatusOr<int64_t> SizeBytes(const TensorSpec& tensor) {
  int64_t bits = DtypeBits(tensor.dtype);
  for (int64_t dimension : tensor.shape) {
    if (dimension < 0) return Wrong(tensor, "a dimension is negative");
    if (__builtin_mul_overflow(bits, dimension, &bits)) {
      return Wrong(tensor, "more than 2^63 - 1 bits");
    }
  }
  if (bits % 8 != 0) return Wrong(tensor, "not whole bytes");
  return bits / 8;
}

std::string LengthPrefix(uint64_t length) {
  std::string prefix;
  for (int i = 0; i < kLengthPrefixBytes; ++i) {
    prefix.push_back(static_cast<char>(length >> (8 * i) & 0xff));
  }
  return prefix;
}

// A reader must find every name as it was declared.
absl::Status CheckReadBack(const std::vector<TensorSpec>& tensors,
                           const std::map<std::string, std::string>& metadata,
                           const TensorTable& table) {
  for (const TensorSpec& tensor : tensors) {
    if (table.Find(tensor.name) == nullptr) {
      return Wrong(tensor, "the name is not UTF-8");
    }
  }
  if (table.metadata() != metadata) {
    return absl::InvalidArgumentError("the metadata is not UTF-8");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<HeaderText> MakeHeaderText(
    const std::vector<TensorSpec>& tensors,
    const std::map<std::string, std::string>& metadata) {
  std::vector<std::string> members;
  if (!metadata.empty()) {
    members.push_back(absl::StrCat(
        "\"__metadata__\":{",
        absl::StrJoin(metadata, ",",
                      [](std::string* out, const auto& entry) {
                        absl::StrAppend(out, JsonString(entry.first), ":",
                                        JsonString(entry.second));
                      }),
        "}"));
  }
  absl::flat_hash_set<absl::string_view> names;
  int64_t end = 0;
  for (const TensorSpec& tensor : tensors) {
    if (tensor.name == "__metadata__") return Wrong(tensor, "a reserved name");
    if (!names.insert(tensor.name).second) return Wrong(tensor, "comes twice");
    const absl::StatusOr<int64_t> size_bytes = SizeBytes(tensor);
    if (!size_bytes.ok()) return size_bytes.status();
    const int64_t begin = end;
    if (__builtin_add_overflow(begin, *size_bytes, &end)) {
      return Wrong(tensor, "ends behind byte 2^63 - 1");
    }
    members.push_back(absl::StrCat(
        JsonString(tensor.name), ":{\"dtype\":\"", DtypeName(tensor.dtype),
        "\",\"shape\":[", absl::StrJoin(tensor.shape, ","),
        "],\"data_offsets\":[", begin, ",", end, "]}"));
  }
  std::string json = absl::StrCat("{", absl::StrJoin(members, ","), "}");
  json.resize(
      (json.size() + kAlignmentBytes - 1) / kAlignmentBytes * kAlignmentBytes,
      ' ');

  const int64_t header_bytes = static_cast<int64_t>(json.size());
  if (header_bytes > kMaxHeaderBytes ||
      end > std::numeric_limits<int64_t>::max() - kLengthPrefixBytes -
                header_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a header of ", header_bytes, " B for ", end,
                     " B of data is too large; at most ", kMaxHeaderBytes,
                     " B of header are allowed"));
  }
  const int64_t file_bytes = kLengthPrefixBytes + header_bytes + end;
  absl::StatusOr<TensorTable> table = ParseHeader(json, file_bytes);
  if (!table.ok()) return table.status();
  absl::Status status = CheckReadBack(tensors, metadata, *table);
  if (!status.ok()) return status;
  return HeaderText{absl::StrCat(LengthPrefix(json.size()), json),
                    *std::move(table), file_bytes};
}

}  // namespace hydra::safetensors
