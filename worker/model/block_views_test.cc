#include "worker/model/block_views.h"

#include "ATen/core/Tensor.h"
#include "ATen/ops/arange.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/zeros.h"
#include "common/model/two_byte_block.h"
#include "gtest/gtest.h"
#include "worker/model/quantized_tensor.h"

namespace hydra {
namespace {

// Two tensors, both followed by padding.
ParameterBlock PaddedBlock() {
  ParameterBlock block;
  block.tensors = {{"a", {2, 3}, 6, 0, {}}, {"b", {17}, 17, 64, {}}};
  block.size_bytes = 192;
  return block;
}

TEST(BlockViewsTest, ViewsAreTheTensorsInPlace) {
  const at::Tensor flat = at::arange(48, at::kFloat);
  const std::vector<at::Tensor> views = TensorViews(PaddedBlock(), flat);
  ASSERT_EQ(views.size(), 2);
  EXPECT_EQ(views[0].sizes(), at::IntArrayRef({2, 3}));
  EXPECT_EQ(views[0][1][2].item<float>(), 5);
  EXPECT_EQ(views[1].sizes(), at::IntArrayRef({17}));
  views[1].fill_(-1);
  EXPECT_EQ(flat[16].item<float>(), -1);
  EXPECT_EQ(flat[32].item<float>(), -1);
  EXPECT_EQ(flat[33].item<float>(), 33);
}

// Each row its scale and two numbers, and padding; then the vector.
TEST(BlockViewsTest, ABlockOfInt8HasItsVectorsInFloats) {
  ParameterBlock block;
  AddTensor("matrix", {3, 2}, {}, block);
  AddTensor("vector", {2}, {}, block);
  LayOutAs(ElementType::kInt8, block);
  ASSERT_EQ(block.size_bytes, 128);
  const at::Tensor floats = at::zeros({32});
  floats[16].fill_(7);
  floats[17].fill_(-8);
  const at::Tensor flat = floats.view(at::kChar);
  for (int64_t row = 0; row < 3; ++row) {
    floats[2 * row].fill_(0.5);
    flat[8 * row + 4].fill_(row);
    flat[8 * row + 5].fill_(-2);
  }
  const std::vector<at::Tensor> views = TensorViews(block, flat);
  ASSERT_EQ(views.size(), 2);
  EXPECT_EQ(views[1].scalar_type(), at::kFloat);
  EXPECT_EQ(views[1].sizes(), at::IntArrayRef({2}));
  EXPECT_EQ(views[1][1].item<float>(), -8);
  const at::Tensor matrix = Dequantized(views[0]);
  EXPECT_EQ(matrix.sizes(), at::IntArrayRef({3, 2}));
  for (int64_t row = 0; row < 3; ++row) {
    EXPECT_EQ(matrix[row][0].item<float>(), 0.5f * static_cast<float>(row));
    EXPECT_EQ(matrix[row][1].item<float>(), -1);
  }
  EXPECT_FALSE(TensorViews(block, at::Tensor())[0].defined());
}

TEST(BlockViewsTest, ZeroPaddingTouchesNothingElse) {
  const at::Tensor flat = at::ones({48});
  ZeroPadding(PaddedBlock(), flat);
  const at::Tensor expected = at::zeros({48});
  for (const at::Tensor& view : TensorViews(PaddedBlock(), expected)) {
    view.fill_(1);
  }
  EXPECT_TRUE(flat.equal(expected));
}

}  // namespace
}  // namespace hydra
