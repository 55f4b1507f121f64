#include "worker/model/embedding_layer.h"

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/ones_like.h"
#include "ATen/ops/zeros_like.h"
#include "gtest/gtest.h"
#include "worker/model/block_views.h"
#include "worker/model/known_layers.h"
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
        layer_(KnownLayers().Make(table_, 0).value()),
        input_(RandomInput(table_, 0, kSequences, kContext, 1)),
        output_gradient_(
            RandomTensor({kSequences, kContext, config_.n_embd}, 4)) {}

  at::Tensor Output(const LayerInput& input) const {
    return layer_->Forward(input).boundary.front();
  }

  RowGradients Backward(const at::Tensor& position_gradient) const {
    return *layer_
                ->Backward(layer_->Record(input_), {output_gradient_},
                           {at::Tensor(), position_gradient},
                           /*accumulate=*/false)
                .rows;
  }

  const Gpt2Config config_;
  const ModelTable table_;
  const std::unique_ptr<Layer> layer_;
  const LayerInput input_;
  const at::Tensor output_gradient_;
};

INSTANTIATE_TEST_SUITE_P(Dropout, EmbeddingLayerTest,
                         testing::Values(0.0, 0.1));

TEST_P(EmbeddingLayerTest, EachTokenIsTheSumOfItsRows) {
  const at::Tensor output = Output(input_);
  const at::Tensor tokens =
      TensorViews(table_.parameter_blocks[0], input_.flats[0])[0];
  const at::Tensor positions =
      TensorViews(table_.parameter_blocks[1], input_.flats[1])[0];
  const at::Tensor ids = input_.micro_batch.tokens;
  int64_t dropped = 0;
  for (int64_t s = 0; s < kSequences; ++s) {
    for (int64_t t = 0; t < kContext; ++t) {
      const at::Tensor expected =
          (tokens[ids[s][t].item<int64_t>()] + positions[t]) *
          (1 / (1 - GetParam()));
      const at::Tensor is_dropped = output[s][t].eq(0);
      dropped += is_dropped.sum().item<int64_t>();
      EXPECT_TRUE(output[s][t].equal(expected.masked_fill(is_dropped, 0)));
    }
  }
  EXPECT_NEAR(dropped, GetParam() * output.numel(), 0.03 * output.numel());
}

TEST_P(EmbeddingLayerTest, BackwardAppliesTheMaskOfTheForward) {
  const RowGradients rows = Backward(GarbageFlat(table_.parameter_blocks[1]));
  // A table of ones shows the mask.
  LayerInput ones = input_;
  ones.flats = {at::ones_like(input_.flats[0]),
                at::zeros_like(input_.flats[1])};
  EXPECT_LT(RelativeDifference(rows.gradients, output_gradient_ * Output(ones)),
            1e-6);
  EXPECT_TRUE(rows.rows.equal(input_.micro_batch.Inputs()));
}

TEST_P(EmbeddingLayerTest, PositionsGetTheSumOverSequences) {
  const at::Tensor gradient = GarbageFlat(table_.parameter_blocks[1]);
  const RowGradients rows = Backward(gradient);
  const at::Tensor positions =
      TensorViews(table_.parameter_blocks[1], gradient)[0];
  EXPECT_LT(RelativeDifference(positions.narrow(0, 0, kContext),
                               rows.gradients.sum(0)),
            1e-6);
  EXPECT_TRUE(positions.narrow(0, kContext, config_.n_positions - kContext)
                  .eq(0)
                  .all()
                  .item<bool>());
}

}  // namespace
}  // namespace hydra
