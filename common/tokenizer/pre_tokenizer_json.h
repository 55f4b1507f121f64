#ifndef HYDRA_COMMON_TOKENIZER_PRE_TOKENIZER_JSON_H_
#define HYDRA_COMMON_TOKENIZER_PRE_TOKENIZER_JSON_H_

#include <vector>

#include "absl/status/statusor.h"
#include "common/tokenizer/json_section.h"
#include "common/tokenizer/tokenizer_parts.h"

namespace hydra {

struct PreTokenizer {
  std::vector<PreTokenizerStep> steps;
  // Whether words become the characters of their bytes at the end.
  bool is_byte_level = false;

  bool Has(PreTokenizerKind kind) const;
};

// "pre_tokenizer" of a whole tokenizer.json: ByteLevel, Split by a pattern that
// is known, Digits, Metaspace, BertPreTokenizer, and Sequence of them. Pure.
//
// INVALID_ARGUMENT: another one, or one that lacks something, as JsonSection;
//   or ByteLevel is not the last, or is beside Metaspace or BertPreTokenizer.
absl::StatusOr<PreTokenizer> PreTokenizerOf(const JsonSection& tokenizer);

}  // namespace hydra

#endif  // HYDRA_COMMON_TOKENIZER_PRE_TOKENIZER_JSON_H_
