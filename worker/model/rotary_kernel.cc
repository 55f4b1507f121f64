#include "worker/model/rotary_kernel.h"

#include <cstdint>

#include "worker/model/kernel.h"

namespace hydra {
namespace {

HYDRA_KERNEL void Rotate(int64_t heads, int64_t pairs, const float* cosines,
                         const float* sines, float* numbers) {
  for (int64_t head = 0; head < heads; ++head, numbers += 2 * pairs) {
#pragma omp simd
    for (int64_t i = 0; i < pairs; ++i) {
      const float first = numbers[i];
      const float second = numbers[i + pairs];
      numbers[i] = first * cosines[i] - second * sines[i];
      numbers[i + pairs] = second * cosines[i] + first * sines[i];
    }
  }
}

void RotateBaseline(int64_t heads, int64_t pairs, const float* cosines,
                    const float* sines, float* numbers) {
  Rotate(heads, pairs, cosines, sines, numbers);
}

__attribute__((target("avx2"))) void RotateAvx2(int64_t heads, int64_t pairs,
                                                const float* cosines,
                                                const float* sines,
                                                float* numbers) {
  Rotate(heads, pairs, cosines, sines, numbers);
}

}  // namespace

void RotateHeads(int64_t heads, int64_t pairs, const float* cosines,
                 const float* sines, float* numbers) {
  static const auto best =
      __builtin_cpu_supports("avx2") ? &RotateAvx2 : &RotateBaseline;
  best(heads, pairs, cosines, sines, numbers);
}

}  // namespace hydra
