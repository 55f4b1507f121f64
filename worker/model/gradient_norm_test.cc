#include "worker/model/gradient_norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace hydra {
namespace {

// Tensors of so many elements, each from a multiple of 16 elements on, or, in
// two bytes, of 32.
ParameterBlock Block(const std::vector<int64_t>& counts,
                     ElementType type = ElementType::kFloat32) {
  ParameterBlock block;
  block.type = type;
  for (int64_t count : counts) {
    TensorEntry tensor;
    tensor.shape = {count};
    tensor.element_count = count;
    tensor.offset_bytes = block.size_bytes;
    block.size_bytes += AlignedTensorBytes(count * ElementBytes(type));
    block.tensors.push_back(tensor);
  }
  return block;
}

TEST(GradientNormTest, CountsEveryElementOnceAndNoPadding) {
  for (ElementType type : {ElementType::kFloat32, ElementType::kBFloat16}) {
    const ParameterBlock block = Block({21, 3, 64}, type);
    std::vector<float> flat(block.element_count(),
                            std::numeric_limits<float>::quiet_NaN());
    double expected = 0;
    int64_t number = 0;
    for (const TensorEntry& tensor : block.tensors) {
      for (int64_t i = 0; i < tensor.element_count; ++i) {
        ++number;
        flat[block.FirstElement(tensor) + i] =
            static_cast<float>(number % 2 == 0 ? number : -number);
        expected += static_cast<double>(number) * static_cast<double>(number);
      }
    }
    EXPECT_EQ(GradientSquares(block, flat.data()), expected)
        << "whole numbers, exact in any order";
  }
}

TEST(GradientNormTest, TheLargestFloatsHaveAFiniteNorm) {
  const ParameterBlock block = Block({64});
  const std::vector<float> flat(64, std::numeric_limits<float>::max());
  const double squares = GradientSquares(block, flat.data());
  EXPECT_NEAR(GradientNorm({squares}) / 8 / std::numeric_limits<float>::max(),
              1, 1e-12);
}

TEST(GradientNormTest, OneBadElementShows) {
  const ParameterBlock block = Block({100});
  for (float bad : {std::numeric_limits<float>::infinity(),
                    std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<float> flat(block.element_count(), 1);
    flat[99] = bad;
    EXPECT_FALSE(std::isfinite(GradientSquares(block, flat.data())));
  }
}

TEST(GradientNormTest, WhatIsNoParameterCountsOnlyIfItIsBad) {
  ParameterBlock block = Block({2, 3, 1});
  block.tensors[1].use = TensorUse::kStatistic;
  block.tensors[2].use = TensorUse::kCount;
  std::vector<float> flat(block.element_count(), 3);
  EXPECT_EQ(GradientSquares(block, flat.data()), 18);
  flat[16 + 2] = std::numeric_limits<float>::infinity();
  EXPECT_FALSE(std::isfinite(GradientSquares(block, flat.data())));
}

TEST(GradientNormTest, TheNormIsOfAllBlocks) {
  EXPECT_EQ(GradientNorm({9, 16}), 5);
  EXPECT_EQ(GradientNorm({}), 0);
}

TEST(GradientNormTest, LargerNormsAreScaledToTheLimitAndOthersLeft) {
  EXPECT_FLOAT_EQ(ClipFactor(/*max_norm=*/1, /*norm=*/4), 0.25f);
  EXPECT_EQ(ClipFactor(1, 0.5), 1);
  EXPECT_EQ(ClipFactor(1, 0), 1);
  EXPECT_LT(ClipFactor(1, 1), 1) << "by a millionth, as PyTorch does";
}

}  // namespace
}  // namespace hydra
