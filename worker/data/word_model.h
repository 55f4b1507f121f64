#ifndef HYDRA_WORKER_DATA_WORD_MODEL_H_
#define HYDRA_WORKER_DATA_WORD_MODEL_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/tokenizer/tokenizer_parts.h"

namespace hydra {

// What makes ids of one word. Not thread-safe: implementations keep scratch
// memory.
class WordModel {
 public:
  virtual ~WordModel() = default;

  // Appends the ids of `word`, which is not empty and well-formed UTF-8.
  virtual void Encode(absl::string_view word, std::vector<uint32_t>* ids) = 0;
};

// The model of `tokenizer`, which must outlive it.
std::unique_ptr<WordModel> MakeWordModel(const Tokenizer& tokenizer);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_WORD_MODEL_H_
