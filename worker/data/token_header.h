#ifndef HYDRA_WORKER_DATA_TOKEN_HEADER_H_
#define HYDRA_WORKER_DATA_TOKEN_HEADER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydra {

// In an id of a file with marks: it is not trained on.
inline constexpr uint32_t kUntrainedMark = uint32_t{1} << 31;

// What is known of a file with marks, which conversations make.
struct MarkedTokens {
  // Rows that are sequences of their own; 0: the ids are one long row.
  int64_t row_count = 0;
  // Ids without a mark, but for the first one of each such row, which is no
  // target.
  int64_t trained_count = 0;
  // What became of the rows of the data files: all of them; those that were cut
  // to the context, and the tokens that they lost; and those that were left
  // out, since none of their tokens would be trained on.
  int64_t read_rows = 0;
  int64_t cut_rows = 0;
  int64_t cut_tokens = 0;
  int64_t dropped_rows = 0;
};

// The front of a prepared token file, little-endian; then come the ids as
// uint32 each.
//
//   offset  bytes
//        0      8  "HYDRATOK"
//        8      4  kVersion, or kMarkedVersion
//       12      4  max_token_id, without marks
//       16      8  token_count
//       24     32  content_hash: SHA-256 of all bytes behind the header
// of kVersion:
//       56      8  the first bytes of SHA-256 of all that stands before
// of kMarkedVersion, whose ids may have kUntrainedMark:
//       56     48  MarkedTokens, in its order, 8 bytes each
//      104     16  zeros
//      120      8  the first bytes of SHA-256 of all that stands before
// and behind the ids, where row_count is not 0, row_count + 1 uint64: before
// which id each row begins, and the last one ends.
struct TokenHeader {
  static constexpr uint32_t kVersion = 1;
  static constexpr uint32_t kMarkedVersion = 2;
  static constexpr int64_t kBytes = 64;
  static constexpr int64_t kMarkedBytes = 128;

  int64_t token_count = 0;
  uint32_t max_token_id = 0;
  std::string content_hash;  // Raw bytes.
  // Of kMarkedVersion alone.
  std::optional<MarkedTokens> marked = {};

  int64_t bytes() const { return marked.has_value() ? kMarkedBytes : kBytes; }
};

// Requires a content_hash of 32 bytes.
std::string EncodeTokenHeader(const TokenHeader& header);

// Of the front of a file, kMarkedBytes of it if there are so many.
//
// DATA_LOSS: too short, or not written by EncodeTokenHeader of this version.
absl::StatusOr<TokenHeader> DecodeTokenHeader(absl::string_view bytes);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_TOKEN_HEADER_H_
