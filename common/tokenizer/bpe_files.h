#ifndef HYDRA_COMMON_TOKENIZER_BPE_FILES_H_
#define HYDRA_COMMON_TOKENIZER_BPE_FILES_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The two files of a byte-level BPE tokenizer, as Hugging Face writes them.
// The parsers are pure; `name` is what their errors call the text.
namespace hydra {

// Ids are at most this, so that they fit wherever an int32_t is kept.
inline constexpr uint32_t kMaxTokenId = 0x7fffffff;

using BpeVocabulary = absl::flat_hash_map<std::string, uint32_t>;

struct BpeMerge {
  uint32_t rank;
  uint32_t result;
};

// From the ids of two neighbours to what they merge into.
using BpeMergeTable =
    absl::flat_hash_map<std::pair<uint32_t, uint32_t>, BpeMerge>;

// Reads a vocab.json: one object of token to id.
// INVALID_ARGUMENT: not JSON, not such an object, empty, an id above
//   kMaxTokenId, or one id for two tokens.
absl::StatusOr<BpeVocabulary> ParseBpeVocabulary(absl::string_view json,
                                                 absl::string_view name);

// Adds a merge, given as merges.txt writes it or as its two tokens; its rank is
// the table's size.
// INVALID_ARGUMENT: a line without two parts, a part or a result that is not in
//   the vocabulary, or a pair that is there already.
absl::Status AddBpeMerge(absl::string_view line,
                         const BpeVocabulary& vocabulary, BpeMergeTable* table);
absl::Status AddBpeMerge(absl::string_view left, absl::string_view right,
                         const BpeVocabulary& vocabulary, BpeMergeTable* table);

// Reads a merges.txt: two tokens a line, the first line has rank 0; lines that
// begin with "#version" do not count.
// INVALID_ARGUMENT: as AddBpeMerge, with the line.
absl::StatusOr<BpeMergeTable> ParseBpeMerges(absl::string_view text,
                                             absl::string_view name,
                                             const BpeVocabulary& vocabulary);

}  // namespace hydra

#endif  // HYDRA_COMMON_TOKENIZER_BPE_FILES_H_
