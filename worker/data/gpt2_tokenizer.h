#ifndef HYDRA_WORKER_DATA_GPT2_TOKENIZER_H_
#define HYDRA_WORKER_DATA_GPT2_TOKENIZER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/tokenizer/tokenizer.h"
#include "worker/data/added_tokens.h"
#include "worker/data/bpe_merger.h"

namespace hydra {

// GPT-2's byte-level BPE: text to the ids that Hugging Face's GPT2TokenizerFast
// gives (no prefix space, nothing added at either end).
//
// The texts of added tokens, such as <|endoftext|>, become their ids wherever
// they stand. Ill-formed UTF-8 is read as RepairUtf8 says.
//
// Not thread-safe: remembers words that it has met (tens of MB at most).
class Gpt2Tokenizer {
 public:
  struct Files {
    std::string vocabulary_name;  // What errors call the text, say its path.
    absl::string_view vocabulary_json;
    std::string merges_name;
    absl::string_view merges_text;
  };

  // INVALID_ARGUMENT: as ParseTokenizer.
  static absl::StatusOr<std::unique_ptr<Gpt2Tokenizer>> Create(
      const Files& files);

  // Create from files; also fails as ReadWholeFile does.
  static absl::StatusOr<std::unique_ptr<Gpt2Tokenizer>> Load(
      const std::string& vocabulary_path, const std::string& merges_path);

  explicit Gpt2Tokenizer(Tokenizer tokenizer);

  Gpt2Tokenizer(const Gpt2Tokenizer&) = delete;
  Gpt2Tokenizer& operator=(const Gpt2Tokenizer&) = delete;

  // One more than the largest id.
  int64_t vocabulary_size() const { return vocabulary_size_; }

  // Appends the ids of `text` to `ids`.
  void Encode(absl::string_view text, std::vector<uint32_t>* ids);

 private:
  // Gives each added token's id in its place, and the text between to `rest`.
  static void Split(absl::string_view text, const AddedTokens& added,
                    std::vector<uint32_t>* ids,
                    absl::FunctionRef<void(absl::string_view)> rest);

  void EncodeOrdinary(absl::string_view text, std::vector<uint32_t>* ids);
  void EncodeWord(absl::string_view word, std::vector<uint32_t>* ids);

  const ByteIds byte_ids_;
  const BpeMergeTable merges_;
  // Those that are looked for before the others, and the others.
  AddedTokens first_added_;
  AddedTokens added_;
  const int64_t vocabulary_size_;

  BpeMerger merger_;
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

#endif  // HYDRA_WORKER_DATA_GPT2_TOKENIZER_H_
