#include "worker/model/transformer_block.h"

#include <utility>

#include "ATen/ATen.h"
#include "c10/core/GradMode.h"
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
      : config_(TinyConfig(dropout)),
        table_(BuildGpt2Table(config_)),
        block_(table_.parameter_blocks[2]),
        layer_(table_.layers[1], block_, 1),
        flats_({RandomFlat(block_, 1)}),
        input_(RandomTensor({kSequences, kContext, config_.n_embd}, 2)),
        output_gradient_(RandomTensor(input_.sizes(), 3)),
        batch_(RandomMicroBatch(config_, kSequences, kContext, 4)) {}

  const Gpt2Config config_;
  const ModelTable table_;
  const ParameterBlock& block_;
  const TransformerBlock layer_;
  const std::vector<at::Tensor> flats_;
  const at::Tensor input_;
  const at::Tensor output_gradient_;
  MicroBatch batch_;
};

class TransformerBlockDropoutTest : public TransformerBlockTest {
 protected:
  TransformerBlockDropoutTest() : TransformerBlockTest(0.1) {}
};

TEST_F(TransformerBlockTest, ForwardGivesTheBitsThatRecordGives) {
  const at::Tensor forward = layer_.Forward(flats_, input_, batch_);
  EXPECT_FALSE(forward.requires_grad());
  EXPECT_TRUE(forward.equal(layer_.Record(flats_, input_, batch_).output));
}

TEST_F(TransformerBlockTest, ForwardLeavesItsInputAlone) {
  const at::Tensor before = input_.clone();
  layer_.Forward(flats_, input_, batch_);
  EXPECT_TRUE(input_.equal(before));
}

TEST_F(TransformerBlockTest, AnOutputDependsOnNoLaterToken) {
  at::Tensor changed = input_.clone();
  changed.narrow(1, kContext / 2, kContext / 2).add_(1);
  const at::Tensor output = layer_.Forward(flats_, input_, batch_);
  const at::Tensor other = layer_.Forward(flats_, changed, batch_);
  EXPECT_LT(RelativeDifference(other.narrow(1, 0, kContext / 2),
                               output.narrow(1, 0, kContext / 2)),
            1e-6);
  EXPECT_FALSE(other.equal(output));
}

