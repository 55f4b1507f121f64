#ifndef HYDRA_COMMON_TOKENIZER_TOKENIZER_H_
#define HYDRA_COMMON_TOKENIZER_TOKENIZER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/tokenizer/tokenizer_parts.h"

// What a tokenizer's directory says, as transformers reads it. Pure.
namespace hydra {

// GPT-2's vocabulary has 1 MiB.
inline constexpr int64_t kMaxTokenizerFileBytes = int64_t{64} << 20;

// How a message goes on of one that rows of JSON Lines cannot be parted with.
inline constexpr char kHasNoEndOfText[] =
    "names no eos_token, which is put behind the text of each row; "
    "tokenizer_config.json may name one";

// And of one that makes no sequences that are taken whole.
inline constexpr char kHasNoClsOrSep[] =
    "names no cls_token and sep_token, which stand about each text; "
    "tokenizer_config.json may name them";
inline constexpr char kHasNoMask[] =
    "names no mask_token, which stands in place of hidden tokens; "
    "tokenizer_config.json may name one";

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
  // Ids do not follow from it (chat_template.h).
  std::optional<TokenizerFile> chat_template_jinja;
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
    {"chat_template.jinja", &TokenizerFiles::chat_template_jinja},
};

// Reads the files of a directory: tokenizer.json where it is there, else
// vocab.json and merges.txt, which are only ever a GPT-2's. Token ids are those
// of Hugging Face's tokenizers, without anything added at either end: the
// post-processor, and switches such as add_bos_token, are not asked.
//
// INVALID_ARGUMENT: the files are malformed or contradict each other; they are
//   missing; or have a part that Hydra does not know (a model, normalizer,
//   pre-tokenizer or pattern, dropout), since ids would be others. The message
//   names file and part, and says what to do.
absl::StatusOr<Tokenizer> ParseTokenizer(const TokenizerFiles& files);

}  // namespace hydra

#endif  // HYDRA_COMMON_TOKENIZER_TOKENIZER_H_
