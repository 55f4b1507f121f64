#include "worker/data/gpt2_tokenizer.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "worker/data/gpt2_pretokenizer.h"
#include "worker/data/posix_file.h"
#include "worker/data/utf8.h"

namespace hydra {
namespace {

constexpr absl::string_view kEndOfText = "<|endoftext|>";

// Natural text reuses short words; a limit on both keeps strange text from
// filling the memory.
constexpr size_t kMaxKnownWordBytes = 48;
constexpr size_t kMaxKnownWords = 1 << 18;

// Whether the vocabulary writes byte `b` as the character U+00`b`.
bool IsWrittenAsItself(int b) {
  return (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
}

// A code point of U+0001 to U+07FF in UTF-8.
std::string ToUtf8(int code_point) {
  if (code_point < 0x80) return std::string(1, static_cast<char>(code_point));
  return {static_cast<char>(0xc0 | code_point >> 6),
          static_cast<char>(0x80 | (code_point & 0x3f))};
}

std::optional<uint32_t> FindId(const BpeVocabulary& vocabulary,
                               absl::string_view token) {
  const auto found = vocabulary.find(token);
  if (found == vocabulary.end()) return std::nullopt;
  return found->second;
}

int64_t LargestIdPlusOne(const BpeVocabulary& vocabulary) {
  int64_t size = 0;
  for (const auto& [token, id] : vocabulary) {
    size = std::max<int64_t>(size, int64_t{id} + 1);
  }
  return size;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Gpt2Tokenizer>> Gpt2Tokenizer::Create(
    const Files& files) {
  const absl::StatusOr<BpeVocabulary> vocabulary =
      ParseBpeVocabulary(files.vocabulary_json, files.vocabulary_name);
  if (!vocabulary.ok()) return vocabulary.status();
  const absl::StatusOr<ByteIds> byte_ids = FindByteIds(*vocabulary);
  if (!byte_ids.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(files.vocabulary_name, ": ", byte_ids.status().message()));
  }
  absl::StatusOr<BpeMergeTable> merges =
      ParseBpeMerges(files.merges_text, files.merges_name, *vocabulary);
  if (!merges.ok()) return merges.status();
  return std::unique_ptr<Gpt2Tokenizer>(
      new Gpt2Tokenizer(*vocabulary, *byte_ids, *std::move(merges)));
}

absl::StatusOr<std::unique_ptr<Gpt2Tokenizer>> Gpt2Tokenizer::Load(
    const std::string& vocabulary_path, const std::string& merges_path) {
  const absl::StatusOr<std::string> vocabulary = ReadWholeFile(vocabulary_path);
  if (!vocabulary.ok()) return vocabulary.status();
  const absl::StatusOr<std::string> merges = ReadWholeFile(merges_path);
  if (!merges.ok()) return merges.status();
  return Create({vocabulary_path, *vocabulary, merges_path, *merges});
}

Gpt2Tokenizer::Gpt2Tokenizer(const BpeVocabulary& vocabulary,
                             const ByteIds& byte_ids, BpeMergeTable merges)
    : byte_ids_(byte_ids),
      merges_(std::move(merges)),
      end_of_text_id_(FindId(vocabulary, kEndOfText)),
      vocabulary_size_(LargestIdPlusOne(vocabulary)),
      merger_(&merges_) {}

// A token's text has a visible character for each byte: the byte's own where
// that is one, else U+0100, U+0101, ... in the order of the remaining bytes.
absl::StatusOr<Gpt2Tokenizer::ByteIds> Gpt2Tokenizer::FindByteIds(
    const BpeVocabulary& vocabulary) {
  ByteIds ids;
  int next_substitute = 0x100;
  for (int b = 0; b < 256; ++b) {
    const std::string token =
        ToUtf8(IsWrittenAsItself(b) ? b : next_substitute++);
    const std::optional<uint32_t> id = FindId(vocabulary, token);
    if (!id.has_value()) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "has no token \"%s\", which stands for byte 0x%02x", token, b));
    }
    ids[b] = *id;
  }
  return ids;
}

void Gpt2Tokenizer::Encode(absl::string_view text, std::vector<uint32_t>* ids) {
  std::string repaired;
  text = RepairUtf8(text, &repaired);
  while (end_of_text_id_.has_value()) {
    const size_t end = text.find(kEndOfText);
    if (end == absl::string_view::npos) break;
    EncodeOrdinary(text.substr(0, end), ids);
    ids->push_back(*end_of_text_id_);
    text.remove_prefix(end + kEndOfText.size());
  }
  EncodeOrdinary(text, ids);
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