TEST_F(TransformerBlockTest, LayerByLayerEqualsOneJoinedGraphBitForBit) {
  const at::Tensor second_flat = RandomFlat(block_, 5);

  std::vector<at::Tensor> first_parameters, second_parameters;
  for (at::Tensor& view : TensorViews(block_, flats_[0])) {
    first_parameters.push_back(view.detach().requires_grad_());
  }
  for (at::Tensor& view : TensorViews(block_, second_flat)) {
    second_parameters.push_back(view.detach().requires_grad_());
  }
  const at::Tensor joined_input = input_.detach().requires_grad_();
  layer_
      .Compute(second_parameters,
               layer_.Compute(first_parameters, joined_input, true), true)
      .backward(output_gradient_);

  Tape first = layer_.Record(flats_, input_, batch_);
  Tape second = layer_.Record({second_flat}, first.output, batch_);
  const at::Tensor first_gradient = GarbageFlat(block_);
  const at::Tensor second_gradient = GarbageFlat(block_);
  const at::Tensor boundary_gradient = layer_.Backward(
      std::move(second), output_gradient_, {second_gradient}, false);
  const at::Tensor input_gradient = layer_.Backward(
      std::move(first), boundary_gradient, {first_gradient}, false);

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

TEST_F(TransformerBlockTest, BackwardOverwritesUnlessToldToAccumulate) {
  const at::Tensor once = GarbageFlat(block_);
  layer_.Backward(layer_.Record(flats_, input_, batch_), output_gradient_,
                  {once}, /*accumulate=*/false);
  EXPECT_TRUE(PaddingOf(block_, once).eq(0).all().item<bool>());

  const at::Tensor twice = once.clone();
  layer_.Backward(layer_.Record(flats_, input_, batch_), output_gradient_,
                  {twice}, /*accumulate=*/true);
  EXPECT_TRUE(twice.equal(once * 2));
}

TEST_F(TransformerBlockTest, BackwardWorksWhereGradientsAreSwitchedOff) {
  const at::Tensor expected = GarbageFlat(block_);
  layer_.Backward(layer_.Record(flats_, input_, batch_), output_gradient_,
                  {expected}, false);
  const at::NoGradGuard no_grad;
  const at::Tensor gradient = GarbageFlat(block_);
  layer_.Backward(layer_.Record(flats_, input_, batch_), output_gradient_,
                  {gradient}, false);
  EXPECT_TRUE(gradient.equal(expected));
  EXPECT_FALSE(at::GradMode::is_enabled());
}

TEST_F(TransformerBlockTest, RecordingMarksNoTensorOfTheCaller) {
  const Tape tape = layer_.Record(flats_, input_, batch_);
  EXPECT_FALSE(flats_[0].requires_grad());
  EXPECT_FALSE(input_.requires_grad());
  EXPECT_EQ(tape.parameters[0].const_data_ptr(), flats_[0].const_data_ptr());
}

TEST_F(TransformerBlockDropoutTest, RecomputationDrawsTheSameMasks) {
  const at::Tensor forward = layer_.Forward(flats_, input_, batch_);
  at::rand({1000});  // Whatever else drew numbers meanwhile.
  EXPECT_TRUE(forward.equal(layer_.Record(flats_, input_, batch_).output));
  EXPECT_TRUE(forward.equal(layer_.Forward(flats_, input_, batch_)));
}

TEST_F(TransformerBlockDropoutTest, RecomputationGivesTheSameGradients) {
  const at::Tensor first = GarbageFlat(block_);
  const at::Tensor again = GarbageFlat(block_);
  layer_.Backward(layer_.Record(flats_, input_, batch_), output_gradient_,
                  {first}, false);
  layer_.Backward(layer_.Record(flats_, input_, batch_), output_gradient_,
                  {again}, false);
  EXPECT_TRUE(first.equal(again));
}

TEST_F(TransformerBlockDropoutTest, MasksDifferBetweenLayersAndMicroBatches) {
  const at::Tensor output = layer_.Forward(flats_, input_, batch_);
  const TransformerBlock other_layer(table_.layers[1], block_, 2);
  EXPECT_FALSE(output.equal(other_layer.Forward(flats_, input_, batch_)));
  batch_.seed += 1;
  EXPECT_FALSE(output.equal(layer_.Forward(flats_, input_, batch_)));
}

TEST_F(TransformerBlockDropoutTest, EvaluationDropsNothing) {
  batch_.training = false;
  const TransformerBlock without(BuildGpt2Table(TinyConfig()).layers[1], block_,
                                 1);
  EXPECT_TRUE(layer_.Forward(flats_, input_, batch_)
                  .equal(without.Forward(flats_, input_, batch_)));
}

TEST_F(TransformerBlockDropoutTest, AnOutputDependsOnNoLaterToken) {
  at::Tensor changed = input_.clone();
  changed.narrow(1, kContext / 2, kContext / 2).add_(1);
  const at::Tensor output = layer_.Forward(flats_, input_, batch_);
  const at::Tensor other = layer_.Forward(flats_, changed, batch_);
  EXPECT_LT(RelativeDifference(other.narrow(1, 0, kContext / 2),
                               output.narrow(1, 0, kContext / 2)),
            1e-6);
  EXPECT_FALSE(other.equal(output));
}

TEST_F(TransformerBlockDropoutTest, TheGradientBelongsToTheMasksOfTheForward) {
  // Along a random direction, the loss changes as the gradient says.
  const at::Tensor gradient = GarbageFlat(block_);
  const at::Tensor input_gradient =
      layer_.Backward(layer_.Record(flats_, input_, batch_), output_gradient_,
                      {gradient}, false);
  const at::Tensor direction = RandomTensor(input_.sizes(), 6);
  constexpr double kStep = 1e-2;
  auto loss = [&](double step) {
    return (layer_.Forward(flats_, input_ + direction * step, batch_) *
            output_gradient_)
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
