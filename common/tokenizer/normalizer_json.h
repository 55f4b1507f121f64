#ifndef HYDRA_COMMON_TOKENIZER_NORMALIZER_JSON_H_
#define HYDRA_COMMON_TOKENIZER_NORMALIZER_JSON_H_

#include <vector>

#include "absl/status/statusor.h"
#include "common/tokenizer/json_section.h"
#include "common/tokenizer/tokenizer_parts.h"

namespace hydra {

// The steps of "normalizer" in a whole tokenizer.json: NFC, NFD, NFKC, NFKD,
// Lowercase, StripAccents, Prepend, Replace of plain text, BertNormalizer, and
// Sequence of them. Pure.
//
// INVALID_ARGUMENT: another one, or one that lacks something; as JsonSection.
absl::StatusOr<std::vector<NormalizerStep>> NormalizerOf(
    const JsonSection& tokenizer);

}  // namespace hydra

#endif  // HYDRA_COMMON_TOKENIZER_NORMALIZER_JSON_H_
