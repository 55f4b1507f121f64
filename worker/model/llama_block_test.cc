#include "worker/model/llama_block.h"

#include <cmath>
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
constexpr int64_t kContext = 32;

// One of two blocks of a tiny model, and something to feed it.
class LlamaBlockTest : public testing::TestWithParam<LlamaFamily> {
 protected:
  // The second one has a window.
  explicit LlamaBlockTest(int layer = 1, double dropout = 0)
      : table_(BuildLlamaTable(TinyLlamaConfig(GetParam(), dropout))),
        block_(table_.parameter_blocks[layer]),
        layer_(LayerContext{table_.layers[layer], {block_}, layer}),
        input_(RandomInput(table_, layer, kSequences, kContext, 1)),
        output_gradient_(RandomTensor(hidden().sizes(), 3)) {}

  const at::Tensor& hidden() const { return input_.boundary.front(); }

  at::Tensor Output(const at::Tensor& hidden) const {
    LayerInput input = input_;
    input.boundary = {hidden};
    return layer_.Forward(input).boundary.front();
  }

  at::Tensor InputGradient(const at::Tensor& flat_gradient) const {
    return layer_
        .Backward(layer_.Record(input_), {output_gradient_}, {flat_gradient},
                  false)
        .inputs.front();
  }

  const ModelTable table_;
  const ParameterBlock& block_;
  const LlamaBlock layer_;
  LayerInput input_;
  const at::Tensor output_gradient_;
};

class LlamaBlockDropoutTest : public LlamaBlockTest {
 protected:
  LlamaBlockDropoutTest() : LlamaBlockTest(1, 0.1) {}
};

class LlamaBlockWindowTest : public LlamaBlockTest {
 protected:
  LlamaBlockWindowTest() : LlamaBlockTest(2) {}
};

const auto kFamilies = testing::Values(LlamaFamily::kLlama, LlamaFamily::kQwen2,
                                       LlamaFamily::kQwen3);
INSTANTIATE_TEST_SUITE_P(Families, LlamaBlockTest, kFamilies);
INSTANTIATE_TEST_SUITE_P(Families, LlamaBlockDropoutTest, kFamilies);
INSTANTIATE_TEST_SUITE_P(Families, LlamaBlockWindowTest, kFamilies);

TEST_P(LlamaBlockTest, AnOutputDependsOnNoLaterToken) {
  at::Tensor changed = hidden().clone();
  changed.narrow(1, kContext / 2, kContext / 2).add_(1);
  const at::Tensor output = Output(hidden());
  const at::Tensor other = Output(changed);
  EXPECT_LT(RelativeDifference(other.narrow(1, 0, kContext / 2),
                               output.narrow(1, 0, kContext / 2)),
            1e-6);
  EXPECT_GT(RelativeDifference(other.narrow(1, kContext / 2, 1),
                               output.narrow(1, kContext / 2, 1)),
            1e-3);
}

TEST_P(LlamaBlockWindowTest, AnOutputDependsOnNoTokenBeforeItsWindow) {
  const at::Tensor output = Output(hidden());
  at::Tensor changed = hidden().clone();
  changed.narrow(1, 0, 1).add_(1);
  const at::Tensor other = Output(changed);
  // 7 tokens see the first one.
  EXPECT_LT(RelativeDifference(other.narrow(1, 7, kContext - 7),
                               output.narrow(1, 7, kContext - 7)),
            1e-6);
  EXPECT_GT(RelativeDifference(other.narrow(1, 6, 1), output.narrow(1, 6, 1)),
            1e-6);
}

// Without rotary embeddings, the last token would not see that two others
// changed their places.
TEST_P(LlamaBlockTest, AnOutputDependsOnDistances) {
  // So large that the weights of pairs differ much.
  input_.flats = {input_.flats.front() * 10};
  at::Tensor swapped = hidden().clone();
  swapped.select(1, 3).copy_(hidden().select(1, kContext - 2));
  swapped.select(1, kContext - 2).copy_(hidden().select(1, 3));
  EXPECT_GT(RelativeDifference(Output(swapped).select(1, kContext - 1),
                               Output(hidden()).select(1, kContext - 1)),
            1e-4);
}

