// The input is three parts with a NUL between: a vocab.json, a merges.txt, a
// text. An empty vocab.json stands for the 256 bytes and a few words.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "glog/logging.h"
#include "nlohmann/json.hpp"
#include "worker/data/gpt2_tokenizer.h"

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

void EncodeTwice(absl::string_view text, Gpt2Tokenizer* tokenizer) {
  std::vector<uint32_t> first;
  tokenizer->Encode(text, &first);
  for (const uint32_t id : first) CHECK_LT(id, tokenizer->vocabulary_size());
  // The second time, all words are known ones.
  std::vector<uint32_t> second;
  tokenizer->Encode(text, &second);
  CHECK(first == second);
}

void Try(absl::string_view input) {
  static const std::string& small_vocabulary =
      *new std::string(SmallVocabulary());
  const std::vector<absl::string_view> parts =
      absl::StrSplit(input, absl::MaxSplits('\0', 2));
  if (parts.size() < 3) return;
  const auto tokenizer = Gpt2Tokenizer::Create(
      {"vocab.json", parts[0].empty() ? small_vocabulary : parts[0],
       "merges.txt", parts[1]});
  if (tokenizer.ok()) return EncodeTwice(parts[2], tokenizer->get());
  CHECK(absl::IsInvalidArgument(tokenizer.status())) << tokenizer.status();
}

}  // namespace
}  // namespace hydra

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hydra::Try({reinterpret_cast<const char*>(data), size});
  return 0;
}
