#ifndef HYDRA_COMMON_TOKENIZER_TOKENIZER_JSON_H_
#define HYDRA_COMMON_TOKENIZER_TOKENIZER_JSON_H_

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/tokenizer/bpe_files.h"

namespace hydra {

// The parts of a tokenizer.json that decide ids, but for its added tokens.
struct BpeModel {
  BpeVocabulary vocabulary;
  BpeMergeTable merges;
};

// Pure; errors begin with `name`.
//
// INVALID_ARGUMENT: as ParsePythonJson, for a file of any depth up to its
// limit.
absl::StatusOr<nlohmann::json> ParseTokenizerFile(absl::string_view text,
                                                  absl::string_view name);

// INVALID_ARGUMENT: it is no byte-level BPE as GPT-2's; the message names the
//   key that says so.
absl::StatusOr<BpeModel> BpeModelOf(const nlohmann::json& tokenizer,
                                    absl::string_view name);

}  // namespace hydra

#endif  // HYDRA_COMMON_TOKENIZER_TOKENIZER_JSON_H_
