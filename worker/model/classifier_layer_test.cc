#include "worker/model/classifier_layer.h"

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/zeros.h"
#include "ATen/ops/zeros_like.h"
#include "common/model/vit_table.h"
#include "gtest/gtest.h"
#include "worker/model/known_layers.h"
#include "worker/model/test_models.h"

namespace hydra {
namespace {

class ClassifierLayerTest : public testing::Test {
 protected:
  LayerOutput Forward(const LayerInput& input) const {
    return KnownLayers().Make(table_, head_).value()->Forward(input);
  }

  // The most likely class of each image.
  at::Tensor LikelyOf(const LayerInput& input) const {
    const LayerContext context{
        table_.layers[head_], {table_.parameter_blocks[head_]}, head_};
    return ClassifierLayer(context)
        .Logits(input.boundary.front(), input.flats)
        .argmax(1, /*keepdim=*/true);
  }

  const ModelTable table_ = BuildVitTable(TinyVitConfig());
  const int head_ = table_.layer_count() - 1;
  LayerInput input_ = RandomInput(table_, head_, /*sequences=*/11,
                                  /*context=*/1, /*seed=*/1);
};

TEST_F(ClassifierLayerTest, CountsExamplesWhoseClassIsTheMostLikely) {
  const at::Tensor likely = LikelyOf(input_);
  input_.micro_batch.targets = likely.clone();
  EXPECT_EQ(Forward(input_).loss.correct, 11);
  // Another class for four of them.
  input_.micro_batch.targets.narrow(0, 3, 4).add_(1).remainder_(
      table_.examples->class_count);
  const LayerOutput output = Forward(input_);
  EXPECT_EQ(output.loss.correct, 7);
  EXPECT_EQ(output.loss.tokens, 11);
}

TEST_F(ClassifierLayerTest, OfEqualClassesTheFirstCounts) {
  input_.flats.front() = at::zeros_like(input_.flats.front());
  input_.micro_batch.targets = at::zeros({11, 1}, at::kLong);
  EXPECT_EQ(Forward(input_).loss.correct, 11);
  input_.micro_batch.targets.add_(1);
  EXPECT_EQ(Forward(input_).loss.correct, 0);
}

TEST_F(ClassifierLayerTest, OtherRowsThanTheClassTokenDoNotMatter) {
  const double loss = Forward(input_).loss.loss_sum;
  input_.boundary.front() = input_.boundary.front().clone();
  input_.boundary.front().narrow(1, 1, 2).zero_();
  EXPECT_EQ(Forward(input_).loss.loss_sum, loss);
  input_.boundary.front().narrow(1, 0, 1).zero_();
  EXPECT_NE(Forward(input_).loss.loss_sum, loss);
}

}  // namespace
}  // namespace hydra
