#include "worker/model/optimizer_kernel.h"

#include <gtest/gtest.h>
#include <xmmintrin.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace hydra {
namespace {

using Rule = UpdateScalars::Rule;

// No multiple of a vector, so that the last elements are taken by themselves.
constexpr int64_t kElements = 4099;

// Of every size that a float can have, zero and what is flushed to it included.
std::vector<float> RandomFloats(int seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> exponent(-140, 30);
  std::uniform_real_distribution<float> fraction(-1, 1);
  std::vector<float> floats(kElements);
  for (float& value : floats) {
    value =
        random() % 16 == 0 ? 0 : std::ldexp(fraction(random), exponent(random));
  }
  return floats;
}

struct Arrays {
  std::vector<float> parameters = RandomFloats(1);
  std::vector<float> first = RandomFloats(2);
  std::vector<float> second = SecondMoments();

  static std::vector<float> SecondMoments() {
    std::vector<float> squares = RandomFloats(3);
    for (float& square : squares) square = std::abs(square);
    return squares;
  }
  bool SameBitsAs(const Arrays& other) const {
    const auto same = [](const std::vector<float>& a,
                         const std::vector<float>& b) {
      return std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
    };
    return same(parameters, other.parameters) && same(first, other.first) &&
           same(second, other.second);
  }
};

UpdateArrays FromTo(Rule rule, const std::vector<float>& gradient,
                    const Arrays& from, Arrays& to) {
  UpdateArrays arrays;
  arrays.gradient = gradient.data();
  arrays.parameters = from.parameters.data();
  arrays.new_parameters = to.parameters.data();
  arrays.copied_parameters = to.parameters.data();
  if (rule == Rule::kSgd) return arrays;
  arrays.moments[0] = from.first.data();
  arrays.new_moments[0] = to.first.data();
  if (rule == Rule::kMomentum || rule == Rule::kLion) return arrays;
  arrays.moments[1] = from.second.data();
  arrays.new_moments[1] = to.second.data();
  return arrays;
}

UpdateScalars Scalars(Rule rule) {
  UpdateScalars scalars;
  scalars.rule = rule;
  scalars.decay_into_gradient = 0.013f;
  scalars.kept_parameter = 0.9993f;
  scalars.step_size = 0.0017f;
  scalars.kept_first = 0.9f;
  scalars.into_first = 0.1f;
  scalars.kept_second = 0.999f;
  scalars.into_second = 0.001f;
  scalars.root_scale = 3.1f;
  scalars.epsilon = 1e-8f;
  return scalars;
}

// With numbers that are too small flushed to zero, or not.
class OptimizerKernelTest
    : public testing::TestWithParam<std::tuple<Rule, bool>> {
 protected:
  OptimizerKernelTest() {
    constexpr unsigned kFlushToZero = 0x8000, kDenormalsAreZero = 0x40;
    if (std::get<1>(GetParam())) {
      _mm_setcsr(_mm_getcsr() | kFlushToZero | kDenormalsAreZero);
    }
  }
  ~OptimizerKernelTest() override { _mm_setcsr(before_); }

  Arrays Updated(InstructionSet instructions) const {
    const Arrays from;
    Arrays to;
    UpdateElementsWith(instructions, scalars_,
                       FromTo(scalars_.rule, gradient_, from, to), 0,
                       kElements);
    EXPECT_TRUE(from.SameBitsAs(Arrays())) << "the sources are only read";
    return to;
  }

  const unsigned before_ = _mm_getcsr();
  const UpdateScalars scalars_ = Scalars(std::get<0>(GetParam()));
  const std::vector<float> gradient_ = RandomFloats(4);
};

std::string NameOf(
    const testing::TestParamInfo<OptimizerKernelTest::ParamType>& info) {
  const auto& [rule, flushes] = info.param;
  const char* const name = rule == Rule::kSgd        ? "Sgd"
                           : rule == Rule::kMomentum ? "Momentum"
                           : rule == Rule::kLion     ? "Lion"
                           : rule == Rule::kTake     ? "Take"
                                                     : "Adam";
  return std::string(name) + (flushes ? "Flushing" : "");
}

INSTANTIATE_TEST_SUITE_P(
    All, OptimizerKernelTest,
    testing::Combine(testing::Values(Rule::kSgd, Rule::kMomentum, Rule::kAdam,
                                     Rule::kLion, Rule::kTake),
                     testing::Bool()),
    NameOf);

TEST_P(OptimizerKernelTest, AllInstructionsGiveTheSameBits) {
  if (!IsAvailable(InstructionSet::kAvx2)) GTEST_SKIP() << "no AVX2 here";
  const Arrays baseline = Updated(InstructionSet::kBaseline);
  EXPECT_FALSE(baseline.SameBitsAs(Arrays()));
  EXPECT_TRUE(Updated(InstructionSet::kAvx2).SameBitsAs(baseline));
}

TEST_P(OptimizerKernelTest, InPlaceAndPieceByPieceIsTheSame) {
  Arrays arrays;
  const UpdateArrays in_place =
      FromTo(scalars_.rule, gradient_, arrays, arrays);
  for (int64_t i = 0; i < kElements; i += 37) {
    UpdateElements(scalars_, in_place, i, std::min(i + 37, kElements));
  }
  EXPECT_TRUE(arrays.SameBitsAs(Updated(InstructionSet::kBaseline)));
}

TEST_P(OptimizerKernelTest, TheNewParametersAreCopied) {
  for (bool past_caches : {false, true}) {
    const Arrays from;
    Arrays to;
    std::vector<float> copy(kElements);
    UpdateArrays arrays = FromTo(scalars_.rule, gradient_, from, to);
    arrays.copied_parameters = copy.data();
    arrays.past_caches = past_caches;
    UpdateElements(scalars_, arrays, 0, kElements);
    EXPECT_TRUE(copy == to.parameters);
  }
}

TEST_P(OptimizerKernelTest, PastTheCachesFromAnyElementOnItIsTheSame) {
  const Arrays from;
  Arrays to;
  UpdateArrays arrays = FromTo(scalars_.rule, gradient_, from, to);
  arrays.past_caches = true;
  UpdateElements(scalars_, arrays, 0, 1001);
  UpdateElements(scalars_, arrays, 1001, kElements);
  EXPECT_TRUE(to.SameBitsAs(Updated(InstructionSet::kBaseline)));
}

// Neither scaled nor flushed, with as many moments as there are.
TEST(TakeKernelTest, TakesWhatStandsWhereTheGradientWouldBe) {
  for (int moments : {0, 1, 2}) {
    for (bool past_caches : {false, true}) {
      UpdateScalars scalars = Scalars(Rule::kTake);
      scalars.gradient_scale = 0.25f;
      const std::vector<float> gradient = RandomFloats(4);
      const Arrays from;
      Arrays to;
      UpdateArrays arrays = FromTo(Rule::kAdam, gradient, from, to);
      for (int i = moments; i < kMostMoments; ++i) {
        arrays.moments[i] = nullptr;
        arrays.new_moments[i] = nullptr;
      }
      arrays.past_caches = past_caches;
      UpdateElements(scalars, arrays, 0, kElements);
      EXPECT_TRUE(to.parameters == gradient);
      EXPECT_TRUE(to.first == from.first);
      EXPECT_TRUE(to.second == from.second);
    }
  }
}

TEST_P(OptimizerKernelTest, MastersAreUpdatedAsParametersAreAndRounded) {
  const Arrays expected = Updated(InstructionSet::kBaseline);
  std::vector<uint16_t> rounded(kElements);
  RoundToBFloat16(expected.parameters.data(), kElements, rounded.data());
  for (InstructionSet instructions :
       {InstructionSet::kBaseline, InstructionSet::kAvx2}) {
    if (!IsAvailable(instructions)) continue;
    for (bool past_caches : {false, true}) {
      const Arrays from;
      Arrays to;
      std::vector<uint16_t> parameters(kElements), copy(kElements);
      UpdateArrays arrays = FromTo(scalars_.rule, gradient_, from, to);
      arrays.rounded_parameters = {parameters.data(), copy.data()};
      arrays.past_caches = past_caches;
      // In two parts, of which the second begins anywhere.
      UpdateElementsWith(instructions, scalars_, arrays, 0, 1001);
      UpdateElementsWith(instructions, scalars_, arrays, 1001, kElements);
      EXPECT_TRUE(to.SameBitsAs(expected));
      EXPECT_EQ(parameters, rounded);
      EXPECT_EQ(copy, rounded);
    }
  }
}

float WithBits(uint32_t bits) {
  float number;
  std::memcpy(&number, &bits, sizeof(number));
  return number;
}

uint32_t BitsOf(float number) {
  uint32_t bits;
  std::memcpy(&bits, &number, sizeof(bits));
  return bits;
}

uint16_t Rounded(float number) {
  uint16_t rounded = 0;
  RoundToBFloat16(&number, 1, &rounded);
  return rounded;
}

// Of the two that a number lies between, by their distances.
uint16_t NearestByDistance(float number) {
  const uint32_t below = BitsOf(number) >> 16;
  const double to_below =
      std::abs(double{number} - double{WithBits(below << 16)});
  const double to_above =
      std::abs(double{WithBits((below + 1) << 16)} - double{number});
  if (to_below != to_above) return to_below < to_above ? below : below + 1;
  return below % 2 == 0 ? below : below + 1;
}

TEST(RoundToBFloat16Test, TakesTheNearestAndOfTwoTheEvenOne) {
  EXPECT_EQ(Rounded(1.0f), 0x3f80);
  // Half of a step above 1, and above the number behind it.
  EXPECT_EQ(Rounded(WithBits(0x3f808000)), 0x3f80);
  EXPECT_EQ(Rounded(WithBits(0x3f818000)), 0x3f82);
  EXPECT_EQ(Rounded(WithBits(0x3f808001)), 0x3f81);
  EXPECT_EQ(Rounded(WithBits(0xbf818000)), 0xbf82);
  // Into the next power of two.
  EXPECT_EQ(Rounded(WithBits(0x3fffffff)), 0x4000);
  std::mt19937 random(7);
  for (int i = 0; i < 100000; ++i) {
    const float number = WithBits(random());
    // The largest ones have nothing finite above them.
    if (!(std::abs(number) < 3e38f)) continue;
    ASSERT_EQ(Rounded(number), NearestByDistance(number)) << number;
  }
}

TEST(RoundToBFloat16Test, ZerosInfinitiesAndWhatIsNoNumberStayWhatTheyAre) {
  EXPECT_EQ(Rounded(0.0f), 0x0000);
  EXPECT_EQ(Rounded(-0.0f), 0x8000);
  EXPECT_EQ(Rounded(INFINITY), 0x7f80);
  EXPECT_EQ(Rounded(-INFINITY), 0xff80);
  EXPECT_EQ(Rounded(WithBits(0x7f7fffff)), 0x7f80);
  // The first of these would become infinite, the second one zero.
  for (uint32_t nan : {0x7f800001u, 0x7fffffffu, 0xffffffffu}) {
    EXPECT_TRUE(std::isnan(WithBits(uint32_t{Rounded(WithBits(nan))} << 16)));
  }
}

// What is neither above nor below 0 moves nothing, whatever its sign bit.
TEST(LionKernelTest, MovesByTheSignAlone) {
  UpdateScalars scalars = Scalars(Rule::kLion);
  scalars.kept_parameter = 1;
  scalars.step_size = 0.5f;
  const std::vector<float> gradient = {3e-30f, -2e20f, 0.0f, -0.0f, -1.0f};
  const std::vector<float> before(gradient.size(), 8.0f);
  // The last one's mean is 0.9 x 1 - 0.1 x 1.
  const std::vector<float> moment = {0, 0, 0, -0.0f, 1};
  std::vector<float> after(gradient.size()), moved(gradient.size());
  UpdateArrays arrays;
  arrays.gradient = gradient.data();
  arrays.parameters = before.data();
  arrays.new_parameters = after.data();
  arrays.copied_parameters = after.data();
  arrays.moments[0] = moment.data();
  arrays.new_moments[0] = moved.data();
  for (InstructionSet instructions :
       {InstructionSet::kBaseline, InstructionSet::kAvx2}) {
    if (!IsAvailable(instructions)) continue;
    UpdateElementsWith(instructions, scalars, arrays, 0, gradient.size());
    EXPECT_EQ(after, (std::vector<float>{7.5f, 8.5f, 8.0f, 8.0f, 7.5f}));
    EXPECT_EQ(moved[4], 0.999f * 1.0f + 0.001f * -1.0f);
  }
}

}  // namespace
}  // namespace hydra
