#include "scheduler/journal/record_checksum.h"

#include <xxhash.h>

namespace hydra {

RecordChecksum::RecordChecksum(absl::string_view table_name)
    : table_seed_(XXH64(table_name.data(), table_name.size(), /*seed=*/0)) {}

int64_t RecordChecksum::Of(int64_t a, int64_t b,
                           absl::string_view value) const {
  const int64_t key[] = {a, b};
  const uint64_t key_seed = XXH64(key, sizeof(key), table_seed_);
  return static_cast<int64_t>(XXH64(value.data(), value.size(), key_seed));
}

}  // namespace hydra
