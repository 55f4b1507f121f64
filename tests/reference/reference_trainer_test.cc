#include "tests/reference/reference_trainer.h"

#include <cmath>

#include "ATen/Parallel.h"
#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/rand.h"
#include "common/model/gpt2_table.h"
#include "common/model/trained_type.h"
#include "gtest/gtest.h"
#include "worker/model/block_views.h"
#include "worker/model/compute_threads.h"
#include "worker/model/test_models.h"

namespace hydra {
namespace {

constexpr int64_t kContext = 32;

hydra::v1::TrainSpec AdamW() {
  hydra::v1::TrainSpec train;
  train.set_learning_rate(0.01);
  return train;
}

ModelTable Table(double dropout = 0) {
  return BuildGpt2Table(TinyConfig(dropout));
}

at::Tensor Tokens(uint64_t seed, int64_t sequences = 4) {
  return RandomMicroBatch(TinyConfig().vocab_size, sequences, kContext, seed)
      .tokens;
}

// Parameters after a few steps of two micro-batches.
std::vector<at::Tensor> Train(double dropout,
                              const hydra::v1::TrainSpec& train = AdamW()) {
  ReferenceTrainer trainer(Table(dropout), train);
  trainer.InitializeRandomly();
  for (uint64_t step = 0; step < 3; ++step) {
    trainer.Step({Tokens(2 * step), Tokens(2 * step + 1)});
  }
  return trainer.parameters();
}

void ExpectSameBits(const std::vector<at::Tensor>& actual,
                    const std::vector<at::Tensor>& expected, bool same = true) {
  bool equal = true;
  for (size_t i = 0; i < actual.size(); ++i) {
    equal = equal && actual[i].equal(expected[i]);
  }
  EXPECT_EQ(equal, same);
}

TEST(ReferenceTrainerTest, LearnsABatchByHeart) {
  ReferenceTrainer trainer(Table(), AdamW());
  trainer.InitializeRandomly();
  const at::Tensor tokens = Tokens(1);
  const LossSum before = trainer.Evaluate(tokens);
  EXPECT_EQ(before.tokens, 4 * kContext);
  EXPECT_EQ(trainer.Step({tokens}).loss_sum, before.loss_sum);
  for (int step = 0; step < 60; ++step) trainer.Step({tokens});
  EXPECT_LT(trainer.Evaluate(tokens).loss_sum, 0.2 * before.loss_sum);
}

TEST(ReferenceTrainerTest, AnUntiedHeadTrainsToo) {
  Gpt2Config config = TinyConfig();
  config.tie_word_embeddings = false;
  ReferenceTrainer trainer(BuildGpt2Table(config), AdamW());
  trainer.InitializeRandomly();
  const at::Tensor tokens = Tokens(1);
  const double before = trainer.Evaluate(tokens).loss_sum;
  for (int step = 0; step < 60; ++step) trainer.Step({tokens});
  EXPECT_LT(trainer.Evaluate(tokens).loss_sum, 0.2 * before);
}

TEST(ReferenceTrainerTest, MicroBatchesSumUpToTheirMiniBatch) {
  const at::Tensor whole = Tokens(1, 4);
  ReferenceTrainer one(Table(), AdamW());
  one.InitializeRandomly();
  ReferenceTrainer two(Table(), AdamW());
  two.InitializeRandomly();
  const LossSum whole_loss = one.Step({whole});
  const LossSum parts_loss =
      two.Step({whole.narrow(0, 0, 2), whole.narrow(0, 2, 2)});
  EXPECT_NEAR(parts_loss.loss_sum / whole_loss.loss_sum, 1, 1e-6);
  EXPECT_EQ(parts_loss.tokens, whole_loss.tokens);
  for (size_t i = 0; i < one.gradients().size(); ++i) {
    EXPECT_LT(RelativeDifference(two.gradients()[i], one.gradients()[i]), 1e-5);
  }
}

// Written down: a model of two bytes that has each step's gradient, and SGD of
// numbers in float32 that it is the rounding of.
TEST(ReferenceTrainerTest, MastersAreWhatGradientsOfTheirRoundingsMove) {
  hydra::v1::TrainSpec sgd;
  sgd.set_optim(hydra::v1::OPTIMIZER_SGD);
  sgd.set_learning_rate(0.5);
  const ModelTable table = WithTrainedType(Table(), ElementType::kBFloat16);
  ReferenceTrainer trainer(table, sgd);
  trainer.InitializeRandomly();
  // Its parameters are float32, and rounded by hand.
  ReferenceTrainer rounded(Table(), sgd);
  std::vector<std::vector<at::Tensor>> masters;
  for (size_t i = 0; i < table.parameter_blocks.size(); ++i) {
    masters.emplace_back();
    for (const at::Tensor& view :
         TensorViews(table.parameter_blocks[i], trainer.parameters()[i])) {
      masters.back().push_back(view.clone());
    }
  }
  for (uint64_t step = 0; step < 3; ++step) {
    for (size_t i = 0; i < masters.size(); ++i) {
      const Tensors views = TensorViews(rounded.table().parameter_blocks[i],
                                        rounded.parameters()[i]);
      for (size_t j = 0; j < views.size(); ++j) {
        views[j].copy_(masters[i][j].to(at::kBFloat16).to(at::kFloat));
      }
    }
    const double expected = rounded.Step({Tokens(step)}).loss_sum;
    EXPECT_EQ(trainer.Step({Tokens(step)}).loss_sum, expected);
    for (size_t i = 0; i < masters.size(); ++i) {
      const Tensors gradients = TensorViews(rounded.table().parameter_blocks[i],
                                            rounded.gradients()[i]);
      const Tensors made =
          TensorViews(table.parameter_blocks[i], trainer.parameters()[i]);
      for (size_t j = 0; j < made.size(); ++j) {
        masters[i][j].sub_(gradients[j].mul(0.5));
        EXPECT_TRUE(made[j].equal(masters[i][j])) << i << " " << j;
      }
    }
  }
}

TEST(ReferenceTrainerTest, TrainingRepeatsItsBitsOnAnyNumberOfThreads) {
  const int threads = at::get_num_threads();
  for (double dropout : {0.0, 0.1}) {
    SetUpComputeThreads(1);
    const std::vector<at::Tensor> one = Train(dropout);
    for (int count : {1, 2}) {
      SetUpComputeThreads(count);
      at::rand({10});
      ExpectSameBits(Train(dropout), one);
    }
  }
  SetUpComputeThreads(threads);
}

TEST(ReferenceTrainerTest, SeedAndDropoutMatter) {
  const std::vector<at::Tensor> expected = Train(0.1);
  ExpectSameBits(Train(0.2), expected, /*same=*/false);
  hydra::v1::TrainSpec other_seed = AdamW();
  other_seed.set_seed(43);
  ExpectSameBits(Train(0.1, other_seed), expected, /*same=*/false);
}

TEST(ReferenceTrainerTest, ALossThatIsNoNumberUpdatesNothing) {
  ReferenceTrainer trainer(Table(), AdamW());
  trainer.InitializeRandomly();
  trainer.parameters().back()[0] = INFINITY;
  std::vector<at::Tensor> before;
  for (const at::Tensor& block : trainer.parameters()) {
    before.push_back(block.clone());
  }
  EXPECT_FALSE(std::isfinite(trainer.Step({Tokens(1), Tokens(2)}).loss_sum));
  ExpectSameBits(trainer.parameters(), before);
}

}  // namespace
}  // namespace hydra
