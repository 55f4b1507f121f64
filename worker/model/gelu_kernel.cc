#include "worker/model/gelu_kernel.h"

#include <cstdint>
#include <cstring>

// For the functions that are compiled once for each set of instructions, and
// for what they are made of.
#define HYDRA_KERNEL inline __attribute__((always_inline))

namespace hydra {
namespace {

// gelu(x) = x / (1 + exp(-2 u)), u = kSlope (x + kCube x^3): what the usual
// 0.5 x (1 + tanh(u)) is.
constexpr float kSlope = 0.7978845608f;  // sqrt(2 / pi)
constexpr float kCube = 0.044715f;

HYDRA_KERNEL float Clamped(float x, float least, float most) {
  x = x < least ? least : x;
  return x > most ? most : x;
}

// Of a number between -87 and 88, within 2 units of the last place; NaN of NaN.
HYDRA_KERNEL float Exp(float x) {
  // Added to a number, it leaves the nearest whole one in the lowest bits.
  constexpr float kRounder = 12582912.0f;
  constexpr int32_t kRounderBits = 0x4b400000;
  constexpr float kLog2E = 1.44269504f;
  // Their sum is ln(2), and a small whole number times the first one is exact.
  constexpr float kLn2High = 0.693359375f;
  constexpr float kLn2Low = -2.12194440e-4f;
  const float rounded = x * kLog2E + kRounder;
  const float power = rounded - kRounder;
  const float r = (x - power * kLn2High) - power * kLn2Low;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const float mantissa = p * (r * r) + r + 1;
  int32_t bits;
  std::memcpy(&bits, &rounded, sizeof(bits));
  const uint32_t scale_bits = static_cast<uint32_t>(bits - kRounderBits + 127)
                              << 23;
  float scale;
  std::memcpy(&scale, &scale_bits, sizeof(scale));
  return mantissa * scale;
}

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
