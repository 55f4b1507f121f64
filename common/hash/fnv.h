#ifndef HYDRA_COMMON_HASH_FNV_H_
#define HYDRA_COMMON_HASH_FNV_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace hydra {

// 64-bit FNV-1a of `bytes`: the same on every machine and in every version, so
// it may stand in files. Not for data that somebody chose to collide.
constexpr uint64_t Fnv1a(absl::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char byte : bytes) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  return hash;
}

}  // namespace hydra

#endif  // HYDRA_COMMON_HASH_FNV_H_
