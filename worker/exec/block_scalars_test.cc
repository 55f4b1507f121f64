#include "worker/exec/block_scalars.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

UpdateScalars Decaying() {
  UpdateScalars scalars;
  scalars.decay_into_gradient = 0.25f;
  scalars.kept_parameter = 0.5f;
  scalars.step_size = 0.125f;
  return scalars;
}

TensorEntry Tensor(std::vector<int64_t> shape, int64_t first) {
  TensorEntry tensor;
  tensor.element_count = 1;
  for (int64_t size : shape) tensor.element_count *= size;
  tensor.shape = std::move(shape);
  tensor.offset_bytes = first * kFloatBytes;
  return tensor;
}

// norm [16], bias [5] with its padding, weight [4, 8], bias [16].
ParameterBlock Block() {
  ParameterBlock block;
  block.tensors = {Tensor({16}, 0), Tensor({5}, 16), Tensor({4, 8}, 32),
                   Tensor({16}, 64)};
  block.size_bytes = 80 * kFloatBytes;
  return block;
}

hydra::v1::TrainSpec NoDecay() {
  hydra::v1::TrainSpec train;
  train.set_no_decay_biases_and_norms(true);
  return train;
}

// Whether it decays, the first element, and how many.
using Part = std::tuple<bool, int64_t, int64_t>;

std::vector<Part> PartsOf(const BlockScalars& scalars, int64_t begin,
                          int64_t size) {
  std::vector<Part> parts;
  scalars.ForEachPart(
      begin, size, [&](const UpdateScalars& s, int64_t first, int64_t count) {
        EXPECT_EQ(s.decay_into_gradient != 0, s.kept_parameter != 1);
        EXPECT_EQ(s.step_size, 0.125f);
        parts.emplace_back(s.decay_into_gradient != 0, first, count);
      });
  return parts;
}

TEST(BlockScalarsTest, AllDecaysUnlessTheJobSaysOtherwise) {
  const BlockScalars scalars(Decaying(), {}, Block());
  EXPECT_THAT(PartsOf(scalars, 0, 80), ElementsAre(Part(true, 0, 80)));
}

TEST(BlockScalarsTest, TensorsOfOneDimensionDoNotDecay) {
  const BlockScalars scalars(Decaying(), NoDecay(), Block());
  EXPECT_THAT(
      PartsOf(scalars, 0, 80),
      ElementsAre(Part(false, 0, 32), Part(true, 32, 32), Part(false, 64, 16)));
}

// Tensors begin at multiples of 32 elements then.
TEST(BlockScalarsTest, PartsOfABlockOfTwoBytesAreCountedInElements) {
  ParameterBlock block;
  block.type = ElementType::kBFloat16;
  block.tensors = {Tensor({32}, 0), Tensor({5}, 32), Tensor({4, 8}, 64),
                   Tensor({16}, 96)};
  for (TensorEntry& tensor : block.tensors) tensor.offset_bytes /= 2;
  block.size_bytes = 2 * 128;
  const BlockScalars scalars(Decaying(), NoDecay(), block);
  EXPECT_THAT(
      PartsOf(scalars, 0, 128),
      ElementsAre(Part(false, 0, 64), Part(true, 64, 32), Part(false, 96, 32)));
}

TEST(BlockScalarsTest, ARangeHasThePartsThatLieInIt) {
  const BlockScalars scalars(Decaying(), NoDecay(), Block());
  EXPECT_THAT(PartsOf(scalars, 8, 8), ElementsAre(Part(false, 8, 8)));
  EXPECT_THAT(PartsOf(scalars, 16, 32),
              ElementsAre(Part(false, 16, 16), Part(true, 32, 16)));
  EXPECT_THAT(PartsOf(scalars, 32, 32), ElementsAre(Part(true, 32, 32)));
  EXPECT_THAT(PartsOf(scalars, 48, 32),
              ElementsAre(Part(true, 48, 16), Part(false, 64, 16)));
  EXPECT_THAT(PartsOf(scalars, 48, 0), IsEmpty());
}

// Whatever decays.
TEST(BlockScalarsTest, WhatIsNoParameterIsTaken) {
  ParameterBlock block = Block();
  block.tensors[0].use = TensorUse::kStatistic;
  block.tensors[1].use = TensorUse::kCount;
  const auto kinds_of = [&](const hydra::v1::TrainSpec& train) {
    std::vector<Part> parts;
    const BlockScalars scalars(Decaying(), train, block);
    // Across its begin, too.
    for (const auto& [begin, size] :
         {std::pair<int64_t, int64_t>{0, 24}, {24, 56}}) {
      scalars.ForEachPart(
          begin, size,
          [&](const UpdateScalars& s, int64_t first, int64_t count) {
            parts.emplace_back(s.rule == UpdateScalars::Rule::kTake, first,
                               count);
          });
    }
    return parts;
  };
  EXPECT_THAT(kinds_of({}), ElementsAre(Part(true, 0, 24), Part(true, 24, 8),
                                        Part(false, 32, 48)));
  EXPECT_THAT(kinds_of(NoDecay()),
              ElementsAre(Part(true, 0, 24), Part(true, 24, 8),
                          Part(false, 32, 32), Part(false, 64, 16)));
}

TEST(BlockScalarsTest, AllGradientsAreScaled) {
  BlockScalars scalars(Decaying(), NoDecay(), Block());
  scalars.ScaleGradients(3);
  scalars.ForEachPart(0, 80, [](const UpdateScalars& s, int64_t, int64_t) {
    EXPECT_EQ(s.gradient_scale, 3);
  });
}

}  // namespace
}  // namespace hydra
