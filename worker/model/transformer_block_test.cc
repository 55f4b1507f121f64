#include "worker/model/transformer_block.h"

#include <utility>

#include "ATen/Parallel.h"
#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "gtest/gtest.h"
#include "worker/model/counting_allocator.h"
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

// What exists at once is counted in numbers for each one of the input.
class WideBlockTest : public testing::Test {
 protected:
  static constexpr int64_t kWidth = 128;

  static ModelTable Table() {
    Gpt2Config config = TinyConfig();
    config.n_embd = kWidth;
    config.n_head = 2;
    config.n_inner = 4 * kWidth;
    return BuildGpt2Table(config);
  }

  WideBlockTest(int64_t sequences, int64_t context)
      : input_(RandomInput(table_, 1, sequences, context, 1)),
        output_gradient_(RandomTensor(input_.boundary[0].sizes(), 3)),
        flat_gradient_(GarbageFlat(block_)) {}

  const ModelTable table_ = Table();
  const ParameterBlock& block_ = table_.parameter_blocks[2];
  const TransformerBlock layer_{{table_.layers[1], {block_}, 1}};
  const LayerInput input_;
  const at::Tensor output_gradient_;
  const at::Tensor flat_gradient_;
};

class ManyTokensTest : public WideBlockTest {
 protected:
  ManyTokensTest() : WideBlockTest(64, 32) {}
};

class FewTokensTest : public WideBlockTest {
 protected:
  FewTokensTest() : WideBlockTest(1, 4) {}
};

TEST_F(ManyTokensTest, RecordKeepsNineNumbersAndTheOutput) {
  const double input_bytes = input_.boundary[0].nbytes();
  CountingAllocator allocator;
  const Tape tape = layer_.Record(input_);
  double bytes = tape.outputs[0].nbytes();
  for (const at::Tensor& saved : tape.saved) {
    if (saved.defined()) bytes += saved.nbytes();
  }
  EXPECT_LT(bytes, 10.1 * input_bytes);
  // Beside it there is the activation.
  EXPECT_LT(allocator.peak_bytes(), 14.2 * input_bytes);
}

TEST_F(ManyTokensTest, BackwardFreesWhatItHasUsed) {
  CountingAllocator allocator;
  Tape tape = layer_.Record(input_);
  allocator.Reset();
  layer_.Backward(std::move(tape), {output_gradient_}, {flat_gradient_}, false);
  // Beside what the tape kept, and is not freed yet, there is the activation,
  // whose place its gradient takes. The output is no longer there.
  EXPECT_LT(allocator.peak_bytes(), 3.2 * input_.boundary[0].nbytes());
}

TEST_F(FewTokensTest, BackwardMakesNoSecondGradient) {
  for (bool accumulate : {false, true}) {
    Tape tape = layer_.Record(input_);
    CountingAllocator allocator;
    layer_.Backward(std::move(tape), {output_gradient_}, {flat_gradient_},
                    accumulate);
    // The smallest weight, that of the attention's output.
    EXPECT_LT(allocator.peak_bytes(), kWidth * kWidth * kFloatBytes);
  }
}

TEST_F(TransformerBlockDropoutTest, TwoThreadsGiveTheSameBits) {
  const int threads = at::get_num_threads();
  const LayerInput input = RandomInput(table_, 1, kSequences, 32, 1);
  const at::Tensor output_gradient = RandomTensor(input.boundary[0].sizes(), 3);
  const auto run = [&](int count, const at::Tensor& flat) {
    at::set_num_threads(count);
    return layer_
        .Backward(layer_.Record(input), {output_gradient}, {flat}, false)
        .inputs.front();
  };
  const at::Tensor one = GarbageFlat(block_);
  const at::Tensor two = GarbageFlat(block_);
  const at::Tensor gradient_of_one = run(1, one);
  EXPECT_TRUE(run(2, two).equal(gradient_of_one));
  EXPECT_TRUE(two.equal(one));
  at::set_num_threads(threads);
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
