#ifndef HYDRA_COMMON_TOKENIZER_TOKENIZER_PARTS_H_
#define HYDRA_COMMON_TOKENIZER_TOKENIZER_PARTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/tokenizer/bpe_files.h"
#include "common/tokenizer/byte_symbols.h"

// What decides the ids of a text. A normalizer and a pre-tokenizer, which come
// before the model, are lists of small steps; one part of a tokenizer.json may
// be several of them: BERT's normalizer is five.
namespace hydra {

enum class NormalizerKind {
  // Normalization forms, of Unicode 9.
  kNfc,
  kNfd,
  kNfkc,
  kNfkd,
  kLowercase,
  kStripMarks,
  // Puts `content` before a text that is not empty.
  kPrepend,
  // Puts `content` in place of each `pattern`, from left to right. A pattern is
  // one character, or has neither white space nor a character that an earlier
  // kReplace put in.
  kReplace,
  // BERT's: control characters go, white space becomes spaces.
  kBertClean,
  // A space on both sides of each character that BERT takes for Chinese.
  kBertChinese,
  // BERT's second half of strip_accents, behind kNfd.
  kBertAccents,
};

struct NormalizerStep {
  NormalizerKind kind;
  std::string pattern = "";  // Of kReplace; not empty.
  std::string content = "";  // Of kPrepend and kReplace.
};

// The regular expressions that are known; see word_pattern.h.
enum class SplitPattern { kGpt2, kLlama3, kQwen2 };

enum class PreTokenizerKind {
  // A space before a text that has none.
  kPrefixSpace,
  // Words are the matches of `pattern`.
  kPattern,
  // Each numeric character is a word; runs of them are.
  kDigits,
  kDigitRuns,
  // Spaces become `marker`.
  kMarkSpaces,
  // A `marker` before a text that has none: every text, or the first alone.
  kPrefixMarker,
  kPrefixFirstMarker,
  // Each `marker` begins a word.
  kSplitAtMarkers,
  // BERT's: words end at white space, which goes, and punctuation characters
  // are words.
  kBert,
};

struct PreTokenizerStep {
  PreTokenizerKind kind;
  SplitPattern pattern = SplitPattern::kGpt2;  // Of kPattern.
  char32_t marker = 0;                         // Of those with a marker.
};

// A text that becomes one id wherever it stands.
struct AddedToken {
  std::string text;
  uint32_t id = 0;
  // Looked for before those that are not, and before the normalizer; the others
  // are looked for as the normalizer makes them (transformers: "normalized":
  // false and true).
  bool first = false;
  // Whether it takes the white space before and behind it with it.
  bool lstrip = false;
  bool rstrip = false;
  // Whether it must not stand beside a letter, number or underscore.
  bool single_word = false;
};

// How ids come of a word.
enum class TokenModel {
  kByteBpe,       // BPE whose characters are bytes.
  kCharacterBpe,  // BPE whose characters are characters.
  kWordPiece,
};

struct Tokenizer {
  TokenModel model = TokenModel::kByteBpe;
  BpeVocabulary vocabulary;
  std::vector<NormalizerStep> normalizer;
  std::vector<PreTokenizerStep> pre_tokenizer;

  // Of both kinds of BPE.
  BpeMergeTable merges;
  // Whether a word that is a token becomes that one, whatever merges say.
  bool ignore_merges = false;
  // Of kByteBpe.
  ByteIds byte_ids = {};

  // What a character (kCharacterBpe) or word (kWordPiece, which has one)
  // without a token becomes. Without one such characters are left out.
  std::optional<uint32_t> unknown_id;
  // Of kCharacterBpe: whether unknown characters in a row become one id.
  bool fuse_unknown = false;
  // Of kCharacterBpe: the tokens <0x00> to <0xFF> of a vocabulary, by byte,
  // which stand for a character that has none itself; those that are not there
  // are kNoByteToken. Empty: no such thing.
  std::vector<uint32_t> byte_tokens;

  // Of kWordPiece: what is before a token that does not begin a word, and the
  // most characters of a word that is not unknown.
  std::string continuation_prefix;
  int64_t max_word_characters = 0;

  std::vector<AddedToken> added;
  // What ends a text: eos_token. Nothing puts it there by itself.
  std::optional<uint32_t> end_of_text_id;
  // What stands before the text of a sequence that is taken whole, behind each
  // of its texts, and in place of a hidden token: cls_token, sep_token and
  // mask_token. Nothing puts them there by itself.
  std::optional<uint32_t> cls_id;
  std::optional<uint32_t> sep_id;
  std::optional<uint32_t> mask_id;
  // One more than the largest id.
  int64_t size = 0;
};

inline constexpr uint32_t kNoByteToken = 0xffffffff;

}  // namespace hydra

#endif  // HYDRA_COMMON_TOKENIZER_TOKENIZER_PARTS_H_
