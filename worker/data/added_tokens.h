#ifndef HYDRA_WORKER_DATA_ADDED_TOKENS_H_
#define HYDRA_WORKER_DATA_ADDED_TOKENS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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

  // Calls `found` for each token in `text`, in order, and `rest` for what is
  // between, if anything is, with its place in `text`.
  // O(text.size()) unless many begin alike. Requires well-formed UTF-8.
  void Split(absl::string_view text, absl::FunctionRef<void(uint32_t)> found,
             absl::FunctionRef<void(absl::string_view, size_t)> rest) const;

 private:
  struct Match {
    size_t begin;
    const AddedToken* token;
  };

  std::optional<Match> Find(absl::string_view text, size_t from) const;

  // By their first byte, longest first.
  std::array<std::vector<AddedToken>, 256> tokens_;
  // The first bytes that there are; most texts have none of them.
  std::string first_bytes_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_ADDED_TOKENS_H_
