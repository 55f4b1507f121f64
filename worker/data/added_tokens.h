#ifndef HYDRA_WORKER_DATA_ADDED_TOKENS_H_
#define HYDRA_WORKER_DATA_ADDED_TOKENS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hydra {

// Finds texts that become one id wherever they stand: the leftmost first, and
// of those at one place the longest. Thread-compatible.
class AddedTokens {
 public:
  struct Match {
    size_t begin;
    size_t size;
    uint32_t id;
  };

  // `text` must not be empty.
  void Add(std::string text, uint32_t id);

  // The first one in `text`. O(text.size()) unless many begin alike.
  std::optional<Match> FindIn(absl::string_view text) const;

 private:
  struct Token {
    std::string text;
    uint32_t id;
  };
  // By their first byte, longest first.
  std::array<std::vector<Token>, 256> tokens_;
  // The first bytes that there are; most texts have none of them.
  std::string first_bytes_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_ADDED_TOKENS_H_
