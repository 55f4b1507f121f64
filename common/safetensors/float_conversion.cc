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

}  // namespace

void WidenF16(absl::Span<const uint16_t> from, absl::Span<float> to) {
  for (size_t i = 0; i < from.size(); ++i) to[i] = F16ToFloat(from[i]);
}

void WidenBF16(absl::Span<const uint16_t> from, absl::Span<float> to) {
  for (size_t i = 0; i < from.size(); ++i) {
    to[i] = absl::bit_cast<float>(static_cast<uint32_t>(from[i]) << 16);
  }
}

}  // namespace hydra::safetensors