TEST_P(LlamaBlockDropoutTest, TwoThreadsGiveTheSameBits) {
  const int threads = at::get_num_threads();
  const auto run = [&](int count, const at::Tensor& flat) {
    at::set_num_threads(count);
    return InputGradient(flat);
  };
  const at::Tensor one = GarbageFlat(block_);
  const at::Tensor two = GarbageFlat(block_);
  const at::Tensor gradient_of_one = run(1, one);
  EXPECT_TRUE(run(2, two).equal(gradient_of_one));
  EXPECT_TRUE(two.equal(one));
  at::set_num_threads(threads);
}

TEST_P(LlamaBlockDropoutTest, EvaluationDropsNothing) {
  const at::Tensor training = Output(hidden());
  input_.micro_batch.training = false;
  const at::Tensor evaluation = Output(hidden());
  EXPECT_FALSE(training.equal(evaluation));
  const ModelTable without = BuildLlamaTable(TinyLlamaConfig(GetParam()));
  EXPECT_TRUE(
      evaluation.equal(LlamaBlock(LayerContext{without.layers[1], {block_}, 1})
                           .Forward(input_)
                           .boundary.front()));
}

TEST_P(LlamaBlockDropoutTest, TheGradientBelongsToTheMasksOfTheForward) {
  // Along a random direction, the loss changes as the gradient says.
  const at::Tensor input_gradient = InputGradient(GarbageFlat(block_));
  const at::Tensor direction = RandomTensor(hidden().sizes(), 6);
  constexpr double kStep = 1e-2;
  const auto loss = [&](double step) {
    return (Output(hidden() + direction * step) * output_gradient_)
        .sum(at::kDouble)
        .item<double>();
  };
  const double measured = (loss(kStep) - loss(-kStep)) / (2 * kStep);
  const double expected =
      (input_gradient * direction).sum(at::kDouble).item<double>();
  EXPECT_NEAR(measured, expected, 1e-3 * std::abs(expected));
}

// What exists at once is counted in bytes of the input, for a block whose heads
// are as wide as it is, with a third of them for keys, and whose feed-forward
// layer is three times as wide.
class WideLlamaBlockTest : public testing::Test {
 protected:
  static constexpr int64_t kWidth = 120;

  static ModelTable Table() {
    LlamaConfig config = TinyLlamaConfig(LlamaFamily::kLlama);
    config.hidden_size = kWidth;
    config.head_dim = 20;
    config.intermediate_size = 3 * kWidth;
    return BuildLlamaTable(config);
  }

  const ModelTable table_ = Table();
  const ParameterBlock& block_ = table_.parameter_blocks[1];
  const LlamaBlock layer_{LayerContext{table_.layers[1], {block_}, 1}};
  const LayerInput input_ = RandomInput(table_, 1, 64, 32, 1);
  const at::Tensor output_gradient_ =
      RandomTensor(input_.boundary[0].sizes(), 3);
  const at::Tensor flat_gradient_ = GarbageFlat(block_);
};

TEST_F(WideLlamaBlockTest, RecordKeepsNineNumbersAndTwoThirds) {
  const double input_bytes = input_.boundary[0].nbytes();
  CountingAllocator allocator;
  const Tape tape = layer_.Record(input_);
  double bytes = 0;
  for (const at::Tensor& saved : tape.saved) {
    if (saved.defined()) bytes += saved.nbytes();
  }
  // Query, a third each of key and value, what was attended, the residual, gate
  // and up; a little for the sums of exponentials.
  EXPECT_LT(bytes, (1 + 2 / 3.0 + 1 + 1 + 6 + 0.1) * input_bytes);
  // Beside it there are the activation and the output.
  EXPECT_LT(allocator.peak_bytes(), bytes + 4.1 * input_bytes);
}

TEST_F(WideLlamaBlockTest, BackwardFreesWhatItHasUsed) {
  CountingAllocator allocator;
  Tape tape = layer_.Record(input_);
  allocator.Reset();
  layer_.Backward(std::move(tape), {output_gradient_}, {flat_gradient_}, false);
  // Beside what the tape kept, and is not freed yet, there is the activation,
  // whose place its gradient takes. The output is no longer there.
  EXPECT_LT(allocator.peak_bytes(), 2.2 * input_.boundary[0].nbytes());
}

TEST(LlamaBlockMakingTest, ABlockThatItsAttributesDoNotDescribeIsRefused) {
  ModelTable table = BuildLlamaTable(TinyLlamaConfig(LlamaFamily::kLlama));
  table.layers[1].attributes[llama::kHasBiases] = 1;
  EXPECT_ANY_THROW(LlamaBlock(
      LayerContext{table.layers[1], {table.parameter_blocks[1]}, 1}));
}

}  // namespace
}  // namespace hydra
