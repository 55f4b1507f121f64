#include "worker/data/word_piece.h"

#include <algorithm>

namespace hydra {
namespace {

bool IsCharacterBegin(char byte) { return (byte & 0xc0) != 0x80; }

}  // namespace

WordPiece::WordPiece(const Tokenizer* tokenizer) : tokenizer_(*tokenizer) {
  for (const auto& [token, id] : tokenizer_.vocabulary) {
    longest_bytes_ = std::max(longest_bytes_, token.size());
  }
}

void WordPiece::Encode(absl::string_view word, std::vector<uint32_t>* ids) {
  const size_t old_size = ids->size();
  bool is_known = std::count_if(word.begin(), word.end(), IsCharacterBegin) <=
                  tokenizer_.max_word_characters;
  for (size_t begin = 0; is_known && begin < word.size();) {
    const std::optional<uint32_t> id = TakeToken(word, &begin);
    is_known = id.has_value();
    if (is_known) ids->push_back(*id);
  }
  if (is_known) return;
  ids->resize(old_size);
  ids->push_back(*tokenizer_.unknown_id);
}

std::optional<uint32_t> WordPiece::TakeToken(absl::string_view word,
                                             size_t* begin) {
  const size_t prefix_bytes =
      *begin == 0 ? 0 : tokenizer_.continuation_prefix.size();
  candidate_.assign(tokenizer_.continuation_prefix, 0, prefix_bytes);
  // No longer one can be a token.
  const absl::string_view rest = word.substr(*begin, longest_bytes_);
  candidate_.append(rest.data(), rest.size());
  size_t end = *begin + rest.size();
  while (end > *begin) {
    const bool is_whole = end == word.size() || IsCharacterBegin(word[end]);
    const auto found = is_whole ? tokenizer_.vocabulary.find(candidate_)
                                : tokenizer_.vocabulary.end();
    if (found != tokenizer_.vocabulary.end()) {
      *begin = end;
      return found->second;
    }
    candidate_.pop_back();
    --end;
  }
  return std::nullopt;
}

}  // namespace hydra
