#ifndef HYDRA_COMMON_POOL_POOL_HEADER_H_
#define HYDRA_COMMON_POOL_POOL_HEADER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "common/pool/instance_id.h"

namespace hydra {

// The bytes of a pool file's first page come before every slot.
inline constexpr int64_t kPoolDataOffset = 4096;

// What stands at the start of a pool file. The numbers are in the machine's own
// byte order: a pool never leaves its machine.
struct PoolHeader {
  char magic[8];
  uint64_t layout_version;
  InstanceId instance_id;
  int64_t total_bytes;  // Of the whole file.
  int64_t data_offset;
  uint64_t checksum;  // Of all fields above.

  // Who to name in an error message; the lock decides who owns the file, and
  // a file may change hands, so the checksum leaves this out.
  int64_t owner_pid;
};
static_assert(sizeof(PoolHeader) == 64 && sizeof(PoolHeader) <= kPoolDataOffset,
              "the header is part of the pool's layout");

// A header for a new pool, its checksum included.
PoolHeader MakePoolHeader(InstanceId instance_id, int64_t total_bytes,
                          int64_t owner_pid);

// Whether `header` begins as every pool file does, of any layout version.
bool HasPoolMagic(const PoolHeader& header);

// OK if `header` is one that MakePoolHeader of this version wrote.
//
// FAILED_PRECONDITION: it is not a pool's, of another layout version, or
//   damaged.
absl::Status CheckPoolHeader(const PoolHeader& header);

}  // namespace hydra

#endif  // HYDRA_COMMON_POOL_POOL_HEADER_H_
