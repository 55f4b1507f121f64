#ifndef HYDRA_WORKER_DATA_TOKEN_HEADER_H_
#define HYDRA_WORKER_DATA_TOKEN_HEADER_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydra {

// The front of a prepared token file: 64 bytes, little-endian, then the ids as
// uint32 each.
//
//   offset  bytes
//        0      8  "HYDRATOK"
//        8      4  kVersion
//       12      4  max_token_id
//       16      8  token_count
//       24     32  content_hash: SHA-256 of the ids' bytes
//       56      8  the first bytes of SHA-256 of all that stands before
struct TokenHeader {
  static constexpr uint32_t kVersion = 1;
  static constexpr int64_t kBytes = 64;

  int64_t token_count = 0;
  uint32_t max_token_id = 0;
  std::string content_hash;  // Raw bytes.
};

// Requires a content_hash of 32 bytes.
std::string EncodeTokenHeader(const TokenHeader& header);

// DATA_LOSS: too short, or not written by EncodeTokenHeader of this version.
absl::StatusOr<TokenHeader> DecodeTokenHeader(absl::string_view bytes);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_TOKEN_HEADER_H_
