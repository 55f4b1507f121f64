#ifndef HYDRA_COMMON_TOKENIZER_NORMALIZER_H_
#define HYDRA_COMMON_TOKENIZER_NORMALIZER_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/tokenizer/tokenizer_parts.h"

namespace hydra {

// Changes text as the normalizer of a tokenizer.json does. Thread-safe.
class Normalizer {
 public:
  // See NormalizerStep for what is required of each.
  explicit Normalizer(std::vector<NormalizerStep> steps);

  // Whether it leaves all text as it is.
  bool empty() const { return steps_.empty(); }

  // `text` after all steps. Requires well-formed UTF-8, and gives some.
  // `is_continued`: the text goes on where another one was cut, so that nothing
  // is put before it.
  std::string Apply(absl::string_view text, bool is_continued = false) const;

 private:
  const std::vector<NormalizerStep> steps_;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_TOKENIZER_NORMALIZER_H_
