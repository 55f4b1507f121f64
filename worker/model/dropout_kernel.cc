#include "worker/model/dropout_kernel.h"

#include <cstdint>
#include <cstring>

#include "worker/model/kernel.h"

namespace hydra {
namespace {

HYDRA_KERNEL uint32_t Mixed(uint32_t place) {
  place ^= place >> 16;
  place *= kMixFactor1;
  place ^= place >> 15;
  place *= kMixFactor2;
  return place ^ (place >> 16);
}

HYDRA_KERNEL void Drop(const DropKeys keys, uint32_t threshold,
                       float kept_factor, uint32_t first_place, int64_t count,
                       float* numbers) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t place = first_place + static_cast<uint32_t>(i);
    const uint32_t hash = Mixed(Mixed(place ^ keys.first) ^ keys.second);
    // 0 or all ones, so that there is nothing to branch on.
    const uint32_t keeps = -static_cast<uint32_t>(hash >= threshold);
    const float kept = numbers[i] * kept_factor;
    uint32_t bits;
    std::memcpy(&bits, &kept, sizeof(bits));
    bits &= keeps;
    std::memcpy(&numbers[i], &bits, sizeof(bits));
  }
}

void DropBaseline(const DropKeys& keys, uint32_t threshold, float kept_factor,
                  uint32_t first_place, int64_t count, float* numbers) {
  Drop(keys, threshold, kept_factor, first_place, count, numbers);
}

__attribute__((target("avx2"))) void DropAvx2(const DropKeys& keys,
                                              uint32_t threshold,
                                              float kept_factor,
                                              uint32_t first_place,
                                              int64_t count, float* numbers) {
  Drop(keys, threshold, kept_factor, first_place, count, numbers);
}

}  // namespace

void DropElements(const DropKeys& keys, uint32_t threshold, float kept_factor,
                  uint32_t first_place, int64_t count, float* numbers) {
  static const auto best =
      __builtin_cpu_supports("avx2") ? &DropAvx2 : &DropBaseline;
  best(keys, threshold, kept_factor, first_place, count, numbers);
}

}  // namespace hydra
