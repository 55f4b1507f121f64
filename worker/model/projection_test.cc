#include "worker/model/projection.h"

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/addmm.h"
#include "ATen/ops/full.h"
#include "ATen/ops/mm.h"
#include "ATen/ops/zeros_like.h"
#include "c10/core/GradMode.h"
#include "common/model/model_table.h"
#include "common/model/two_byte_block.h"
#include "gtest/gtest.h"
#include "worker/model/block_views.h"
#include "worker/model/element_type.h"
#include "worker/model/finite_check.h"
#include "worker/model/product_order.h"
#include "worker/model/test_models.h"

namespace hydra {
namespace {

// Before any test's first product.
const bool kIsFixed = (FixProductOrder(), true);

class RoundedProjectionTest : public testing::TestWithParam<ElementType> {
 protected:
  // Differentiated, it rounds the gradient, too.
  static at::Tensor Rounded(const at::Tensor& tensor) {
    return tensor.to(TorchTypeOf(GetParam())).to(at::kFloat);
  }

  // The gradients of input, weight and bias, by autograd.
  void RunPlain() {
    const at::AutoGradMode grad(true);
    const at::Tensor input = input_.clone().requires_grad_();
    const at::Tensor weight = weight_.clone().requires_grad_();
    const at::Tensor bias = bias_.clone().requires_grad_();
    const at::Tensor output =
        Rounded(at::addmm(Rounded(bias), Rounded(input), Rounded(weight).t()));
    output.backward(output_gradient_);
    output_ = output.detach();
    input_gradient_ = input.grad();
    weight_gradient_ = weight.grad();
    bias_gradient_ = bias.grad();
  }

  Projection Rounding() const {
    Projection projection;
    projection.weight = weight_;
    projection.bias = bias_;
    projection.product_type = GetParam();
    return projection;
  }

  const at::Tensor input_ = RandomTensor({20, 24}, 1);
  const at::Tensor weight_ = RandomTensor({40, 24}, 2);
  const at::Tensor bias_ = RandomTensor({40}, 3);
  const at::Tensor output_gradient_ = RandomTensor({20, 40}, 4);
  at::Tensor output_, input_gradient_, weight_gradient_, bias_gradient_;
};

TEST_P(RoundedProjectionTest, HasTheBitsOfRoundedOperandsAndResults) {
  ASSERT_TRUE(kIsFixed);
  RunPlain();
  const at::NoGradGuard no_grad;
  const at::Tensor output = Project(input_, Rounding());
  EXPECT_TRUE(output.equal(output_));
  // And not those of fp32.
  EXPECT_FALSE(output.equal(input_.mm(weight_.t()) + bias_));

  Projection to;
  to.weight = at::full(weight_.sizes(), 7.0f);
  to.bias = at::full(bias_.sizes(), 7.0f);
  StoreProjection(input_, output_gradient_, Rounding(),
                  ParameterGradients(/*accumulate=*/false), to);
  EXPECT_TRUE(to.weight.equal(weight_gradient_));
  // Which autograd rounds, too.
  EXPECT_LT(RelativeDifference(to.bias, bias_gradient_), 0.01);
  StoreProjection(input_, output_gradient_, Rounding(),
                  ParameterGradients(/*accumulate=*/true), to);
  EXPECT_TRUE(to.weight.equal(weight_gradient_ + weight_gradient_));

  const at::Tensor gradient = at::full(input_.sizes(), 7.0f);
  InputGradient(output_gradient_, Rounding(), /*add=*/false, gradient);
  EXPECT_TRUE(gradient.equal(input_gradient_));
  InputGradient(output_gradient_, Rounding(), /*add=*/true, gradient);
  EXPECT_TRUE(gradient.equal(input_gradient_ + input_gradient_));
}

TEST_P(RoundedProjectionTest, AWeightOfTwoBytesIsTakenAsItIs) {
  const at::NoGradGuard no_grad;
  Projection projection = Rounding();
  projection.weight = weight_.to(TorchTypeOf(GetParam()));
  EXPECT_TRUE(Project(input_, projection).equal(Project(input_, Rounding())));
}

// As LayerBlocks has them.
TEST(QuantizedProjectionTest, HasTheBitsOfTheWeightThatItStandsFor) {
  const at::NoGradGuard no_grad;
  ParameterBlock block;
  block.type = ElementType::kInt8;
  AddTensor("weight", {40, 24}, TensorInit(), block);
  LayOutAs(ElementType::kInt8, block);
  const at::Tensor weight =
      TensorViews(block, RandomFlat(block, /*seed=*/5)).front();
  const at::Tensor input = RandomTensor({20, 24}, 1);
  const at::Tensor output_gradient = RandomTensor({20, 40}, 4);
  for (ElementType type :
       {ElementType::kFloat32, ElementType::kBFloat16, ElementType::kFloat16}) {
    Projection quantized, wide;
    quantized.weight = weight;
    quantized.bias = RandomTensor({40}, 3);
    quantized.product_type = type;
    wide = quantized;
    wide.weight = Widened(weight);
    EXPECT_EQ(wide.weight.sizes(), at::IntArrayRef({40, 24}));
    EXPECT_TRUE(Project(input, quantized).equal(Project(input, wide)));
    const at::Tensor gradient = RandomTensor({20, 24}, 6);
    const at::Tensor expected = gradient.clone();
    for (bool add : {true, false}) {
      InputGradient(output_gradient, quantized, add, gradient);
      InputGradient(output_gradient, wide, add, expected);
      EXPECT_TRUE(gradient.equal(expected));
    }
  }
}

TEST_P(RoundedProjectionTest, NothingIsMadeOfAGradientThatNobodyWants) {
  const at::NoGradGuard no_grad;
  Projection nowhere;
  StoreProjection(input_, output_gradient_, Rounding(),
                  ParameterGradients(/*accumulate=*/false), nowhere);
  EXPECT_FALSE(nowhere.weight.defined());
}

// As IEEE has it; bfloat16 has fp32's range.
TEST_P(RoundedProjectionTest, WhatIsTooLargeForFloat16IsInfinite) {
  const at::NoGradGuard no_grad;
  const bool is_half = GetParam() == ElementType::kFloat16;
  Projection projection = Rounding();
  projection.bias = at::full({40}, 65504.0f);
  EXPECT_TRUE(AllFinite(Project(at::zeros_like(input_), projection)));
  projection.bias = at::full({40}, 65520.0f);
  EXPECT_EQ(AllFinite(Project(at::zeros_like(input_), projection)), !is_half);
  // The result alone.
  projection.bias = at::full({40}, 40000.0f);
  projection.weight = at::full({40, 24}, 200.0f);
  EXPECT_EQ(AllFinite(Project(at::full({20, 24}, 10.0f), projection)),
            !is_half);
}

INSTANTIATE_TEST_SUITE_P(All, RoundedProjectionTest,
                         testing::Values(ElementType::kBFloat16,
                                         ElementType::kFloat16));

}  // namespace
}  // namespace hydra
