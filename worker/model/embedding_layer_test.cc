#include "worker/model/embedding_layer.h"

#include "ATen/ATen.h"
#include "gtest/gtest.h"
#include "worker/model/block_views.h"
#include "worker/model/test_models.h"

namespace hydra {
namespace {

constexpr int64_t kSequences = 4;
constexpr int64_t kContext = 30;

class EmbeddingLayerTest : public testing::TestWithParam<double> {
 protected:
  EmbeddingLayerTest()
      : config_(TinyConfig(GetParam())),
        table_(BuildGpt2Table(config_)),
        positions_block_(table_.parameter_blocks[1]),
        layer_(table_.layers[0], positions_block_, 0),
        token_table_(RandomTensor({config_.vocab_size, config_.n_embd}, 1)),
        positions_(RandomFlat(positions_block_, 2)),
        batch_(RandomMicroBatch(config_, kSequences, kContext, 3)),
        output_gradient_(
            RandomTensor({kSequences, kContext, config_.n_embd}, 4)) {}

  at::Tensor RowGradients(const std::vector<int64_t>& cuts) const {
    const at::Tensor rows = at::zeros_like(token_table_);
    for (size_t i = 0; i + 1 < cuts.size(); ++i) {
      AddTokenRowGradients(batch_.Inputs(), output_gradient_, cuts[i],
                           cuts[i + 1],
                           rows.narrow(0, cuts[i], cuts[i + 1] - cuts[i]));
    }
    return rows;
  }

  const Gpt2Config config_;
  const ModelTable table_;
  const ParameterBlock& positions_block_;
  const EmbeddingLayer layer_;
  const at::Tensor token_table_;
  const at::Tensor positions_;
  const MicroBatch batch_;
  const at::Tensor output_gradient_;
};

INSTANTIATE_TEST_SUITE_P(Dropout, EmbeddingLayerTest,
                         testing::Values(0.0, 0.1));

TEST_P(EmbeddingLayerTest, EachTokenIsTheSumOfItsRows) {
  const at::Tensor output = layer_.Forward(token_table_, positions_, batch_);
  const at::Tensor views = TensorViews(positions_block_, positions_)[0];
  int64_t dropped = 0;
  for (int64_t s = 0; s < kSequences; ++s) {
    for (int64_t t = 0; t < kContext; ++t) {
      const at::Tensor expected =
          (token_table_[batch_.tokens[s][t].item<int64_t>()] + views[t]) *
          (1 / (1 - GetParam()));
      const at::Tensor is_dropped = output[s][t].eq(0);
      dropped += is_dropped.sum().item<int64_t>();
      EXPECT_TRUE(output[s][t].equal(expected.masked_fill(is_dropped, 0)));
    }
  }
  EXPECT_NEAR(dropped, GetParam() * output.numel(), 0.03 * output.numel());
}

TEST_P(EmbeddingLayerTest, ForwardDrawsTheSameMaskAgain) {
  const at::Tensor first = layer_.Forward(token_table_, positions_, batch_);
  EXPECT_TRUE(first.equal(layer_.Forward(token_table_, positions_, batch_)));
}

TEST_P(EmbeddingLayerTest, BackwardAppliesTheMaskOfTheForward) {
  const at::Tensor before = output_gradient_.clone();
  const at::Tensor position_gradient = GarbageFlat(positions_block_);
  const at::Tensor sum_gradient = layer_.Backward(
      output_gradient_, position_gradient, /*accumulate=*/false, batch_);
  // A table of ones shows the mask.
  const at::Tensor mask = layer_.Forward(at::ones_like(token_table_),
                                         at::zeros_like(positions_), batch_);
  EXPECT_LT(RelativeDifference(sum_gradient, output_gradient_ * mask), 1e-6);
  EXPECT_TRUE(output_gradient_.equal(before));
}

TEST_P(EmbeddingLayerTest, PositionsGetTheSumOverSequences) {
  const at::Tensor gradient = GarbageFlat(positions_block_);
  const at::Tensor sum_gradient =
      layer_.Backward(output_gradient_, gradient, false, batch_);
  const at::Tensor rows = TensorViews(positions_block_, gradient)[0];
  EXPECT_LT(
      RelativeDifference(rows.narrow(0, 0, kContext), sum_gradient.sum(0)),
      1e-6);
  EXPECT_TRUE(rows.narrow(0, kContext, config_.n_positions - kContext)
                  .eq(0)
                  .all()
                  .item<bool>());

  const at::Tensor once = gradient.clone();
  layer_.Backward(output_gradient_, gradient, /*accumulate=*/true, batch_);
  EXPECT_LT(RelativeDifference(gradient, once * 2), 1e-6);
}

TEST_P(EmbeddingLayerTest, TokenRowsGetTheSumOverTheirTokens) {
  const at::Tensor expected = at::embedding_backward(
      output_gradient_, batch_.Inputs(), config_.vocab_size, /*padding_idx=*/-1,
      /*scale_grad_by_freq=*/false, /*sparse=*/false);
  EXPECT_LT(RelativeDifference(RowGradients({0, config_.vocab_size}), expected),
            1e-6);
}

TEST_P(EmbeddingLayerTest, AnyRangingOfTheRowsGivesTheSameBits) {
  const at::Tensor whole = RowGradients({0, 97});
  EXPECT_TRUE(RowGradients({0, 1, 50, 97}).equal(whole));
  EXPECT_TRUE(RowGradients({0, 13, 26, 39, 52, 65, 78, 91, 97}).equal(whole));
}

}  // namespace
}  // namespace hydra
