#include "worker/exec/factored_update.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "common/model/factored_moments.h"
#include "common/model/model_table.h"
#include "common/model/two_byte_block.h"
#include "gtest/gtest.h"
#include "worker/exec/gradient_clip.h"
#include "worker/model/adafactor.h"
#include "worker/model/optimizer_kernel.h"

namespace hydra {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

using Floats = std::vector<float>;

// With padding behind each tensor.
ParameterBlock Block() {
  ParameterBlock block;
  AddTensor("matrix", {5, 7}, TensorInit(), block);
  AddTensor("bias", {9}, TensorInit(), block);
  return block;
}

AdafactorScalars Scalars() {
  AdafactorScalars scalars;
  scalars.kept = 0.5f;
  scalars.into = 0.5f;
  scalars.step_size = 0.1f;
  scalars.decay = 0.01f;
  return scalars;
}

class FactoredUpdateTest : public testing::Test {
 protected:
  FactoredUpdateTest()
      : parameters_(Drawn(block_.element_count(), 1)),
        state_(Drawn(FactoredStateBytes(block_) / kFloatBytes, 2)),
        gradient_(Drawn(block_.element_count(), 3)),
        made_(parameters_.size(), kNan),
        made_state_(state_.size(), kNan) {}

  static Floats Drawn(int64_t count, uint32_t seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> numbers(0.5f, 1.5f);
    Floats drawn(count);
    for (float& number : drawn) number = numbers(random);
    return drawn;
  }

  // Whether the block was skipped.
  bool Update(const GradientClip& clip, bool has_state = true) {
    FactoredUpdate update(
        block_, Scalars(), /*decays_matrices_alone=*/false,
        {parameters_.data(), has_state ? state_.data() : nullptr, made_.data(),
         made_state_.data()});
    update.Update(gradient_.data(), clip);
    return update.skipped();
  }

  void ExpectACopy() const {
    EXPECT_EQ(made_, parameters_);
    EXPECT_EQ(made_state_, state_);
  }

