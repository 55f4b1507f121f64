#include "worker/data/gpt2_tokenizer.h"

#include <utility>

#include "common/text/utf8.h"
#include "worker/data/gpt2_pretokenizer.h"
#include "worker/data/posix_file.h"

namespace hydra {
namespace {

// Natural text reuses short words; a limit on both keeps strange text from
// filling the memory.
constexpr size_t kMaxKnownWordBytes = 48;
constexpr size_t kMaxKnownWords = 1 << 18;

}  // namespace

absl::StatusOr<std::unique_ptr<Gpt2Tokenizer>> Gpt2Tokenizer::Create(
    const Files& files) {
  TokenizerFiles named;
  named.vocab_json =
      TokenizerFile{files.vocabulary_name, std::string(files.vocabulary_json)};
  named.merges_txt =
      TokenizerFile{files.merges_name, std::string(files.merges_text)};
  absl::StatusOr<Tokenizer> tokenizer = ParseTokenizer(named);
  if (!tokenizer.ok()) return tokenizer.status();
  return std::make_unique<Gpt2Tokenizer>(*std::move(tokenizer));
}

absl::StatusOr<std::unique_ptr<Gpt2Tokenizer>> Gpt2Tokenizer::Load(
    const std::string& vocabulary_path, const std::string& merges_path) {
  const absl::StatusOr<std::string> vocabulary = ReadWholeFile(vocabulary_path);
  if (!vocabulary.ok()) return vocabulary.status();
  const absl::StatusOr<std::string> merges = ReadWholeFile(merges_path);
  if (!merges.ok()) return merges.status();
  return Create({vocabulary_path, *vocabulary, merges_path, *merges});
}

Gpt2Tokenizer::Gpt2Tokenizer(Tokenizer tokenizer)
    : byte_ids_(tokenizer.byte_ids),
      merges_(std::move(tokenizer.merges)),
      vocabulary_size_(tokenizer.size),
      merger_(&merges_) {
  for (AddedToken& token : tokenizer.added) {
    (token.first ? first_added_ : added_).Add(std::move(token.text), token.id);
  }
}

void Gpt2Tokenizer::Split(absl::string_view text, const AddedTokens& added,
                          std::vector<uint32_t>* ids,
                          absl::FunctionRef<void(absl::string_view)> rest) {
  while (const auto match = added.FindIn(text)) {
    rest(text.substr(0, match->begin));
    ids->push_back(match->id);
    text.remove_prefix(match->begin + match->size);
  }
  rest(text);
}

void Gpt2Tokenizer::Encode(absl::string_view text, std::vector<uint32_t>* ids) {
  std::string repaired;
  text = RepairUtf8(text, &repaired);
  Split(text, first_added_, ids, [&](absl::string_view between) {
    Split(between, added_, ids,
          [&](absl::string_view ordinary) { EncodeOrdinary(ordinary, ids); });
  });
}

void Gpt2Tokenizer::EncodeOrdinary(absl::string_view text,
                                   std::vector<uint32_t>* ids) {
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = Gpt2WordEnd(text, begin);
    EncodeWord(text.substr(begin, end - begin), ids);
    begin = end;
  }
}

void Gpt2Tokenizer::EncodeWord(absl::string_view word,
                               std::vector<uint32_t>* ids) {
  const auto known = known_words_.find(word);
  if (known != known_words_.end()) {
    const auto begin = known_ids_.begin() + known->second.begin;
    ids->insert(ids->end(), begin, begin + known->second.count);
    return;
  }
  word_ids_.clear();
  for (const unsigned char byte : word) word_ids_.push_back(byte_ids_[byte]);
  merger_.Apply(&word_ids_);
  ids->insert(ids->end(), word_ids_.begin(), word_ids_.end());
  if (word.size() <= kMaxKnownWordBytes &&
      known_words_.size() < kMaxKnownWords) {
    const KnownWord entry = {static_cast<uint32_t>(known_ids_.size()),
                             static_cast<uint32_t>(word_ids_.size())};
    known_words_.emplace(word, entry);
    known_ids_.insert(known_ids_.end(), word_ids_.begin(), word_ids_.end());
  }
}

}  // namespace hydra
