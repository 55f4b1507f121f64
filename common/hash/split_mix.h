#ifndef HYDRA_COMMON_HASH_SPLIT_MIX_H_
#define HYDRA_COMMON_HASH_SPLIT_MIX_H_

#include <cstdint>

namespace hydra {

// By how much SplitMix64's state grows from one number to the next.
inline constexpr uint64_t kSplitMixStep = 0x9e3779b97f4a7c15;

// SplitMix64's finalizer, a bijection: each bit of `z` reaches each bit of the
// result. The same on every machine and in every version.
constexpr uint64_t SplitMix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace hydra

#endif  // HYDRA_COMMON_HASH_SPLIT_MIX_H_
