#include "worker/model/gelu_kernel.h"

#include <cstdint>

#include "worker/model/exp_kernel.h"

namespace hydra {
namespace {

// gelu(x) = x / (1 + exp(-2 u)), u = kSlope (x + kCube x^3): what the usual
// 0.5 x (1 + tanh(u)) is.
constexpr float kSlope = 0.7978845608f;  // sqrt(2 / pi)
constexpr float kCube = 0.044715f;

// exp(-2 u).
HYDRA_KERNEL float Decay(float x, float square) {
  const float exponent = (-2 * kSlope) * (x + kCube * (x * square));
  return Exp(Clamped(exponent, -87, 88));
}

HYDRA_KERNEL void Gelu(int64_t count, const float* from, float* to) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const float x = from[i];
    to[i] = x * (1 / (1 + Decay(x, x * x)));
  }
}

HYDRA_KERNEL void GeluAndDerivative(int64_t count, float* from, float* to) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const float x = from[i];
    const float square = x * x;
    const float decay = Decay(x, square);
    const float gate = 1 / (1 + decay);
    const float value = x * gate;
    // Of 2 u.
    const float slope = (2 * kSlope) * (1 + (3 * kCube) * square);
    to[i] = value;
    from[i] = gate + value * (decay * gate) * slope;
  }
}

void GeluBaseline(int64_t count, const float* from, float* to) {
  Gelu(count, from, to);
}

__attribute__((target("avx2"))) void GeluAvx2(int64_t count, const float* from,
                                              float* to) {
  Gelu(count, from, to);
}

void BothBaseline(int64_t count, float* from, float* to) {
  GeluAndDerivative(count, from, to);
}

__attribute__((target("avx2"))) void BothAvx2(int64_t count, float* from,
                                              float* to) {
  GeluAndDerivative(count, from, to);
}

}  // namespace

void GeluElements(int64_t count, const float* from, float* to) {
  static const auto best =
      __builtin_cpu_supports("avx2") ? &GeluAvx2 : &GeluBaseline;
  best(count, from, to);
}

void GeluAndDerivativeElements(int64_t count, float* from, float* to) {
  static const auto best =
      __builtin_cpu_supports("avx2") ? &BothAvx2 : &BothBaseline;
  best(count, from, to);
}

}  // namespace hydra
