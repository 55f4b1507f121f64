#include "worker/model/transformer_block.h"

#include <utility>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "gtest/gtest.h"
#include "worker/model/block_views.h"
#include "worker/model/test_models.h"

namespace hydra {
namespace {

constexpr int64_t kSequences = 3;
constexpr int64_t kContext = 20;

// The first of two blocks of a tiny model, and something to feed it.
class TransformerBlockTest : public testing::Test {
 protected:
  explicit TransformerBlockTest(double dropout = 0)
      : table_(BuildGpt2Table(TinyConfig(dropout))),
        block_(table_.parameter_blocks[2]),
        layer_(Context(1)),
        input_(RandomInput(table_, 1, kSequences, kContext, 1)),
        output_gradient_(RandomTensor(hidden().sizes(), 3)) {}

  LayerContext Context(int layer) const {
    return {table_.layers[1], {block_}, layer};
  }

  const at::Tensor& hidden() const { return input_.boundary.front(); }

  at::Tensor Output(const at::Tensor& hidden) const {
    LayerInput input = input_;
    input.boundary = {hidden};
    return layer_.Forward(input).boundary.front();
  }

  const ModelTable table_;
  const ParameterBlock& block_;
  const TransformerBlock layer_;
  LayerInput input_;
  const at::Tensor output_gradient_;
};

class TransformerBlockDropoutTest : public TransformerBlockTest {
 protected:
  TransformerBlockDropoutTest() : TransformerBlockTest(0.1) {}
};

TEST_F(TransformerBlockTest, AnOutputDependsOnNoLaterToken) {
  at::Tensor changed = hidden().clone();
  changed.narrow(1, kContext / 2, kContext / 2).add_(1);
  const at::Tensor output = Output(hidden());
  const at::Tensor other = Output(changed);
  EXPECT_LT(RelativeDifference(other.narrow(1, 0, kContext / 2),
                               output.narrow(1, 0, kContext / 2)),
            1e-6);
  EXPECT_FALSE(other.equal(output));
}

TEST_F(TransformerBlockTest, LayerByLayerEqualsOneJoinedGraphBitForBit) {
  const at::Tensor second_flat = RandomFlat(block_, 5);

  Tensors first_parameters, second_parameters;
  for (at::Tensor& view : TensorViews(block_, input_.flats[0])) {
    first_parameters.push_back(view.detach().requires_grad_());
  }
  for (at::Tensor& view : TensorViews(block_, second_flat)) {
    second_parameters.push_back(view.detach().requires_grad_());
  }
  const MicroBatch& batch = input_.micro_batch;
  const at::Tensor joined_input = hidden().detach().requires_grad_();
  layer_
      .Compute(second_parameters,
               layer_.Compute(first_parameters, {joined_input}, batch), batch)
      .front()
      .backward(output_gradient_);

  Tape first = layer_.Record(input_);
  Tape second = layer_.Record({{second_flat}, first.outputs, batch});
  const at::Tensor first_gradient = GarbageFlat(block_);
  const at::Tensor second_gradient = GarbageFlat(block_);
  const LayerGradients between = layer_.Backward(
      std::move(second), {output_gradient_}, {second_gradient}, false);
  const at::Tensor input_gradient =
      layer_.Backward(std::move(first), between.inputs, {first_gradient}, false)
          .inputs.front();

  EXPECT_TRUE(input_gradient.equal(joined_input.grad()));
  const auto first_views = TensorViews(block_, first_gradient);
  const auto second_views = TensorViews(block_, second_gradient);
  for (size_t i = 0; i < first_views.size(); ++i) {
    EXPECT_TRUE(first_views[i].equal(first_parameters[i].grad()))
        << block_.tensors[i].name;
    EXPECT_TRUE(second_views[i].equal(second_parameters[i].grad()))
        << block_.tensors[i].name;
  }
}

TEST_F(TransformerBlockDropoutTest, MasksDifferBetweenLayersAndMicroBatches) {
  const at::Tensor output = Output(hidden());
  const TransformerBlock other_layer(Context(2));
  EXPECT_FALSE(output.equal(other_layer.Forward(input_).boundary.front()));
  input_.micro_batch.seed += 1;
  EXPECT_FALSE(output.equal(Output(hidden())));
}

TEST_F(TransformerBlockDropoutTest, EvaluationDropsNothing) {
  input_.micro_batch.training = false;
  const ModelTable without = BuildGpt2Table(TinyConfig());
  EXPECT_TRUE(
      Output(hidden()).equal(TransformerBlock({without.layers[1], {block_}, 1})
                                 .Forward(input_)
                                 .boundary.front()));
}

TEST_F(TransformerBlockDropoutTest, AnOutputDependsOnNoLaterToken) {
  at::Tensor changed = hidden().clone();
  changed.narrow(1, kContext / 2, kContext / 2).add_(1);
  const at::Tensor output = Output(hidden());
  const at::Tensor other = Output(changed);
  EXPECT_LT(RelativeDifference(other.narrow(1, 0, kContext / 2),
                               output.narrow(1, 0, kContext / 2)),
            1e-6);
  EXPECT_FALSE(other.equal(output));
}

TEST_F(TransformerBlockDropoutTest, TheGradientBelongsToTheMasksOfTheForward) {
  // Along a random direction, the loss changes as the gradient says.
  const at::Tensor gradient = GarbageFlat(block_);
  const at::Tensor input_gradient =
      layer_
          .Backward(layer_.Record(input_), {output_gradient_}, {gradient},
                    false)
          .inputs.front();
  const at::Tensor direction = RandomTensor(hidden().sizes(), 6);
  constexpr double kStep = 1e-2;
  auto loss = [&](double step) {
    return (Output(hidden() + direction * step) * output_gradient_)
        .sum(at::kDouble)
        .item<double>();
  };
  const double measured = (loss(kStep) - loss(-kStep)) / (2 * kStep);
  const double expected =
      (input_gradient * direction).sum(at::kDouble).item<double>();
  EXPECT_NEAR(measured, expected, 1e-3 * std::abs(expected));
}

}  // namespace
}  // namespace hydra
