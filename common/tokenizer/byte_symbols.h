#ifndef HYDRA_COMMON_TOKENIZER_BYTE_SYMBOLS_H_
#define HYDRA_COMMON_TOKENIZER_BYTE_SYMBOLS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/tokenizer/bpe_files.h"

namespace hydra {

// The ids of the tokens that stand for single bytes.
using ByteIds = std::array<uint32_t, 256>;

// Pure.
//
// INVALID_ARGUMENT: a byte has no token of its own in this vocabulary.
absl::StatusOr<ByteIds> FindByteIds(const BpeVocabulary& vocabulary);

// The bytes that a token of such a vocabulary stands for; nothing if it has
// another character. Requires well-formed UTF-8.
std::optional<std::string> BytesOfSymbols(absl::string_view token);

}  // namespace hydra

#endif  // HYDRA_COMMON_TOKENIZER_BYTE_SYMBOLS_H_
