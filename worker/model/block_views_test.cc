#include "worker/model/block_views.h"

#include "ATen/core/Tensor.h"
#include "ATen/ops/arange.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/zeros.h"
#include "gtest/gtest.h"

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
