#ifndef HYDRA_WORKER_MODEL_EXP_KERNEL_H_
#define HYDRA_WORKER_MODEL_EXP_KERNEL_H_

#include <cstdint>
#include <cstring>

#include "worker/model/kernel.h"

// The exponential that activations are made of: a polynomial of correctly
// rounded operations, which the includer's options must keep from being fused.
// Part of the results' bits: it must not change.
namespace hydra {

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

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_EXP_KERNEL_H_
