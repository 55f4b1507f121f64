#include "worker/model/swiglu_kernel.h"

#include <cstdint>

#include "worker/model/exp_kernel.h"

namespace hydra {
namespace {

HYDRA_KERNEL void Swiglu(int64_t count, const float* gate, const float* up,
                         float* to) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const float x = gate[i];
    to[i] = x * (1 / (1 + Exp(Clamped(-x, -87, 88)))) * up[i];
  }
}

HYDRA_KERNEL void SwigluAndDerivative(int64_t count, float* gate, float* up,
                                      float* to) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const float x = gate[i];
    const float y = up[i];
    const float decay = Exp(Clamped(-x, -87, 88));
    const float sigmoid = 1 / (1 + decay);
    const float silu = x * sigmoid;
    to[i] = silu * y;
    gate[i] = (sigmoid + silu * (decay * sigmoid)) * y;
    up[i] = silu;
  }
}

void SwigluBaseline(int64_t count, const float* gate, const float* up,
                    float* to) {
  Swiglu(count, gate, up, to);
}

__attribute__((target("avx2"))) void SwigluAvx2(int64_t count,
                                                const float* gate,
                                                const float* up, float* to) {
  Swiglu(count, gate, up, to);
}

void BothBaseline(int64_t count, float* gate, float* up, float* to) {
  SwigluAndDerivative(count, gate, up, to);
}

__attribute__((target("avx2"))) void BothAvx2(int64_t count, float* gate,
                                              float* up, float* to) {
  SwigluAndDerivative(count, gate, up, to);
}

}  // namespace

void SwigluElements(int64_t count, const float* gate, const float* up,
                    float* to) {
  static const auto best =
      __builtin_cpu_supports("avx2") ? &SwigluAvx2 : &SwigluBaseline;
  best(count, gate, up, to);
}

void SwigluAndDerivativeElements(int64_t count, float* gate, float* up,
                                 float* to) {
  static const auto best =
      __builtin_cpu_supports("avx2") ? &BothAvx2 : &BothBaseline;
  best(count, gate, up, to);
}

}  // namespace hydra
