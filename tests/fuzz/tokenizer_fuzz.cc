// The input is three parts with a NUL between: a vocab.json, a merges.txt, a
// text; or, if the second one is "tokenizer.json", that file, this word, a
// text. An empty vocab.json stands for the 256 bytes and a few words.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/tokenizer/tokenizer.h"
#include "glog/logging.h"
#include "nlohmann/json.hpp"
#include "worker/data/text_tokenizer.h"

namespace hydra {
namespace {

// The character that stands for a byte in GPT-2's vocabulary: itself where it
// can be printed, else one from U+0100 on.
std::string CharacterOf(int byte) {
  static int next = 0x100;
  const bool is_plain = (byte >= 0x21 && byte <= 0x7e) ||
                        (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  const int code = is_plain ? byte : next++;
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xc0 | code >> 6),
          static_cast<char>(0x80 | (code & 0x3f))};
}

std::string SmallVocabulary() {
  nlohmann::json vocabulary = nlohmann::json::object();
  for (int byte = 0; byte < 256; ++byte) {
    vocabulary[CharacterOf(byte)] = vocabulary.size();
  }
  for (const char* word : {"ab", "abc", "aa", "aaaa", "<|endoftext|>"}) {
    vocabulary[word] = vocabulary.size();
  }
  return vocabulary.dump();
}

std::vector<uint32_t> Encode(absl::string_view text, TextTokenizer* tokenizer) {
  std::vector<uint32_t> ids;
  tokenizer->Encode(text, &ids);
  return ids;
}

void EncodeTwice(absl::string_view text, TextTokenizer* tokenizer) {
  const std::vector<uint32_t> first = Encode(text, tokenizer);
  for (const uint32_t id : first) CHECK_LT(id, tokenizer->vocabulary_size());
  // The second time, all words are known ones.
  CHECK(first == Encode(text, tokenizer));
  const size_t cut = tokenizer->LastSafeCut(text, 0);
  if (cut == text.npos) return;
  std::vector<uint32_t> halves = Encode(text.substr(0, cut), tokenizer);
  tokenizer->EncodeContinued(text.substr(cut), &halves);
  CHECK(first == halves);
}

TokenizerFiles FilesOf(absl::string_view first, absl::string_view second) {
  static const std::string& small_vocabulary =
      *new std::string(SmallVocabulary());
  TokenizerFiles files;
  if (second == "tokenizer.json") {
    files.tokenizer_json = TokenizerFile{"tokenizer.json", std::string(first)};
    return files;
  }
  files.vocab_json = TokenizerFile{
      "vocab.json", first.empty() ? small_vocabulary : std::string(first)};
  files.merges_txt = TokenizerFile{"merges.txt", std::string(second)};
  return files;
}

void Try(absl::string_view input) {
  const std::vector<absl::string_view> parts =
      absl::StrSplit(input, absl::MaxSplits('\0', 2));
  if (parts.size() < 3) return;
  absl::StatusOr<Tokenizer> parsed =
      ParseTokenizer(FilesOf(parts[0], parts[1]));
  if (parsed.ok()) {
    TextTokenizer tokenizer(*std::move(parsed));
    return EncodeTwice(parts[2], &tokenizer);
  }
  CHECK(absl::IsInvalidArgument(parsed.status())) << parsed.status();
}

}  // namespace
}  // namespace hydra

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hydra::Try({reinterpret_cast<const char*>(data), size});
  return 0;
}
