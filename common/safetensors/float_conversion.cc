#include "common/safetensors/float_conversion.h"

#include <cstddef>

#include "absl/base/casts.h"

namespace hydra::safetensors {
namespace {

// binary16 has 10 bits of fraction and a bias of 15, float 23 and 127.
constexpr int kFractionShift = 23 - 10;
constexpr uint32_t kRebias = uint32_t{127 - 15} << 23;
constexpr uint32_t kMinNormal = kRebias + (1u << 23);  // 2^-14

// Integers alone, but for one subtraction of normal numbers: a subnormal m has
// the value (1 + m / 1024) * 2^-14 - 2^-14. No input of an operation and no
// result of one is a subnormal float, so flushing them changes nothing.
float F16ToFloat(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t magnitude = static_cast<uint32_t>(half & 0x7fffu)
                             << kFractionShift;
  const uint32_t exponent = half & 0x7c00u;
  const uint32_t normal = magnitude + kRebias;
  const uint32_t inf_or_nan = normal + kRebias;
  const uint32_t subnormal =
      absl::bit_cast<uint32_t>(absl::bit_cast<float>(magnitude + kMinNormal) -
                               absl::bit_cast<float>(kMinNormal));
  const uint32_t finite = exponent == 0 ? subnormal : normal;
  return absl::bit_cast<float>(sign |
                               (exponent == 0x7c00u ? inf_or_nan : finite));
}

constexpr uint32_t kFloatInfinity = 0x7f800000u;
// Halfway between binary16's largest number, 65504, and what would follow it.
constexpr uint32_t kF16Overflow = 0x477ff000u;

uint16_t FloatToF16(float number) {
  const uint32_t bits = absl::bit_cast<uint32_t>(number);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  uint32_t half;
  if (magnitude > kFloatInfinity) {
    half = 0x7e00u;
  } else if (magnitude >= kF16Overflow) {
    half = 0x7c00u;
  } else if (magnitude < kMinNormal) {
    // Numbers from 0.5 on are as far apart as binary16's subnormals: the sum
    // rounds.
    const float sum = absl::bit_cast<float>(magnitude) + 0.5f;
    half = absl::bit_cast<uint32_t>(sum) - absl::bit_cast<uint32_t>(0.5f);
  } else {
    const uint32_t rebiased = magnitude - kRebias;
    const uint32_t is_odd = (rebiased >> kFractionShift) & 1u;
    half = (rebiased + 0x0fffu + is_odd) >> kFractionShift;
  }
  return static_cast<uint16_t>(sign | half);
}

uint16_t FloatToBF16(float number) {
  const uint32_t bits = absl::bit_cast<uint32_t>(number);
  const uint32_t high = bits >> 16;
  if ((bits & 0x7fffffffu) > kFloatInfinity) {
    // Else a NaN whose payload is cut off would be an infinity.
    return static_cast<uint16_t>(high | 0x0040u);
  }
  return static_cast<uint16_t>((bits + 0x7fffu + (high & 1u)) >> 16);
}

}  // namespace

void WidenF16(absl::Span<const uint16_t> from, absl::Span<float> to) {
  for (size_t i = 0; i < from.size(); ++i) to[i] = F16ToFloat(from[i]);
}

void WidenBF16(absl::Span<const uint16_t> from, absl::Span<float> to) {
  for (size_t i = 0; i < from.size(); ++i) {
    to[i] = absl::bit_cast<float>(static_cast<uint32_t>(from[i]) << 16);
  }
}

void NarrowF16(absl::Span<const float> from, absl::Span<uint16_t> to) {
  for (size_t i = 0; i < from.size(); ++i) to[i] = FloatToF16(from[i]);
}

void NarrowBF16(absl::Span<const float> from, absl::Span<uint16_t> to) {
  for (size_t i = 0; i < from.size(); ++i) to[i] = FloatToBF16(from[i]);
}

}  // namespace hydra::safetensors
