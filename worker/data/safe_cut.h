#ifndef HYDRA_WORKER_DATA_SAFE_CUT_H_
#define HYDRA_WORKER_DATA_SAFE_CUT_H_

#include <cstddef>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "common/tokenizer/normalizer.h"
#include "common/tokenizer/tokenizer_parts.h"
#include "worker/data/merge_joints.h"

namespace hydra {

// Finds where text can be cut so that its two halves tokenize, each on its own
// (the second one as TextPlace::kCut), to the same ids as the whole: where a
// character that is not white space meets ASCII white space, and nothing of
// this tokenizer sees both of them. Thread-safe.
class SafeCuts {
 public:
  explicit SafeCuts(const Tokenizer& tokenizer);

  // The last such place in [from, text.size()), npos if there is none. `text`
  // need not be well-formed.
  size_t Last(absl::string_view text, size_t from) const;

 private:
  bool IsSafe(absl::string_view before, char space) const;
  // The characters at a cut between `before`, whose last one is `left`, and
  // `space` as the normalizer makes them; nothing if it might see both.
  std::optional<std::pair<char32_t, char32_t>> Normalized(
      absl::string_view before, char32_t left, char space) const;
  bool IsSafeForTokens(char32_t left, char32_t right) const;

  const Normalizer normalizer_;
  // Of a kCharacterBpe alone.
  std::optional<MergeJoints> joints_;
  // What stands for a space, if something does.
  char32_t space_mark_ = ' ';
  // Whether words must end at white space by themselves.
  bool has_word_ends_ = false;
  bool is_bert_ = false;
  // Whether line ends may belong to what is before them.
  bool takes_line_ends_ = false;
  // Whether a word that begins here must begin with a space, else something
  // would go before it.
  bool needs_space_ = false;
  // Neighbours within added tokens, and the characters that begin and end
  // those for which it makes a difference what they stand beside.
  absl::flat_hash_set<std::pair<char32_t, char32_t>> neighbours_;
  absl::flat_hash_set<char32_t> begins_;
  absl::flat_hash_set<char32_t> ends_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_SAFE_CUT_H_
