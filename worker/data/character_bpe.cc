#include "worker/data/character_bpe.h"

#include <cstddef>

#include "common/text/code_points.h"

namespace hydra {

void CharacterBpe::Encode(absl::string_view word, std::vector<uint32_t>* ids) {
  if (tokenizer_.ignore_merges) {
    const auto whole = tokenizer_.vocabulary.find(word);
    if (whole != tokenizer_.vocabulary.end()) {
      ids->push_back(whole->second);
      return;
    }
  }
  word_ids_.clear();
  for (size_t at = 0; at < word.size();) {
    const size_t begin = at;
    NextCodePoint(word, &at);
    AddCharacter(word.substr(begin, at - begin));
  }
  AddHeld();
  merger_.Apply(&word_ids_);
  ids->insert(ids->end(), word_ids_.begin(), word_ids_.end());
}

void CharacterBpe::AddCharacter(absl::string_view character) {
  const auto found = tokenizer_.vocabulary.find(character);
  if (found != tokenizer_.vocabulary.end()) {
    AddHeld();
    word_ids_.push_back(found->second);
  } else if (!AddBytes(character)) {
    AddUnknown();
  }
}

// Bytes overtake an unknown character that is held back, as they do in Hugging
// Face's tokenizers.
bool CharacterBpe::AddBytes(absl::string_view character) {
  if (tokenizer_.byte_tokens.empty()) return false;
  for (const unsigned char byte : character) {
    if (tokenizer_.byte_tokens[byte] == kNoByteToken) return false;
  }
  for (const unsigned char byte : character) {
    word_ids_.push_back(tokenizer_.byte_tokens[byte]);
  }
  return true;
}

void CharacterBpe::AddUnknown() {
  if (!tokenizer_.unknown_id.has_value()) return;
  if (!tokenizer_.fuse_unknown) AddHeld();
  holds_unknown_ = true;
}

void CharacterBpe::AddHeld() {
  if (holds_unknown_) word_ids_.push_back(*tokenizer_.unknown_id);
  holds_unknown_ = false;
}

}  // namespace hydra
