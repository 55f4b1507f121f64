#ifndef HYDRA_WORKER_DATA_HEADER_CHECKSUM_H_
#define HYDRA_WORKER_DATA_HEADER_CHECKSUM_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

// Headers and records of files of the token cache end with the first bytes of
// the SHA-256 of all that stands before. Pure functions; each wants a header of
// at least kHeaderChecksumBytes.
namespace hydra {

inline constexpr int64_t kHeaderChecksumBytes = 8;

// The header with its checksum in place of its last bytes.
std::string WithChecksum(std::string header);

bool HasRightChecksum(absl::string_view header);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_HEADER_CHECKSUM_H_
