#include "common/tokenizer/byte_symbols.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace hydra {
namespace {

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

}  // namespace

// A token's text has a visible character for each byte: the byte's own where
// that is one, else U+0100, U+0101, ... in the order of the remaining bytes.
absl::StatusOr<ByteIds> FindByteIds(const BpeVocabulary& vocabulary) {
  ByteIds ids;
  int next_substitute = 0x100;
  for (int b = 0; b < 256; ++b) {
    const std::string token =
        ToUtf8(IsWrittenAsItself(b) ? b : next_substitute++);
    const auto found = vocabulary.find(token);
    if (found == vocabulary.end()) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "has no token \"%s\", which stands for byte 0x%02x", token, b));
    }
    ids[b] = found->second;
  }
  return ids;
}

}  // namespace hydra
