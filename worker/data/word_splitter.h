#ifndef HYDRA_WORKER_DATA_WORD_SPLITTER_H_
#define HYDRA_WORKER_DATA_WORD_SPLITTER_H_

#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "common/tokenizer/tokenizer_parts.h"

namespace hydra {

// Where a stretch of text begins.
enum class TextPlace {
  kStart,   // The whole text does.
  kCut,     // The text was cut here: what is before it is only not at hand.
  kInside,  // Behind an added token.
};

// Splits text into words as the pre-tokenizer of a tokenizer.json does.
// Thread-safe.
class WordSplitter {
 public:
  explicit WordSplitter(std::vector<PreTokenizerStep> steps);

  // Calls `word` for each word of `text`, in order; none is empty. A word is
  // valid during its call. Requires well-formed UTF-8.
  void Split(absl::string_view text, TextPlace place,
             absl::FunctionRef<void(absl::string_view)> word) const;

 private:
  const std::vector<PreTokenizerStep> steps_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_WORD_SPLITTER_H_
