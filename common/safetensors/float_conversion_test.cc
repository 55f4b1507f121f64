#include "common/safetensors/float_conversion.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace hydra::safetensors {
namespace {

std::vector<uint16_t> AllPatterns() {
  std::vector<uint16_t> patterns(65536);
  for (int i = 0; i < 65536; ++i) patterns[i] = static_cast<uint16_t>(i);
  return patterns;
}

// The definition of a small float format, in double arithmetic.
double Defined(uint16_t bits, int fraction_bits, int bias) {
  const int exponent_mask = (1 << (15 - fraction_bits)) - 1;
  const int exponent = (bits >> fraction_bits) & exponent_mask;
  const double fraction =
      std::ldexp(bits & ((1 << fraction_bits) - 1), -fraction_bits);
  double value;
  if (exponent == exponent_mask) {
    value = fraction == 0 ? std::numeric_limits<double>::infinity()
                          : std::numeric_limits<double>::quiet_NaN();
  } else if (exponent == 0) {
    value = std::ldexp(fraction, 1 - bias);
  } else {
    value = std::ldexp(1 + fraction, exponent - bias);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

uint32_t Bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

using Widen = void (*)(absl::Span<const uint16_t>, absl::Span<float>);

void ExpectEveryPatternExact(Widen widen, int fraction_bits, int bias) {
  const std::vector<uint16_t> from = AllPatterns();
  std::vector<float> to(from.size());
  widen(from, absl::MakeSpan(to));
  for (size_t i = 0; i < from.size(); ++i) {
    const double defined = Defined(from[i], fraction_bits, bias);
    if (std::isnan(defined)) {
      EXPECT_TRUE(std::isnan(to[i])) << i;
      EXPECT_EQ(std::signbit(to[i]), (from[i] & 0x8000) != 0) << i;
    } else {
      EXPECT_EQ(Bits(to[i]), Bits(static_cast<float>(defined))) << i;
    }
  }
}

TEST(FloatConversionTest, EveryBinary16IsWidenedExactly) {
  ExpectEveryPatternExact(&WidenF16, /*fraction_bits=*/10, /*bias=*/15);
}

TEST(FloatConversionTest, EveryBfloat16IsWidenedExactly) {
  ExpectEveryPatternExact(&WidenBF16, /*fraction_bits=*/7, /*bias=*/127);
}

TEST(FloatConversionTest, NanKeepsItsPayload) {
  const uint16_t half[] = {0x7d55};
  float widened[1];
  WidenF16(half, absl::MakeSpan(widened));
  EXPECT_EQ(Bits(widened[0]), 0x7f800000u | (0x155u << 13));
}

using Narrow = void (*)(absl::Span<const float>, absl::Span<uint16_t>);

uint16_t Narrowed(Narrow narrow, float value) {
  uint16_t narrowed[1];
  narrow({value}, absl::MakeSpan(narrowed));
  return narrowed[0];
}

// Of each two neighbours, and of the largest number and infinity, whose pattern
// follows that of the largest number.
void ExpectNearestPatterns(Widen widen, Narrow narrow, uint16_t infinity) {
  const std::vector<uint16_t> from = AllPatterns();
  std::vector<float> to(from.size());
  widen(from, absl::MakeSpan(to));
  for (uint16_t i = 0; i < infinity; ++i) {
    const uint16_t next = i + 1;
    const float step = next < infinity ? to[next] - to[i] : to[i] - to[i - 1];
    const float middle = to[i] + step / 2;
    const uint16_t even = i % 2 == 0 ? i : next;
    for (const uint16_t sign : {0, 0x8000}) {
      const float one = sign == 0 ? 1.0f : -1.0f;
      EXPECT_EQ(Narrowed(narrow, one * to[i]), sign | i) << i;
      EXPECT_EQ(Narrowed(narrow, one * middle), sign | even) << i;
      EXPECT_EQ(Narrowed(narrow, one * std::nextafter(middle, 0.0f)), sign | i)
          << i;
      EXPECT_EQ(Narrowed(narrow, one * std::nextafter(middle, HUGE_VALF)),
                sign | next)
          << i;
    }
  }
  for (const float sign : {1.0f, -1.0f}) {
    const uint16_t bit = sign < 0 ? 0x8000 : 0;
    EXPECT_EQ(Narrowed(narrow, sign * HUGE_VALF), bit | infinity);
    EXPECT_EQ(Narrowed(narrow, sign * std::numeric_limits<float>::max()),
              bit | infinity);
  }
}

TEST(FloatConversionTest, NumbersAreRoundedToTheNearestBinary16) {
  ExpectNearestPatterns(&WidenF16, &NarrowF16, /*infinity=*/0x7c00);
}

TEST(FloatConversionTest, NumbersAreRoundedToTheNearestBfloat16) {
  ExpectNearestPatterns(&WidenBF16, &NarrowBF16, /*infinity=*/0x7f80);
}

TEST(FloatConversionTest, ANanIsNarrowedToOneOfItsSign) {
  // Its payload is in the bits that are cut off.
  for (const uint32_t bits : {0x7f800001u, 0xff800001u}) {
    float nan;
    std::memcpy(&nan, &bits, sizeof(nan));
    for (const auto& [narrow, widen] :
         {std::pair<Narrow, Widen>{&NarrowF16, &WidenF16},
          {&NarrowBF16, &WidenBF16}}) {
      const uint16_t narrowed[] = {Narrowed(narrow, nan)};
      float widened[1];
      widen(absl::MakeConstSpan(narrowed), absl::MakeSpan(widened));
      EXPECT_TRUE(std::isnan(widened[0]));
      EXPECT_EQ(std::signbit(widened[0]), bits >> 31 != 0);
    }
  }
}

#if defined(__x86_64__)
TEST(FloatConversionTest, ThreadsThatFlushSubnormalsGetThemToo) {
  constexpr unsigned kFlushAndZero = 0x8040;
  const std::vector<uint16_t> from = AllPatterns();
  std::vector<float> usual(from.size());
  WidenF16(from, absl::MakeSpan(usual));

  std::vector<float> flushing(from.size());
  const unsigned before = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(before | kFlushAndZero);
  WidenF16(from, absl::MakeSpan(flushing));
  __builtin_ia32_ldmxcsr(before);

  EXPECT_EQ(
      std::memcmp(usual.data(), flushing.data(), usual.size() * sizeof(float)),
      0);
}
#endif

}  // namespace
}  // namespace hydra::safetensors
