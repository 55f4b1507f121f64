#include "worker/data/byte_bpe.h"

#include "common/tokenizer/byte_symbols.h"

namespace hydra {

ByteBpe::ByteBpe(const Tokenizer* tokenizer)
    : tokenizer_(*tokenizer), merger_(&tokenizer->merges) {
  if (!tokenizer_.ignore_merges) return;
  for (const auto& [token, id] : tokenizer_.vocabulary) {
    if (auto bytes = BytesOfSymbols(token)) whole_words_.emplace(*bytes, id);
  }
}

void ByteBpe::Encode(absl::string_view word, std::vector<uint32_t>* ids) {
  if (const auto whole = whole_words_.find(word); whole != whole_words_.end()) {
    ids->push_back(whole->second);
    return;
  }
  word_ids_.clear();
  for (const unsigned char byte : word) {
    word_ids_.push_back(tokenizer_.byte_ids[byte]);
  }
  merger_.Apply(&word_ids_);
  ids->insert(ids->end(), word_ids_.begin(), word_ids_.end());
}

}  // namespace hydra
