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

// The normal distribution's function of x, where `decay` is exp(-x^2 / 2): of
// its smaller side Abramowitz and Stegun's 7.1.26, whose largest error is
// 7.5e-8.
HYDRA_KERNEL float NormalBelow(float x, float decay) {
  constexpr float kSqrtHalf = 0.7071067812f;
  const float magnitude = x < 0 ? -x : x;
  const float t = 1 / (1 + (0.3275911f * kSqrtHalf) * magnitude);
  float p = 1.061405429f;
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const float smaller = 0.5f * (p * t * decay);
  return x < 0 ? smaller : 1 - smaller;
}

// exp(-x^2 / 2).
HYDRA_KERNEL float NormalDecay(float x) {
  return Exp(Clamped(-0.5f * (x * x), -87, 0));
}

HYDRA_KERNEL void ErfGelu(int64_t count, const float* from, float* to) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const float x = from[i];
    to[i] = x * NormalBelow(x, NormalDecay(x));
  }
}

HYDRA_KERNEL void ErfGeluAndDerivative(int64_t count, float* from, float* to) {
  constexpr float kDensity = 0.3989422804f;  // 1 / sqrt(2 pi)
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const float x = from[i];
    const float decay = NormalDecay(x);
    const float below = NormalBelow(x, decay);
    to[i] = x * below;
    from[i] = below + x * (kDensity * decay);
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

void ErfGeluBaseline(int64_t count, const float* from, float* to) {
  ErfGelu(count, from, to);
}

__attribute__((target("avx2"))) void ErfGeluAvx2(int64_t count,
                                                 const float* from, float* to) {
  ErfGelu(count, from, to);
}

void ErfBothBaseline(int64_t count, float* from, float* to) {
  ErfGeluAndDerivative(count, from, to);
}

__attribute__((target("avx2"))) void ErfBothAvx2(int64_t count, float* from,
                                                 float* to) {
  ErfGeluAndDerivative(count, from, to);
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

void ErfGeluElements(int64_t count, const float* from, float* to) {
  static const auto best =
      __builtin_cpu_supports("avx2") ? &ErfGeluAvx2 : &ErfGeluBaseline;
  best(count, from, to);
}

void ErfGeluAndDerivativeElements(int64_t count, float* from, float* to) {
  static const auto best =
      __builtin_cpu_supports("avx2") ? &ErfBothAvx2 : &ErfBothBaseline;
  best(count, from, to);
}

}  // namespace hydra
