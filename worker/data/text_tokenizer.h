#ifndef HYDRA_WORKER_DATA_TEXT_TOKENIZER_H_
#define HYDRA_WORKER_DATA_TEXT_TOKENIZER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/tokenizer/normalizer.h"
#include "common/tokenizer/tokenizer.h"
#include "worker/data/added_tokens.h"
#include "worker/data/merge_joints.h"
#include "worker/data/safe_cut.h"
#include "worker/data/word_model.h"
#include "worker/data/word_splitter.h"

namespace hydra {

// Where tokens lie at a place of a text, as numbers of ids. A token of which
// the place is inside is the first one that reaches behind it, and lies before
// the first one behind it.
struct TokenPlace {
  // The first token with text behind the place.
  size_t first_reaching = 0;
  // The first one with no text before it.
  size_t first_behind = 0;
};

// Text to the ids that Hugging Face's tokenizers gives for the same files
// (add_special_tokens=False: nothing is added at either end).
//
// The texts of added tokens, such as <|endoftext|>, become their ids wherever
// they stand. Ill-formed UTF-8 is read as RepairUtf8 says.
//
// Not thread-safe: remembers words that it has met (tens of MB at most).
class TextTokenizer {
 public:
  // Made from the files of a tokenizer's directory that are there.
  // INVALID_ARGUMENT: as ParseTokenizer. Others: as ReadWholeFile.
  static absl::StatusOr<std::unique_ptr<TextTokenizer>> Load(
      const std::string& directory);

  explicit TextTokenizer(Tokenizer tokenizer);

  TextTokenizer(const TextTokenizer&) = delete;
  TextTokenizer& operator=(const TextTokenizer&) = delete;

  // One more than the largest id.
  int64_t vocabulary_size() const { return tokenizer_.size; }

  // The token that ends a text (eos_token); none: no file names one.
  std::optional<uint32_t> end_of_text_id() const {
    return tokenizer_.end_of_text_id;
  }

  // Appends the ids of `text` to `ids`.
  void Encode(absl::string_view text, std::vector<uint32_t>* ids);

  // The same, and where the tokens lie at `places` of `text`, which are
  // characters' begins or its end, in ascending order. What becomes of a
  // character is its text, as Hugging Face's offsets have it; where several
  // become one (NFC), that is the first one's.
  // Requires well-formed UTF-8.
  std::vector<TokenPlace> EncodeWithPlaces(absl::string_view text,
                                           absl::Span<const size_t> places,
                                           std::vector<uint32_t>* ids);

  // Encode for what follows where a text was cut, at a place that
  // LastSafeCut gave.
  void EncodeContinued(absl::string_view text, std::vector<uint32_t>* ids);

  // The last place in [from, text.size()) where `text` can be cut so that its
  // halves, the second one continued, have the ids of the whole; npos if there
  // is none. `text` may itself be continued, and need not be well-formed.
  size_t LastSafeCut(absl::string_view text, size_t from) const {
    return safe_cuts_.Last(text, from);
  }

 private:
  // Places of a text, ascending, and where to put what is found there; `found`
  // is not touched where there are none.
  struct Places {
    absl::Span<const size_t> places = {};
    std::vector<TokenPlace>* found = nullptr;
  };

  // `place`: where `text` begins, kStart or kCut.
  void EncodeText(absl::string_view text, TextPlace place, Places places,
                  std::vector<uint32_t>* ids);
  void EncodeNormal(absl::string_view text, TextPlace place, Places places,
                    std::vector<uint32_t>* ids);
  void EncodeOrdinary(absl::string_view text, TextPlace place, Places places,
                      std::vector<uint32_t>* ids);
  void EncodeWord(absl::string_view word, std::vector<uint32_t>* ids);

  // Of added tokens and what is between them.
  void EncodeParts(
      const AddedTokens& added, absl::string_view text, Places places,
      std::vector<uint32_t>* ids,
      absl::FunctionRef<void(absl::string_view, size_t, Places)> rest);
  // Where `place` of `text` is in what the normalizer makes of it, `normal`.
  size_t NormalPlace(absl::string_view text, absl::string_view normal,
                     size_t place) const;
  // Bytes of the words that `text` becomes.
  size_t WordBytes(absl::string_view text, TextPlace place) const;
  // Notes those of `places`, and takes them off, that lie in a word: it has the
  // ids from number `first` on, and `begin` bytes of words before it.
  void NoteWord(absl::string_view word, size_t begin, size_t first,
                const std::vector<uint32_t>& ids, Places* places);
  // Bytes that the tokens have of a word, by id.
  const std::vector<uint32_t>& TokenBytes();

  const Tokenizer tokenizer_;
  const Normalizer normalizer_;
  const WordSplitter splitter_;
  const SafeCuts safe_cuts_;
  // Of a kCharacterBpe alone, whose words may be as long as the text.
  std::optional<MergeJoints> joints_;
  // Those that are looked for before the normalizer, and behind it.
  AddedTokens first_added_;
  AddedTokens added_;
  const std::unique_ptr<WordModel> model_;

  std::vector<uint32_t> word_ids_;     // Scratch of EncodeWord.
  std::vector<uint32_t> token_bytes_;  // Empty until somebody asks.

  // Where the ids of a word met before stand in known_ids_.
  struct KnownWord {
    uint32_t begin;
    uint32_t count;
  };
  absl::flat_hash_map<std::string, KnownWord> known_words_;
  std::vector<uint32_t> known_ids_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_TEXT_TOKENIZER_H_
