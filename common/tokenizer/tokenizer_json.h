#ifndef HYDRA_COMMON_TOKENIZER_TOKENIZER_JSON_H_
#define HYDRA_COMMON_TOKENIZER_TOKENIZER_JSON_H_

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/tokenizer/tokenizer_parts.h"

namespace hydra {

// Pure; errors begin with `name`.
//
// INVALID_ARGUMENT: as ParsePythonJson, for a file of any depth up to its
// limit.
absl::StatusOr<nlohmann::json> ParseTokenizerFile(absl::string_view text,
                                                  absl::string_view name);

// All of a tokenizer.json that decides ids but its added tokens, and `size`.
//
// INVALID_ARGUMENT: something that Hydra does not know, or that contradicts
//   itself; the message names the key.
absl::StatusOr<Tokenizer> TokenizerOf(const nlohmann::json& tokenizer,
                                      absl::string_view name);

}  // namespace hydra

#endif  // HYDRA_COMMON_TOKENIZER_TOKENIZER_JSON_H_
