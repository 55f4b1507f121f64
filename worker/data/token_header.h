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

// And in one of a file of whole rows: it is of its row's second text.
inline constexpr uint32_t kSecondTextMark = uint32_t{1} << 30;

// What more is known of rows that a model takes whole. In those without classes
// tokens that are not to be hidden are marked as not trained on.
struct WholeRows {
  // Each row has a class below it; 0: they have none.
  int64_t class_count = 0;
  // What stands in place of hidden tokens, where rows have no classes.
  int64_t mask_id = 0;
};

// What is known of a file with marks, which conversations make, and texts for
// models that take rows whole.
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
  // Rows are taken whole: their first token may be a target, too.
  std::optional<WholeRows> whole = {};
};

// The front of a prepared token file, little-endian; then come the ids as
// uint32 each.
//
//   offset  bytes
//        0      8  "HYDRATOK"
//        8      4  kVersion, kMarkedVersion or kWholeVersion
//       12      4  max_token_id, without marks
//       16      8  token_count
//       24     32  content_hash: SHA-256 of all bytes behind the header
// of kVersion:
//       56      8  the first bytes of SHA-256 of all that stands before
// of kMarkedVersion, whose ids may have kUntrainedMark, and kWholeVersion,
// whose ids may have kSecondTextMark, too:
//       56     48  MarkedTokens, in its order, 8 bytes each
//      104     16  WholeRows, in its order, of kWholeVersion; else zeros
//      120      8  the first bytes of SHA-256 of all that stands before
// and behind the ids, where row_count is not 0, row_count + 1 uint64: before
// which id each row begins, and the last one ends; and behind these, where
// class_count is not 0, the class of each row, row_count int64.
struct TokenHeader {
  static constexpr uint32_t kVersion = 1;
  static constexpr uint32_t kMarkedVersion = 2;
  static constexpr uint32_t kWholeVersion = 3;
  static constexpr int64_t kBytes = 64;
  static constexpr int64_t kMarkedBytes = 128;

  int64_t token_count = 0;
  uint32_t max_token_id = 0;
  std::string content_hash;  // Raw bytes.
  // Of kMarkedVersion and kWholeVersion alone.
  std::optional<MarkedTokens> marked = {};

  int64_t bytes() const { return marked.has_value() ? kMarkedBytes : kBytes; }
  // What an id may have beside itself.
  uint32_t marks() const {
    if (!marked.has_value()) return 0;
    return marked->whole.has_value() ? kUntrainedMark | kSecondTextMark
                                     : kUntrainedMark;
  }
};

// Requires a content_hash of 32 bytes.
std::string EncodeTokenHeader(const TokenHeader& header);

// Of the front of a file, kMarkedBytes of it if there are so many.
//
// DATA_LOSS: too short, or not written by EncodeTokenHeader of this version.
absl::StatusOr<TokenHeader> DecodeTokenHeader(absl::string_view bytes);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_TOKEN_HEADER_H_
