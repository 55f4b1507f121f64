#include "worker/data/added_tokens.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "common/text/code_points.h"
#include "common/tokenizer/unicode_classes.h"

namespace hydra {
namespace {

bool IsWithinWord(absl::string_view before, absl::string_view after) {
  return (!before.empty() && IsWordCharacter(LastCodePoint(before))) ||
         (!after.empty() && IsWordCharacter(FirstCodePoint(after)));
}

// Where the white space at the end of `text` begins.
size_t WhiteSpaceBegin(absl::string_view text) {
  size_t begin = text.size();
  while (begin > 0) {
    const absl::string_view before = text.substr(0, begin);
    if (!IsWhiteSpace(LastCodePoint(before))) break;
    --begin;
    // To the character's first byte.
    while ((text[begin] & 0xc0) == 0x80) --begin;
  }
  return begin;
}

size_t WhiteSpaceEnd(absl::string_view text, size_t begin) {
  size_t end = begin;
  for (size_t next = begin; next < text.size(); end = next) {
    if (!IsWhiteSpace(NextCodePoint(text, &next))) break;
  }
  return end;
}

}  // namespace

void AddedTokens::Add(AddedToken token) {
  std::vector<size_t>& lengths =
      lengths_[static_cast<unsigned char>(token.text[0])];
  if (lengths.empty()) first_bytes_.push_back(token.text[0]);
  const size_t length = token.text.size();
  const auto place = std::lower_bound(lengths.begin(), lengths.end(), length,
                                      std::greater<size_t>());
  if (place == lengths.end() || *place != length) lengths.insert(place, length);
  std::string text = token.text;
  tokens_.try_emplace(std::move(text), std::move(token));
}

std::optional<AddedTokens::Match> AddedTokens::Find(absl::string_view text,
                                                    size_t from) const {
  if (first_bytes_.empty()) return std::nullopt;
  for (size_t at = text.find_first_of(first_bytes_, from); at != text.npos;
       at = text.find_first_of(first_bytes_, at + 1)) {
    const absl::string_view rest = text.substr(at);
    for (size_t length : lengths_[static_cast<unsigned char>(rest[0])]) {
      if (length > rest.size()) continue;
      const auto found = tokens_.find(rest.substr(0, length));
      if (found != tokens_.end()) return Match{at, &found->second};
    }
  }
  return std::nullopt;
}

void AddedTokens::Split(
    absl::string_view text,
    absl::FunctionRef<void(uint32_t, size_t, size_t)> found,
    absl::FunctionRef<void(absl::string_view, size_t)> rest) const {
  size_t done = 0;
  size_t from = 0;
  while (const auto match = Find(text, from)) {
    const AddedToken& token = *match->token;
    size_t begin = match->begin;
    size_t end = begin + token.text.size();
    from = end;
    if (token.single_word &&
        IsWithinWord(text.substr(0, begin), text.substr(end))) {
      continue;
    }
    // What an earlier token took is not taken again.
    if (token.lstrip) {
      begin = std::max(WhiteSpaceBegin(text.substr(0, begin)), done);
    }
    if (token.rstrip) end = WhiteSpaceEnd(text, end);
    if (done < begin) rest(text.substr(done, begin - done), done);
    found(token.id, begin, end);
    done = end;
  }
  if (done < text.size()) rest(text.substr(done), done);
}

}  // namespace hydra
