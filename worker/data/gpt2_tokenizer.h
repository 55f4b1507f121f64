#ifndef HYDRA_WORKER_DATA_GPT2_TOKENIZER_H_
#define HYDRA_WORKER_DATA_GPT2_TOKENIZER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "worker/data/bpe_files.h"
#include "worker/data/bpe_merger.h"

namespace hydra {

// GPT-2's byte-level BPE: text to the ids that Hugging Face's GPT2TokenizerFast
// gives (no prefix space, nothing added at either end).
//
// The literal text <|endoftext|> becomes that token's id wherever it stands, if
// the vocabulary has it. Ill-formed UTF-8 is read as RepairUtf8 says.
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

  // INVALID_ARGUMENT: as ParseBpeVocabulary and ParseBpeMerges; or a byte has
  //   no token of its own.
  static absl::StatusOr<std::unique_ptr<Gpt2Tokenizer>> Create(
      const Files& files);

  // Create from files; also fails as ReadWholeFile does.
  static absl::StatusOr<std::unique_ptr<Gpt2Tokenizer>> Load(
      const std::string& vocabulary_path, const std::string& merges_path);

  Gpt2Tokenizer(const Gpt2Tokenizer&) = delete;
  Gpt2Tokenizer& operator=(const Gpt2Tokenizer&) = delete;

  // One more than the largest id.
  int64_t vocabulary_size() const { return vocabulary_size_; }

  // Appends the ids of `text` to `ids`.
  void Encode(absl::string_view text, std::vector<uint32_t>* ids);

 private:
  using ByteIds = std::array<uint32_t, 256>;

  Gpt2Tokenizer(const BpeVocabulary& vocabulary, const ByteIds& byte_ids,
                BpeMergeTable merges);

  static absl::StatusOr<ByteIds> FindByteIds(const BpeVocabulary& vocabulary);

  void EncodeOrdinary(absl::string_view text, std::vector<uint32_t>* ids);
  void EncodeWord(absl::string_view word, std::vector<uint32_t>* ids);

  const ByteIds byte_ids_;
  const BpeMergeTable merges_;
  const std::optional<uint32_t> end_of_text_id_;
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
