#ifndef HYDRA_COMMON_TOKENIZER_TOKENIZER_H_
#define HYDRA_COMMON_TOKENIZER_TOKENIZER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/tokenizer/bpe_files.h"
#include "common/tokenizer/byte_symbols.h"

// What a tokenizer's directory says, as transformers reads it. Pure.
namespace hydra {

// GPT-2's vocabulary has 1 MiB.
inline constexpr int64_t kMaxTokenizerFileBytes = int64_t{64} << 20;

// One file, and what errors call it, say its path.
struct TokenizerFile {
  std::string name;
  std::string text;
};

// The files of a directory that decide which ids a text has; those that are not
// there are absent.
struct TokenizerFiles {
  // What transformers 5 writes. Where it is, the next two are not asked.
  std::optional<TokenizerFile> tokenizer_json;
  std::optional<TokenizerFile> vocab_json;
  std::optional<TokenizerFile> merges_txt;
  // They add tokens, and switches.
  std::optional<TokenizerFile> tokenizer_config_json;
  std::optional<TokenizerFile> special_tokens_map_json;
  std::optional<TokenizerFile> added_tokens_json;
};

// A member of TokenizerFiles and the name of its file.
struct TokenizerFileName {
  const char* name;
  std::optional<TokenizerFile> TokenizerFiles::*member;
};
inline constexpr TokenizerFileName kTokenizerFileNames[] = {
    {"tokenizer.json", &TokenizerFiles::tokenizer_json},
    {"vocab.json", &TokenizerFiles::vocab_json},
    {"merges.txt", &TokenizerFiles::merges_txt},
    {"tokenizer_config.json", &TokenizerFiles::tokenizer_config_json},
    {"special_tokens_map.json", &TokenizerFiles::special_tokens_map_json},
    {"added_tokens.json", &TokenizerFiles::added_tokens_json},
};

// A text that becomes one id wherever it stands.
struct AddedToken {
  std::string text;
  uint32_t id = 0;
  // Looked for before those that are not (transformers: "normalized": false).
  bool first = false;
};

// A byte-level BPE tokenizer with GPT-2's pattern.
struct Tokenizer {
  BpeVocabulary vocabulary;
  BpeMergeTable merges;
  ByteIds byte_ids;
  std::vector<AddedToken> added;
  // One more than the largest id.
  int64_t size = 0;
};

// Token ids are those of transformers' AutoTokenizer for a GPT-2, without
// anything added at either end.
//
// INVALID_ARGUMENT: the files are malformed or contradict each other; they are
//   missing; or ask for what would give other ids than Hydra's: a normalizer,
//   another pre-tokenizer or model, a space or tokens before the text, dropout,
//   added tokens that swallow white space. The message names file and key.
absl::StatusOr<Tokenizer> ParseTokenizer(const TokenizerFiles& files);

}  // namespace hydra

#endif  // HYDRA_COMMON_TOKENIZER_TOKENIZER_H_
