#ifndef HYDRA_COMMON_TOKENIZER_ADDED_TOKEN_LIST_H_
#define HYDRA_COMMON_TOKENIZER_ADDED_TOKEN_LIST_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "common/tokenizer/normalizer.h"
#include "common/tokenizer/tokenizer_parts.h"

namespace hydra {

// The value of a switch in a JSON object; `otherwise` for anything else.
bool JsonFlag(const nlohmann::json& json, const char* key, bool otherwise);

// Adds tokens to a tokenizer as transformers does, one after another. What is
// added twice is as it was the first time. `source` is how errors begin, which
// are INVALID_ARGUMENT. Not thread-safe.
class AddedTokenList {
 public:
  // `tokenizer`, whose model and normalizer are read, must outlive this.
  explicit AddedTokenList(Tokenizer* tokenizer);

  // A token that no file names. What has no id of its own gets one behind the
  // vocabulary, though a vocabulary with holes may have a token there.
  absl::Status AddUnnamed(const std::string& text, const std::string& source);

  // `token`: a string, or an object with "content" and switches. `id`: what a
  // file says that it has.
  absl::Status Add(const nlohmann::json& token, const std::string& source,
                   std::optional<int64_t> id, bool is_special);

 private:
  absl::Status AddToken(AddedToken token, const std::string& source,
                        std::optional<int64_t> given, bool may_share);
  Tokenizer& tokenizer_;
  const Normalizer normalizer_;
  absl::flat_hash_map<std::string, int64_t> ids_;
  absl::flat_hash_map<int64_t, std::string> owners_;
  // Behind the vocabulary, and behind all that were added.
  int64_t next_id_;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_TOKENIZER_ADDED_TOKEN_LIST_H_
