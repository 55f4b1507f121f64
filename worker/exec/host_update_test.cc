#include "worker/exec/host_update.h"

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "worker/exec/block_scalars.h"
#include "worker/model/optimizer_kernel.h"

namespace hydra {
namespace {

constexpr int64_t kCount = 100;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

using Floats = std::vector<float>;

UpdateScalars Adam() {
  UpdateScalars scalars;
  scalars.rule = UpdateScalars::Rule::kAdam;
  scalars.step_size = 0.1f;
  scalars.kept_first = 0.9f;
  scalars.into_first = 0.1f;
  scalars.kept_second = 0.99f;
  scalars.into_second = 0.01f;
  scalars.root_scale = 1;
  scalars.epsilon = 1e-8f;
  return scalars;
}

// A block, and its two moments.
struct Version {
  explicit Version(float value)
      : parameters(kCount, value),
        moments({Floats(kCount, value + 1), Floats(kCount, value + 2)}) {}

  HostUpdate::Old AsOld() const {
    return {parameters.data(), {moments[0].data(), moments[1].data()}};
  }
  HostUpdate::New AsNew() {
    return {parameters.data(), {moments[0].data(), moments[1].data()}};
  }
  bool operator==(const Version& other) const {
    return parameters == other.parameters && moments == other.moments;
  }

  Floats parameters;
  std::array<Floats, 2> moments;
};

BlockRange Range(int64_t first, int64_t last) { return {first, last - first}; }

TEST(HostUpdateTest, RangesMakeWhatTheWholeBlockDoes) {
  const Version old(3);
  const Floats gradient(kCount, 0.5f);
  Version whole(kNan), ranges(kNan);
  HostUpdate in_one(BlockScalars(Adam()), old.AsOld(), whole.AsNew());
  in_one.Update(Range(0, kCount), gradient.data());
  HostUpdate in_two(BlockScalars(Adam()), old.AsOld(), ranges.AsNew());
  in_two.Update(Range(0, 64), gradient.data());
  in_two.Update(Range(64, kCount), gradient.data());
  EXPECT_TRUE(whole == ranges);
  EXPECT_FALSE(in_one.skipped() || in_two.skipped());
  EXPECT_FLOAT_EQ(whole.moments[0][99], 4 * 0.9f + 0.5f * 0.1f);
  EXPECT_LT(whole.parameters[99], 3);
}

TEST(HostUpdateTest, OldVersionsThatAreNullAreZero) {
  const Floats gradient(kCount, 0.5f);
  Version made(kNan);
  HostUpdate update(BlockScalars(Adam()), {}, made.AsNew());
  update.Update(Range(0, kCount), gradient.data());
  EXPECT_FLOAT_EQ(made.moments[0][7], 0.05f);
  EXPECT_LT(made.parameters[7], 0);
}

TEST(HostUpdateTest, OneBadNumberAnywhereMakesTheWholeBlockACopy) {
  const Version old(3);
  for (int64_t bad : {0, 63, 64, 99}) {
    Floats gradient(kCount, 0.5f);
    gradient[bad] = kNan;
    Version made(kNan);
    HostUpdate update(BlockScalars(Adam()), old.AsOld(), made.AsNew());
    update.Update(Range(0, 64), gradient.data());
    update.Update(Range(64, kCount), gradient.data() + 64);
    EXPECT_TRUE(update.skipped()) << bad;
    EXPECT_TRUE(made == old) << bad;
  }
}

TEST(HostUpdateTest, MomentsThatAreNotKeptAreNotTouched) {
  Floats old(kCount, 1), made(kCount), gradient(kCount, 2);
  UpdateScalars sgd;
  sgd.step_size = 0.25f;
  HostUpdate update(BlockScalars(sgd), {old.data(), {}}, {made.data(), {}});
  update.Update(Range(0, 50), gradient.data());
  gradient[49] = kNan;
  update.Update(Range(50, kCount), gradient.data());
  EXPECT_TRUE(update.skipped());
  EXPECT_EQ(made, old);
}

// As Version, of masters and what they are rounded to.
struct MasterVersion {
  explicit MasterVersion(float value)
      : numbers(value), rounded(kCount, static_cast<uint16_t>(value)) {}

  HostUpdate::Old AsOld() const {
    HostUpdate::Old old = numbers.AsOld();
    old.rounded = rounded.data();
    return old;
  }
  HostUpdate::New AsNew() {
    HostUpdate::New made = numbers.AsNew();
    made.rounded = rounded.data();
    return made;
  }

  Version numbers;
  std::vector<uint16_t> rounded;
};

TEST(HostUpdateTest, ParametersAreMadeOfTheirMasters) {
  const MasterVersion old(3);
  const Floats gradient(kCount, 0.5f);
  Version expected(kNan);
  HostUpdate plain(BlockScalars(Adam()), old.numbers.AsOld(), expected.AsNew());
  plain.Update(Range(0, kCount), gradient.data());
  std::vector<uint16_t> rounded(kCount);
  RoundToBFloat16(expected.parameters.data(), kCount, rounded.data());
  MasterVersion made(7);
  HostUpdate update(BlockScalars(Adam()), old.AsOld(), made.AsNew());
  update.Update(Range(0, 64), gradient.data());
  update.Update(Range(64, kCount), gradient.data());
  EXPECT_TRUE(made.numbers == expected);
  EXPECT_EQ(made.rounded, rounded);
}

// Where it lies until the update: no other array of the new version.
TEST(HostUpdateTest, TheGradientMayLieWhereTheNewMastersGo) {
  const MasterVersion old(3);
  const Floats gradient(kCount, 0.5f);
  MasterVersion expected(7), made(7);
  HostUpdate plain(BlockScalars(Adam()), old.AsOld(), expected.AsNew());
  plain.Update(Range(0, kCount), gradient.data());
  made.numbers.parameters = gradient;
  HostUpdate update(BlockScalars(Adam()), old.AsOld(), made.AsNew());
  update.Update(Range(0, 64), made.numbers.parameters.data());
  update.Update(Range(64, kCount), made.numbers.parameters.data() + 64);
  EXPECT_TRUE(made.numbers == expected.numbers);
  EXPECT_EQ(made.rounded, expected.rounded);
}

TEST(HostUpdateTest, ABadNumberMakesParametersAndMastersCopies) {
  const MasterVersion old(3);
  for (int64_t bad : {0, 63, 64, 99}) {
    Floats gradient(kCount, 0.5f);
    gradient[bad] = kNan;
    MasterVersion made(7);
    HostUpdate update(BlockScalars(Adam()), old.AsOld(), made.AsNew());
    update.Update(Range(0, 64), gradient.data());
    update.Update(Range(64, kCount), gradient.data() + 64);
    EXPECT_TRUE(update.skipped()) << bad;
    EXPECT_TRUE(made.numbers == old.numbers) << bad;
    EXPECT_EQ(made.rounded, old.rounded) << bad;
  }
}

}  // namespace
}  // namespace hydra
