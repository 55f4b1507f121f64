#ifndef HYDRA_WORKER_DATA_BYTE_BPE_H_
#define HYDRA_WORKER_DATA_BYTE_BPE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "common/tokenizer/tokenizer_parts.h"
#include "worker/data/bpe_merger.h"
#include "worker/data/word_model.h"

namespace hydra {

// BPE whose characters are bytes: GPT-2, Llama 3, Qwen.
class ByteBpe : public WordModel {
 public:
  // `tokenizer` must outlive this.
  explicit ByteBpe(const Tokenizer* tokenizer);

  void Encode(absl::string_view word, std::vector<uint32_t>* ids) override;

 private:
  const Tokenizer& tokenizer_;
  // If merges may be ignored: each token's id by the bytes it stands for.
  absl::flat_hash_map<std::string, uint32_t> whole_words_;
  BpeMerger merger_;
  std::vector<uint32_t> word_ids_;  // Scratch of Encode.
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_BYTE_BPE_H_
