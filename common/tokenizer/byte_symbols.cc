#include "common/tokenizer/byte_symbols.h"

#include <cstddef>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "common/text/code_points.h"

namespace hydra {
namespace {

using Symbols = std::array<char32_t, 256>;

// Whether the vocabulary writes byte `b` as the character U+00`b`.
bool IsWrittenAsItself(int b) {
  return (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
}

// A token's text has a visible character for each byte: the byte's own where
// that is one, else U+0100, U+0101, ... in the order of the remaining bytes.
Symbols ByteSymbols() {
  Symbols symbols;
  char32_t next_substitute = 0x100;
  for (int b = 0; b < 256; ++b) {
    symbols[b] = IsWrittenAsItself(b) ? b : next_substitute++;
  }
  return symbols;
}

}  // namespace

absl::StatusOr<ByteIds> FindByteIds(const BpeVocabulary& vocabulary) {
  static const Symbols symbols = ByteSymbols();
  ByteIds ids;
  for (int b = 0; b < 256; ++b) {
    std::string token;
    AppendCodePoint(symbols[b], &token);
    const auto found = vocabulary.find(token);
    if (found == vocabulary.end()) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "has no token \"%s\", which stands for byte 0x%02x", token, b));
    }
    ids[b] = found->second;
  }
  return ids;
}

std::optional<std::string> BytesOfSymbols(absl::string_view token) {
  static const auto& bytes = *[] {
    auto* map = new absl::flat_hash_map<char32_t, char>;
    const Symbols symbols = ByteSymbols();
    for (int b = 0; b < 256; ++b) map->emplace(symbols[b], b);
    return map;
  }();
  std::string found;
  for (size_t at = 0; at < token.size();) {
    const auto byte = bytes.find(NextCodePoint(token, &at));
    if (byte == bytes.end()) return std::nullopt;
    found.push_back(byte->second);
  }
  return found;
}

}  // namespace hydra
