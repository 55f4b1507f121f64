#include "worker/data/added_tokens.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"

namespace hydra {

void AddedTokens::Add(std::string text, uint32_t id) {
  std::vector<Token>& alike = tokens_[static_cast<unsigned char>(text[0])];
  if (alike.empty()) first_bytes_.push_back(text[0]);
  alike.push_back({std::move(text), id});
  std::stable_sort(alike.begin(), alike.end(),
                   [](const Token& a, const Token& b) {
                     return a.text.size() > b.text.size();
                   });
}

std::optional<AddedTokens::Match> AddedTokens::FindIn(
    absl::string_view text) const {
  if (first_bytes_.empty()) return std::nullopt;
  for (size_t at = text.find_first_of(first_bytes_); at != text.npos;
       at = text.find_first_of(first_bytes_, at + 1)) {
    const absl::string_view rest = text.substr(at);
    for (const Token& token : tokens_[static_cast<unsigned char>(rest[0])]) {
      if (absl::StartsWith(rest, token.text)) {
        return Match{at, token.text.size(), token.id};
      }
    }
  }
  return std::nullopt;
}

}  // namespace hydra
