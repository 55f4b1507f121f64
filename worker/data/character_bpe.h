#ifndef HYDRA_WORKER_DATA_CHARACTER_BPE_H_
#define HYDRA_WORKER_DATA_CHARACTER_BPE_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/tokenizer/tokenizer_parts.h"
#include "worker/data/bpe_merger.h"
#include "worker/data/word_model.h"

namespace hydra {

// BPE whose characters are characters, and bytes where a character has no
// token: Llama 2, Mistral.
class CharacterBpe : public WordModel {
 public:
  // `tokenizer` must outlive this.
  explicit CharacterBpe(const Tokenizer* tokenizer)
      : tokenizer_(*tokenizer), merger_(&tokenizer->merges) {}

  void Encode(absl::string_view word, std::vector<uint32_t>* ids) override;

 private:
  void AddCharacter(absl::string_view character);
  bool AddBytes(absl::string_view character);
  void AddUnknown();
  // Adds an unknown character that is still held back.
  void AddHeld();

  const Tokenizer& tokenizer_;
  BpeMerger merger_;
  std::vector<uint32_t> word_ids_;  // Scratch of Encode.
  // Whether the id of an unknown character waits for those that follow it.
  bool holds_unknown_ = false;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_CHARACTER_BPE_H_
