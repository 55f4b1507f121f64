#ifndef HYDRA_WORKER_DATA_ADDED_TOKENS_H_
#define HYDRA_WORKER_DATA_ADDED_TOKENS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "common/tokenizer/tokenizer_parts.h"

namespace hydra {

// Finds texts that become one id wherever they stand: the leftmost first, and
// of those at one place the longest. Thread-compatible.
class AddedTokens {
 public:
  // `token.text` must not be empty. Of two with one text the first counts.
  void Add(AddedToken token);

  // Calls `found` for each token in `text`, in order, with the place [begin,
  // end) that it takes of `text`, and `rest` for what is between, if anything
  // is, with its place in `text`.
  // O(text.size()), times the number of different lengths of those that begin
  // alike where one may begin. Requires well-formed UTF-8.
  void Split(absl::string_view text,
             absl::FunctionRef<void(uint32_t, size_t, size_t)> found,
             absl::FunctionRef<void(absl::string_view, size_t)> rest) const;

 private:
  struct Match {
    size_t begin;
    const AddedToken* token;
  };

  std::optional<Match> Find(absl::string_view text, size_t from) const;

  // By their texts.
  absl::flat_hash_map<std::string, AddedToken> tokens_;
  // By their first byte: the lengths that there are, longest first.
  std::array<std::vector<size_t>, 256> lengths_;
  // The first bytes that there are; most texts have none of them.
  std::string first_bytes_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_ADDED_TOKENS_H_
