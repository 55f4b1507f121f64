#ifndef HYDRA_WORKER_DATA_TEXT_TOKENIZER_H_
#define HYDRA_WORKER_DATA_TEXT_TOKENIZER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/tokenizer/normalizer.h"
#include "common/tokenizer/tokenizer.h"
#include "worker/data/added_tokens.h"
#include "worker/data/merge_joints.h"
#include "worker/data/safe_cut.h"
#include "worker/data/word_model.h"
#include "worker/data/word_splitter.h"

namespace hydra {

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

  // The same for what follows where a text was cut, at a place that
  // LastSafeCut gave.
  void EncodeContinued(absl::string_view text, std::vector<uint32_t>* ids);

  // The last place in [from, text.size()) where `text` can be cut so that its
  // halves, the second one continued, have the ids of the whole; npos if there
  // is none. `text` may itself be continued, and need not be well-formed.
  size_t LastSafeCut(absl::string_view text, size_t from) const {
    return safe_cuts_.Last(text, from);
  }

 private:
  // `place`: where `text` begins, kStart or kCut.
  void EncodeText(absl::string_view text, TextPlace place,
                  std::vector<uint32_t>* ids);
  void EncodeNormal(absl::string_view text, TextPlace place,
                    std::vector<uint32_t>* ids);
  void EncodeOrdinary(absl::string_view text, TextPlace place,
                      std::vector<uint32_t>* ids);
  void EncodeWord(absl::string_view word, std::vector<uint32_t>* ids);

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

  std::vector<uint32_t> word_ids_;  // Scratch of EncodeWord.

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
