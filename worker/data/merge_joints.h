#ifndef HYDRA_WORKER_DATA_MERGE_JOINTS_H_
#define HYDRA_WORKER_DATA_MERGE_JOINTS_H_

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "common/tokenizer/tokenizer_parts.h"

namespace hydra {

// Which characters a kCharacterBpe can join. Where it cannot, text may be cut:
// what is on both sides gets the same ids, each by itself. Thread-safe.
class MergeJoints {
 public:
  explicit MergeJoints(const Tokenizer& tokenizer);

  // Whether an id may have `left` and, behind it, `right` in it, or depend on
  // both. True wherever that is not sure.
  bool MayJoin(char32_t left, char32_t right) const;

  // Calls `part` for the parts of `word`, which begin at those spaces, or marks
  // for them, where nothing joins. All of it if merges are ignored for words
  // that are tokens. Requires well-formed UTF-8.
  void Split(absl::string_view word,
             absl::FunctionRef<void(absl::string_view)> part) const;

 private:
  bool IsToken(char32_t c) const;

  // Characters that are tokens.
  absl::flat_hash_set<char32_t> tokens_;
  // The last of a merge's left and the first of its right side.
  absl::flat_hash_set<std::pair<char32_t, char32_t>> pairs_;
  // Whether every character that is no token becomes bytes, which no merge
  // has.
  bool bytes_stand_alone_ = false;
  bool keeps_words_ = false;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_MERGE_JOINTS_H_
