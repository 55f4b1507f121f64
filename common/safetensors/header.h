#ifndef HYDRA_COMMON_SAFETENSORS_HEADER_H_
#define HYDRA_COMMON_SAFETENSORS_HEADER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/safetensors/dtype.h"

namespace hydra::safetensors {

// A file is: the header's length (8 bytes, little endian), the header (JSON),
// the tensors' data without gaps up to the end of the file.
constexpr int64_t kLengthPrefixBytes = 8;
constexpr int64_t kMaxHeaderBytes = 100'000'000;

struct TensorInfo {
  std::string name;
  Dtype dtype = Dtype::kBool;
  std::vector<int64_t> shape;  // empty for a scalar
  int64_t elements = 0;
  int64_t offset_bytes = 0;  // of its first byte in the file
  int64_t size_bytes = 0;
};

// The tensors of one file. A value: copies are independent; const access from
// several threads is safe.
//
// Tensors lie one behind the other: each begins where the one before ends, the
// last ends with the file.
class TensorTable {
 public:
  // `tensors` in the order of their data, no name twice.
  TensorTable(std::vector<TensorInfo> tensors,
              std::map<std::string, std::string> metadata);

  // In the order of their data.
  absl::Span<const TensorInfo> tensors() const { return tensors_; }

  // Null when there is no such tensor; else valid as long as the table.
  const TensorInfo* Find(absl::string_view name) const;

  // "__metadata__" of the file.
  const std::map<std::string, std::string>& metadata() const {
    return metadata_;
  }

 private:
  std::vector<TensorInfo> tensors_;
  absl::flat_hash_map<std::string, int64_t> index_by_name_;
  std::map<std::string, std::string> metadata_;
};

// The header's length in bytes, from a file's first bytes: `prefix` is the
// first kLengthPrefixBytes, or the whole of a shorter file. On success the
// header lies inside of the file and is at most kMaxHeaderBytes long, so that
// reading it needs no more memory than the file is long.
//
// INVALID_ARGUMENT: otherwise.
absl::StatusOr<int64_t> ParseHeaderLength(absl::string_view prefix,
                                          int64_t file_bytes);

// The tensors of a file of `file_bytes` whose header is `header`, the bytes
// behind the length prefix. Rejects whatever the reference reader (safetensors
// 0.8) rejects, and a dimension above 2^63 - 1, which that one accepts in an
// empty tensor. (reference_test.cc holds both against each other.) Memory is a
// small multiple of the header's.
//
// INVALID_ARGUMENT: names the tensor with the numbers that do not agree, or the
//   byte in the file.
absl::StatusOr<TensorTable> ParseHeader(absl::string_view header,
                                        int64_t file_bytes);

}  // namespace hydra::safetensors

#endif  // HYDRA_COMMON_SAFETENSORS_HEADER_H_
