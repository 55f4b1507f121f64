#include "common/model/quantized_rows.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLeastNormal = std::numeric_limits<float>::min();

// As it lies in a block, behind what was there.
std::vector<std::byte> Quantized(const std::vector<float>& row) {
  std::vector<std::byte> bytes(
      QuantizedRowBytes(static_cast<int64_t>(row.size())), std::byte{0xee});
  EXPECT_EQ(QuantizeRow(row, bytes.data()), absl::OkStatus());
  return bytes;
}

float ScaleOf(const std::vector<std::byte>& row) {
  float scale = 0;
  std::memcpy(&scale, row.data(), sizeof(scale));
  return scale;
}

// And what follows them.
std::vector<int> NumbersOf(const std::vector<std::byte>& row) {
  std::vector<int> numbers;
  for (size_t i = kRowScaleBytes; i < row.size(); ++i) {
    numbers.push_back(static_cast<int8_t>(row[i]));
  }
  return numbers;
}

TensorEntry Entry(const std::vector<int64_t>& shape) {
  ParameterBlock block;
  AddTensor("weight", shape, TensorInit(), block);
  return block.tensors.front();
}

TEST(QuantizedRowsTest, ARowIsItsScaleAndItsNumbersInWholeFloats) {
  EXPECT_EQ(QuantizedRowBytes(1), 8);
  EXPECT_EQ(QuantizedRowBytes(4), 8);
  EXPECT_EQ(QuantizedRowBytes(5), 12);
  EXPECT_EQ(QuantizedRowBytes(768), 772);
  EXPECT_EQ(StoredRowBytes(ElementType::kInt8, 5), 12);
  EXPECT_EQ(StoredRowBytes(ElementType::kFloat16, 5), 10);
  EXPECT_EQ(StoredRowBytes(ElementType::kFloat32, 5), 20);
}

TEST(QuantizedRowsTest, MatricesAloneAreQuantized) {
  EXPECT_EQ(StoredType(ElementType::kInt8, Entry({3, 5})), ElementType::kInt8);
  EXPECT_EQ(StoredBytes(ElementType::kInt8, Entry({3, 5})), 3 * 12);
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{15}, {1, 3, 5}, {1, 1, 3, 5}}) {
    EXPECT_EQ(StoredType(ElementType::kInt8, Entry(shape)),
              ElementType::kFloat32);
    EXPECT_EQ(StoredBytes(ElementType::kInt8, Entry(shape)), 60);
  }
  EXPECT_EQ(StoredType(ElementType::kBFloat16, Entry({15})),
            ElementType::kBFloat16);
  EXPECT_EQ(StoredBytes(ElementType::kBFloat16, Entry({3, 5})), 30);
}

TEST(QuantizedRowsTest, HalvesAreRoundedToTheEvenNumber) {
  const auto row = Quantized({127, -127, 0.5, 1.5, -2.5, 62.5, 63.5});
  EXPECT_EQ(ScaleOf(row), 1);
  EXPECT_THAT(NumbersOf(row), ElementsAre(127, -127, 0, 2, -2, 62, 64, 0));
}

TEST(QuantizedRowsTest, ARowOfZerosStaysOne) {
  const auto row = Quantized({0, -0.0f, 0});
  EXPECT_EQ(ScaleOf(row), 0);
  EXPECT_THAT(NumbersOf(row), Each(0));
  std::vector<float> numbers(3, 1);
  DequantizeRows(row.data(), 3, absl::MakeSpan(numbers));
  EXPECT_THAT(numbers, Each(0));
}

// Whether such numbers are computed with depends on a thread's mode.
TEST(QuantizedRowsTest, NumbersBelowTheNormalRangeAreZero) {
  EXPECT_EQ(ScaleOf(Quantized({kLeastNormal, 0, kLeastNormal / 2})), 0);
  const auto row = Quantized({127 * kLeastNormal, kLeastNormal,
                              0.75f * kLeastNormal, -0.75f * kLeastNormal});
  EXPECT_EQ(ScaleOf(row), kLeastNormal);
  EXPECT_THAT(NumbersOf(row), ElementsAre(127, 1, 0, 0));
}

TEST(QuantizedRowsTest, NumbersOfAnySizeComeBackWithinHalfAScale) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  constexpr int64_t kWidth = 37;
  for (float size : {1e-30f, 1e-3f, 1.0f, 1e30f}) {
    std::vector<float> rows(3 * kWidth);
    for (float& number : rows) number = size * normal(random);
    std::vector<std::byte> bytes(3 * QuantizedRowBytes(kWidth));
    for (int64_t row = 0; row < 3; ++row) {
      ASSERT_EQ(
          QuantizeRow(absl::MakeConstSpan(rows).subspan(row * kWidth, kWidth),
                      bytes.data() + row * QuantizedRowBytes(kWidth)),
          absl::OkStatus());
    }
    std::vector<float> made(rows.size());
    DequantizeRows(bytes.data(), kWidth, absl::MakeSpan(made));
    for (int64_t i = 0; i < 3 * kWidth; ++i) {
      float scale = 0;
      std::memcpy(&scale, bytes.data() + i / kWidth * QuantizedRowBytes(kWidth),
                  sizeof(scale));
      EXPECT_LE(std::abs(made[i] - rows[i]), 0.5001 * scale) << i;
    }
  }
}

TEST(QuantizedRowsTest, WhatIsNotFiniteHasNoScale) {
  std::vector<std::byte> bytes(QuantizedRowBytes(2));
  for (float bad :
       {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()}) {
    const absl::Status status =
        QuantizeRow(std::vector<float>{1, bad}, bytes.data());
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("int8 has no scale"));
  }
}

}  // namespace
}  // namespace hydra
