#include "worker/model/head_layer.h"

#include "ATen/ATen.h"
#include "ATen/Parallel.h"
#include "gtest/gtest.h"
#include "worker/model/block_views.h"
#include "worker/model/counting_allocator.h"
#include "worker/model/test_models.h"

namespace hydra {
namespace {

// Two whole slices and a shorter one.
constexpr int64_t kSequences = 8;
constexpr int64_t kContext = 35;

struct Gradients {
  at::Tensor norm;
  at::Tensor weight;
  at::Tensor input;
  LossSum loss;
};

class HeadLayerTest : public testing::Test {
 protected:
  explicit HeadLayerTest(int64_t vocab_size = 97) {
    config_.vocab_size = vocab_size;
    table_ = BuildGpt2Table(config_);
    norm_block_ =
        table_.parameter_blocks[table_.layers.back().parameter_blocks[0]];
    norm_ = RandomFlat(norm_block_, 1);
    TensorViews(norm_block_, norm_)[0].add_(1);
    weight_ = RandomTensor({vocab_size, config_.n_embd}, 2);
    input_ = RandomTensor({kSequences, kContext, config_.n_embd}, 3);
    batch_ = RandomMicroBatch(config_, kSequences, kContext, 4);
  }

  HeadLayer Head() const {
    return HeadLayer(table_.layers.back(), norm_block_);
  }

  Gradients Run(bool accumulate, Gradients gradients) const {
    gradients.loss =
        Head().LossAndBackward(norm_, weight_, input_, batch_, gradients.norm,
                               gradients.weight, accumulate, &gradients.input);
    return gradients;
  }

  Gradients Run() const {
    return Run(false, {GarbageFlat(norm_block_),
                       at::full_like(weight_, 12345.0f),
                       at::Tensor(),
                       {}});
  }

  // By autograd, with all logits at once.
  Gradients Expected() const {
    std::vector<at::Tensor> norm;
    for (const at::Tensor& view : TensorViews(norm_block_, norm_)) {
      norm.push_back(view.detach().requires_grad_());
    }
    const at::Tensor weight = weight_.detach().requires_grad_();
    const at::Tensor input = input_.detach().requires_grad_();
    const at::Tensor normalized = at::layer_norm(
        input, {config_.n_embd}, norm[0], norm[1], config_.layer_norm_epsilon);
    const at::Tensor logits =
        normalized.view({-1, config_.n_embd}).mm(weight.t());
    const at::Tensor loss = at::cross_entropy_loss(
        logits, batch_.Targets().reshape({-1}), {}, at::Reduction::Sum);
    (loss * batch_.gradient_scale).backward();
    Gradients gradients{at::zeros({norm_block_.element_count()}),
                        weight.grad(),
                        input.grad(),
                        {loss.item<double>(), batch_.target_count()}};
    const auto views = TensorViews(norm_block_, gradients.norm);
    views[0].copy_(norm[0].grad());
    views[1].copy_(norm[1].grad());
    return gradients;
  }

  Gpt2Config config_ = TinyConfig();
  ModelTable table_;
  ParameterBlock norm_block_;
  at::Tensor norm_, weight_, input_;
  MicroBatch batch_;
};

class LargeVocabularyHeadLayerTest : public HeadLayerTest {
 protected:
  LargeVocabularyHeadLayerTest() : HeadLayerTest(40000) {}
};

TEST_F(HeadLayerTest, LossAndGradientsEqualAutogradsCrossEntropy) {
  const Gradients actual = Run();
  const Gradients expected = Expected();
  EXPECT_EQ(actual.loss.tokens, kSequences * kContext);
  EXPECT_NEAR(actual.loss.loss_sum / expected.loss.loss_sum, 1, 1e-6);
  EXPECT_LT(RelativeDifference(actual.norm, expected.norm), 2e-6);
  EXPECT_LT(RelativeDifference(actual.weight, expected.weight), 2e-6);
  EXPECT_LT(RelativeDifference(actual.input, expected.input), 2e-6);
  EXPECT_TRUE(PaddingOf(norm_block_, actual.norm).eq(0).all().item<bool>());
}

TEST_F(HeadLayerTest, LossAloneGivesTheSameBits) {
  const LossSum loss = Head().Loss(norm_, weight_, input_, batch_);
  EXPECT_EQ(loss.loss_sum, Run().loss.loss_sum);
  EXPECT_EQ(loss.tokens, batch_.target_count());
}

TEST_F(HeadLayerTest, GradientsAccumulateOnRequest) {
  const Gradients once = Run();
  const Gradients twice =
      Run(true, {once.norm.clone(), once.weight.clone(), at::Tensor(), {}});
  EXPECT_LT(RelativeDifference(twice.norm, once.norm * 2), 1e-6);
  EXPECT_LT(RelativeDifference(twice.weight, once.weight * 2), 1e-6);
  EXPECT_TRUE(twice.input.equal(once.input));
}

TEST_F(HeadLayerTest, LogitsFarApartStayFinite) {
  weight_.mul_(1e4);
  const Gradients actual = Run();
  const Gradients expected = Expected();
  EXPECT_NEAR(actual.loss.loss_sum / expected.loss.loss_sum, 1, 1e-6);
  EXPECT_LT(RelativeDifference(actual.weight, expected.weight), 1e-5);
}

TEST_F(LargeVocabularyHeadLayerTest, TwoThreadsGiveTheSameBits) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Gradients one = Run();
  at::set_num_threads(2);
  const Gradients two = Run();
  EXPECT_EQ(two.loss.loss_sum, one.loss.loss_sum);
  EXPECT_TRUE(two.norm.equal(one.norm));
  EXPECT_TRUE(two.weight.equal(one.weight));
  EXPECT_TRUE(two.input.equal(one.input));
  at::set_num_threads(threads);
}

TEST_F(LargeVocabularyHeadLayerTest, ExtraMemoryIsOneSliceOfLogits) {
  const int64_t slice_bytes = HeadLayer::SliceBytes(config_.vocab_size);
  const Gradients gradients = Run();
  CountingAllocator allocator;
  Head().Loss(norm_, weight_, input_, batch_);
  EXPECT_LT(allocator.peak_bytes(), 1.02 * slice_bytes);

  allocator.Reset();
  Run(true, gradients);
  EXPECT_GE(allocator.peak_bytes(), slice_bytes);
  EXPECT_LT(allocator.peak_bytes(), 1.02 * slice_bytes);
}

}  // namespace
}  // namespace hydra
