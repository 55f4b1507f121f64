#ifndef HYDRA_WORKER_MODEL_DROPOUT_KERNEL_H_
#define HYDRA_WORKER_MODEL_DROPOUT_KERNEL_H_

#include <algorithm>
#include <cstdint>

#include "common/hash/split_mix.h"

namespace hydra {

// The arithmetic of DropOut. A number is dropped if a hash of its place is
// below a threshold. Part of the results' bits: it must not change.
//
// The hash has 32 bits and mixes twice, each time with a key of its own: two
// rounds of a bijection whose bits all reach each other. 32 bits, because
// processors multiply several such numbers at once.

inline constexpr uint32_t kMixFactor1 = 0x7feb352d;
inline constexpr uint32_t kMixFactor2 = 0x846ca68b;

// For 2^32 places.
struct DropKeys {
  uint32_t first = 0;
  uint32_t second = 0;
};

// `probability` from 0 to below 1.
inline uint32_t ThresholdOf(double probability) {
  return static_cast<uint32_t>(probability * 4294967296.0);
}
inline float KeptFactor(double probability) {
  return static_cast<float>(1 / (1 - probability));
}

// Calls body(keys, low 32 bits of the first place, index of the first number,
// count) for the ranges of `count` numbers that have their keys in common.
template <typename Body>
void ForEachDropRange(uint64_t seed, int64_t first_place, int64_t count,
                      Body body) {
  constexpr int64_t kPlaces = int64_t{1} << 32;
  for (int64_t done = 0; done < count;) {
    const int64_t place = first_place + done;
    const uint64_t keys = SplitMix(seed + (place / kPlaces) * kSplitMixStep);
    const int64_t here = std::min(count - done, kPlaces - place % kPlaces);
    body(DropKeys{static_cast<uint32_t>(keys >> 32),
                  static_cast<uint32_t>(keys)},
         static_cast<uint32_t>(place), done, here);
    done += here;
  }
}

// Whatever the processor, the same bits.
void DropElements(const DropKeys& keys, uint32_t threshold, float kept_factor,
                  uint32_t first_place, int64_t count, float* numbers);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_DROPOUT_KERNEL_H_
