#ifndef HYDRA_COMMON_HASH_CRC32C_H_
#define HYDRA_COMMON_HASH_CRC32C_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace hydra {

// The checksum of RFC 3720 (Castagnoli's polynomial) of `bytes`. A byte at a
// time: for small records, not for bulk data. Pure.
uint32_t Crc32c(absl::string_view bytes);

}  // namespace hydra

#endif  // HYDRA_COMMON_HASH_CRC32C_H_