  const ParameterBlock block_ = Block();
  const Floats parameters_;
  const Floats state_;
  Floats gradient_;
  Floats made_;
  Floats made_state_;
};

TEST_F(FactoredUpdateTest, MakesAllOfTheNewVersion) {
  EXPECT_FALSE(Update({}));
  Floats parameters = parameters_;
  Floats state = state_;
  UpdateTensors(Scalars(), block_, /*decays_matrices_alone=*/false,
                {gradient_.data(), parameters.data(), state.data(),
                 parameters.data(), state.data()});
  int64_t numbers = 0;
  for (const TensorEntry& tensor : block_.tensors) {
    const int64_t first = block_.FirstElement(tensor);
    for (int64_t i = first; i < first + tensor.element_count; ++i, ++numbers) {
      EXPECT_EQ(made_[i], parameters[i]);
      EXPECT_NE(made_[i], parameters_[i]);
    }
  }
  // And what is between them.
  int64_t zeros = 0;
  for (float number : made_) zeros += number == 0;
  EXPECT_EQ(zeros + numbers, block_.element_count());
  for (float number : made_state_) EXPECT_EQ(number, number);
}

TEST_F(FactoredUpdateTest, AClippedGradientIsASmallerOne) {
  EXPECT_FALSE(Update({/*norm=*/4, /*factor=*/0.25f}));
  const Floats clipped = made_;
  const Floats clipped_state = made_state_;
  for (float& number : gradient_) number *= 0.25f;
  EXPECT_FALSE(Update({}));
  EXPECT_EQ(clipped, made_);
  EXPECT_EQ(clipped_state, made_state_);
}

TEST(FactoredUpdateOfStatisticsTest, TakesThemAsTheyAre) {
  ParameterBlock block = Block();
  const Floats plain(FactoredStateBytes(block) / kFloatBytes, 0);
  AddStatistic("mean", {3}, TensorUse::kStatistic, TensorInit(), block);
  AddStatistic("batches", {}, TensorUse::kCount, TensorInit(), block);
  const Floats parameters(block.element_count(), 2);
  const Floats gradient(block.element_count(), 7);
  Floats made(parameters.size(), kNan);
  // There is no more of it than without them.
  Floats state(plain.size(), kNan);
  FactoredUpdate update(
      block, Scalars(), /*decays_matrices_alone=*/false,
      {parameters.data(), plain.data(), made.data(), state.data()});
  update.Update(gradient.data(), {/*norm=*/4, /*factor=*/0.25f});
  EXPECT_FALSE(update.skipped());
  for (const TensorEntry& tensor : block.tensors) {
    const bool is_taken = tensor.use != TensorUse::kParameter;
    const int64_t first = block.FirstElement(tensor);
    for (int64_t i = first; i < first + tensor.element_count; ++i) {
      EXPECT_EQ(made[i] == 7, is_taken) << tensor.name;
    }
  }
  for (float number : state) EXPECT_EQ(number, number);
}

TEST_F(FactoredUpdateTest, AStateThatIsNullIsZero) {
  EXPECT_FALSE(Update({}, /*has_state=*/false));
  // Of the first bias: half of its squared gradient.
  const FactoredMoment moment = FactoredMomentsOf(block_)[1].moments.front();
  const float gradient = gradient_[block_.FirstElement(block_.tensors[1])];
  EXPECT_FLOAT_EQ(made_state_[moment.offset_bytes / kFloatBytes],
                  0.5f * gradient * gradient);
}

TEST_F(FactoredUpdateTest, OneBadNumberMakesTheBlockACopy) {
  const int64_t last = block_.FirstElement(block_.tensors[1]) + 8;
  for (int64_t bad : {int64_t{0}, last}) {
    Floats good = gradient_;
    gradient_[bad] = kNan;
    EXPECT_TRUE(Update({}));
    ExpectACopy();
    gradient_ = good;
  }
}

TEST_F(FactoredUpdateTest, SoDoesANumberWhoseSquareIsInfinite) {
  const int64_t last = block_.FirstElement(block_.tensors[1]) + 8;
  for (int64_t large : {int64_t{0}, last}) {
    Floats good = gradient_;
    gradient_[large] = 2e19f;
    EXPECT_TRUE(Update({}));
    ExpectACopy();
    // It is what is left of it that counts.
    EXPECT_FALSE(Update({/*norm=*/2e19, /*factor=*/1e-3f}));
    for (float number : made_state_) EXPECT_TRUE(std::isfinite(number));
    gradient_ = good;
  }
}

TEST_F(FactoredUpdateTest, SoDoesANormThatIsNoNumber) {
  EXPECT_TRUE(Update({/*norm=*/kNan, /*factor=*/1}));
  ExpectACopy();
  EXPECT_TRUE(Update({/*norm=*/kNan, /*factor=*/1}, /*has_state=*/false));
  EXPECT_EQ(made_state_, Floats(state_.size(), 0));
}

TEST_F(FactoredUpdateTest, ChangesMastersAndMakesParametersOfThem) {
  ParameterBlock block = Block();
  LayOutAs(ElementType::kBFloat16, block);
  ASSERT_TRUE(block.has_master());
  const int64_t count = block.element_count();
  const Floats masters = Drawn(count, 1);
  Floats gradient = Drawn(count, 3);
  const std::vector<uint16_t> rounded(count, 7);
  Floats made(count, kNan);
  std::vector<uint16_t> made_rounded(count, 1);
  const FactoredUpdate::Memory memory = {masters.data(), state_.data(),
                                         made.data(),    made_state_.data(),
                                         rounded.data(), made_rounded.data()};
  FactoredUpdate update(block, Scalars(), /*decays_matrices_alone=*/false,
                        memory);
  update.Update(gradient.data(), {});
  EXPECT_FALSE(update.skipped());
  Floats expected = masters;
  Floats state = state_;
  const std::vector<FactoredMoments> kept = FactoredMomentsOf(block);
  for (size_t i = 0; i < kept.size(); ++i) {
    const int64_t first = block.FirstElement(block.tensors[i]);
    UpdateTensor(Scalars(), kept[i],
                 {gradient.data() + first, expected.data() + first,
                  state.data(), expected.data() + first, state.data()});
    const int64_t last = first + block.tensors[i].element_count;
    for (int64_t j = first; j < last; ++j) {
      EXPECT_EQ(made[j], expected[j]);
      EXPECT_NE(made[j], masters[j]);
    }
  }
  std::vector<uint16_t> expected_rounded(count);
  RoundToBFloat16(made.data(), count, expected_rounded.data());
  EXPECT_EQ(made_rounded, expected_rounded);

  gradient[0] = kNan;
  FactoredUpdate skipped(block, Scalars(), /*decays_matrices_alone=*/false,
                         memory);
  skipped.Update(gradient.data(), {});
  EXPECT_TRUE(skipped.skipped());
  EXPECT_EQ(made, masters);
  EXPECT_EQ(made_rounded, rounded);
  EXPECT_EQ(made_state_, state_);
}

}  // namespace
}  // namespace hydra
