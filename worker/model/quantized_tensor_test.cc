#include "worker/model/quantized_tensor.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/tensor.h"
#include "absl/types/span.h"
#include "common/model/quantized_rows.h"
#include "worker/model/test_models.h"

namespace hydra {
namespace {

constexpr int64_t kRows = 5;
// So that rows are padded.
constexpr int64_t kWidth = 11;

// In host memory.
at::Tensor BytesOf(const at::Tensor& matrix) {
  const int64_t row_bytes = QuantizedRowBytes(matrix.size(1));
  const at::Tensor bytes = at::empty({matrix.size(0) * row_bytes}, at::kChar);
  auto* const to =
      reinterpret_cast<std::byte*>(bytes.mutable_data_ptr<int8_t>());
  for (int64_t row = 0; row < matrix.size(0); ++row) {
    EXPECT_TRUE(
        QuantizeRow(absl::MakeConstSpan(matrix[row].const_data_ptr<float>(),
                                        matrix.size(1)),
                    to + row * row_bytes)
            .ok());
  }
  return bytes;
}

// The formula, in LibTorch's operations.
at::Tensor RoundedAndBack(const at::Tensor& matrix) {
  const at::Tensor scale =
      matrix.abs().amax(/*dim=*/1, /*keepdim=*/true).div(127);
  return matrix.div(scale).round().clamp(-127, 127).mul(scale);
}

class QuantizedTensorTest : public ::testing::Test {
 protected:
  const at::Tensor matrix_ = RandomTensor({kRows, kWidth}, /*seed=*/1);
  const at::Tensor view_ = QuantizedView(BytesOf(matrix_), kRows, kWidth);
  const at::Tensor expected_ = RoundedAndBack(matrix_);
};

TEST_F(QuantizedTensorTest, AMatrixIsDequantizedRowByRow) {
  ASSERT_TRUE(IsQuantized(view_));
  const at::Tensor made = Dequantized(view_);
  EXPECT_EQ(made.scalar_type(), at::kFloat);
  EXPECT_TRUE(made.is_contiguous());
  EXPECT_TRUE(made.equal(expected_));
  EXPECT_FALSE(made.equal(matrix_));
}

TEST_F(QuantizedTensorTest, ATransposeIsTheTransposeOfThat) {
  const at::Tensor made = Dequantized(view_.t());
  EXPECT_TRUE(made.equal(expected_.t()));
  EXPECT_EQ(made.strides(), expected_.t().strides());
}

TEST_F(QuantizedTensorTest, RowsCanBeNarrowedAndSelected) {
  EXPECT_TRUE(
      Dequantized(view_.narrow(0, 1, 3)).equal(expected_.narrow(0, 1, 3)));
  const at::Tensor rows = at::tensor({int64_t{4}, int64_t{0}, int64_t{4}});
  EXPECT_TRUE(Dequantized(view_.index_select(0, rows))
                  .equal(expected_.index_select(0, rows)));
  const at::Tensor one = at::tensor({int64_t{3}});
  EXPECT_TRUE(Dequantized(view_.index_select(0, one))
                  .equal(expected_.index_select(0, one)));
}

TEST_F(QuantizedTensorTest, MatricesOfOneRowOrOneNumberAreMatricesToo) {
  for (const auto& [rows, width] :
       {std::pair<int64_t, int64_t>{1, 9}, {1, 12}, {6, 1}, {1, 1}}) {
    const at::Tensor matrix = RandomTensor({rows, width}, /*seed=*/2);
    const at::Tensor view = QuantizedView(BytesOf(matrix), rows, width);
    const at::Tensor expected = RoundedAndBack(matrix);
    EXPECT_TRUE(Dequantized(view).equal(expected)) << rows << " x " << width;
    EXPECT_TRUE(Dequantized(view.t()).equal(expected.t()))
        << rows << " x " << width;
  }
}

TEST_F(QuantizedTensorTest, OtherTensorsStayAsTheyAre) {
  EXPECT_TRUE(Dequantized(matrix_).is_same(matrix_));
  const at::Tensor half = matrix_.to(at::kHalf);
  EXPECT_TRUE(Dequantized(half).is_same(half));
  EXPECT_FALSE(Dequantized({}).defined());
}

}  // namespace
}  // namespace hydra
