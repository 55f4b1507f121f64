#include "worker/data/text_tokenizer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/text/utf8.h"
#include "worker/data/posix_file.h"

namespace hydra {
namespace {

// Natural text reuses short words; a limit on both keeps strange text from
// filling the memory.
constexpr size_t kMaxKnownWordBytes = 48;
constexpr size_t kMaxKnownWords = 1 << 18;

}  // namespace

absl::StatusOr<std::unique_ptr<TextTokenizer>> TextTokenizer::Load(
    const std::string& directory) {
  TokenizerFiles files;
  for (const TokenizerFileName& file : kTokenizerFileNames) {
    const std::string path = absl::StrCat(directory, "/", file.name);
    absl::StatusOr<std::string> text = ReadWholeFile(path);
    if (absl::IsNotFound(text.status())) continue;
    if (!text.ok()) return text.status();
    files.*file.member = TokenizerFile{path, *std::move(text)};
  }
  absl::StatusOr<Tokenizer> tokenizer = ParseTokenizer(files);
  if (!tokenizer.ok()) return tokenizer.status();
  return std::make_unique<TextTokenizer>(*std::move(tokenizer));
}

TextTokenizer::TextTokenizer(Tokenizer tokenizer)
    : tokenizer_(std::move(tokenizer)),
      normalizer_(tokenizer_.normalizer),
      splitter_(tokenizer_.pre_tokenizer),
      safe_cuts_(tokenizer_),
      model_(MakeWordModel(tokenizer_)) {
  if (tokenizer_.model == TokenModel::kCharacterBpe) {
    joints_.emplace(tokenizer_);
  }
  for (AddedToken token : tokenizer_.added) {
    if (!token.first) token.text = normalizer_.Apply(token.text);
    (token.first ? first_added_ : added_).Add(std::move(token));
  }
}

void TextTokenizer::Encode(absl::string_view text, std::vector<uint32_t>* ids) {
  EncodeText(text, TextPlace::kStart, ids);
}

void TextTokenizer::EncodeContinued(absl::string_view text,
                                    std::vector<uint32_t>* ids) {
  EncodeText(text, TextPlace::kCut, ids);
}

void TextTokenizer::EncodeText(absl::string_view text, TextPlace place,
                               std::vector<uint32_t>* ids) {
  std::string repaired;
  first_added_.Split(
      RepairUtf8(text, &repaired), [&](uint32_t id) { ids->push_back(id); },
      [&](absl::string_view between, size_t begin) {
        EncodeNormal(between, begin == 0 ? place : TextPlace::kInside, ids);
      });
}

void TextTokenizer::EncodeNormal(absl::string_view text, TextPlace place,
                                 std::vector<uint32_t>* ids) {
  std::string normal;
  if (!normalizer_.empty()) {
    normal = normalizer_.Apply(text, place == TextPlace::kCut);
    text = normal;
  }
  added_.Split(
      text, [&](uint32_t id) { ids->push_back(id); },
      [&](absl::string_view between, size_t begin) {
        EncodeOrdinary(between, begin == 0 ? place : TextPlace::kInside, ids);
      });
}

void TextTokenizer::EncodeOrdinary(absl::string_view text, TextPlace place,
                                   std::vector<uint32_t>* ids) {
  const auto encode = [&](absl::string_view word) { EncodeWord(word, ids); };
  splitter_.Split(text, place, [&](absl::string_view word) {
    if (joints_.has_value()) {
      joints_->Split(word, encode);
    } else {
      encode(word);
    }
  });
}

void TextTokenizer::EncodeWord(absl::string_view word,
                               std::vector<uint32_t>* ids) {
  const auto known = known_words_.find(word);
  if (known != known_words_.end()) {
    const auto begin = known_ids_.begin() + known->second.begin;
    ids->insert(ids->end(), begin, begin + known->second.count);
    return;
  }
  word_ids_.clear();
  model_->Encode(word, &word_ids_);
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
