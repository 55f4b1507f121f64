#include "worker/model/head_layer.h"

#include <cmath>
#include <utility>

#include "ATen/Parallel.h"
#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/cross_entropy_loss.h"
#include "ATen/ops/full_like.h"
#include "ATen/ops/isfinite.h"
#include "ATen/ops/layer_norm.h"
#include "ATen/ops/zeros_like.h"
#include "common/model/product_type.h"
#include "gtest/gtest.h"
#include "worker/model/block_views.h"
#include "worker/model/counting_allocator.h"
#include "worker/model/element_type.h"
#include "worker/model/finite_check.h"
#include "worker/model/known_layers.h"
#include "worker/model/row_stream.h"
#include "worker/model/test_models.h"
#include "worker/model/testing/held_rows.h"

namespace hydra {
namespace {

// Two whole slices and a shorter one.
constexpr int64_t kSequences = 8;
constexpr int64_t kContext = 35;

constexpr ElementType kRoundedTypes[] = {ElementType::kBFloat16,
                                         ElementType::kFloat16};

struct Gradients {
  Tensors flats;
  LayerGradients made;
};

class HeadLayerTest : public testing::Test {
 protected:
  explicit HeadLayerTest(int64_t vocabulary_size = 97, int64_t width = 24,
                         int64_t context = kContext) {
    Gpt2Config config = TinyConfig();
    config.vocab_size = vocabulary_size;
    config.n_embd = width;
    config.n_positions = context;
    table_ = BuildGpt2Table(config);
    const int layer = table_.layer_count() - 1;
    layer_ = KnownLayers().Make(table_, layer).value();
    input_ = RandomInput(table_, layer, kSequences, context, 1);
  }

  void RoundProducts(ElementType type) {
    layer_ = KnownLayers()
                 .Make(WithProductType(table_, type), table_.layer_count() - 1)
                 .value();
  }

  Gradients Run(bool accumulate, Tensors flats) const {
    Gradients gradients;
    gradients.made =
        layer_->Backward(layer_->Record(input_), {}, flats, accumulate);
    gradients.flats = std::move(flats);
    return gradients;
  }

  Gradients Run() const {
    return Run(false, {at::full_like(input_.flats[0], 12345.0f),
                       at::full_like(input_.flats[1], 12345.0f)});
  }

  // Two micro-batches with the table streamed.
  Gradients RunStreamed(int* ranges_asked) const {
    Gradients gradients;
    gradients.flats = {at::full_like(input_.flats[0], 12345.0f),
                       at::zeros_like(input_.flats[1])};
    HeldRows rows(Weight(), input_.flats[1], gradients.flats[1]);
    LayerInput input = input_;
    input.rows = &rows;
    input.flats[1] = at::Tensor();
    for (bool accumulate : {false, true}) {
      gradients.made =
          layer_->Backward(layer_->Record(input), {},
                           {gradients.flats[0], at::Tensor()}, accumulate);
    }
    *ranges_asked = rows.rows_asked();
    return gradients;
  }

  // Leaves out the targets at every third place, from `first` on.
  void LeaveOutTargets(int64_t first) {
    MicroBatch& batch = input_.micro_batch;
    batch.targets = at::Tensor();
    batch.targets = batch.Targets().clone();
    const at::Tensor places = batch.targets.view({-1});
    batch.untrained_targets = 0;
    for (int64_t i = first; i < places.numel(); i += 3) {
      places[i] = kNoTarget;
      ++batch.untrained_targets;
    }
  }

  const ParameterBlock& Weight() const {
    return table_.parameter_blocks[table_.layers.back().parameter_blocks[1]];
  }

  ModelTable table_;
  std::unique_ptr<Layer> layer_;
  LayerInput input_;
};

struct StreamedCase {
  int64_t vocabulary;
  int64_t width;
  int64_t context;
  int threads;
};

class StreamedHeadLayerTest : public HeadLayerTest,
                              public testing::WithParamInterface<StreamedCase> {
 protected:
  StreamedHeadLayerTest()
      : HeadLayerTest(GetParam().vocabulary, GetParam().width,
                      GetParam().context),
        threads_(at::get_num_threads()) {
    at::set_num_threads(GetParam().threads);
  }
  ~StreamedHeadLayerTest() override { at::set_num_threads(threads_); }

 private:
  const int threads_;
};

class LargeVocabularyHeadLayerTest : public HeadLayerTest {
 protected:
  LargeVocabularyHeadLayerTest() : HeadLayerTest(40000) {}
};

TEST_F(HeadLayerTest, LogitsFarApartStayFinite) {
  input_.flats[1].mul_(1e5);
  const Gradients gradients = Run();
  EXPECT_TRUE(std::isfinite(gradients.made.loss.loss_sum));
  // Nearly every token is told apart from its target.
  EXPECT_GT(gradients.made.loss.loss_sum, 1e3 * kSequences * kContext);
  EXPECT_TRUE(at::isfinite(gradients.flats[1]).all().item<bool>());
  EXPECT_TRUE(at::isfinite(gradients.made.inputs[0]).all().item<bool>());
}

TEST_F(LargeVocabularyHeadLayerTest, ARangeOfImpossibleTokensChangesNoOther) {
  const int64_t first_range = TableRanges(table_.vocabulary_size)[0].last;
  // Every normalized input is (-10, 0, ..., 0).
  input_.flats[0].zero_();
  TensorViews(table_.parameter_blocks[table_.layers.back().parameter_blocks[0]],
              input_.flats[0])[1][0] = -10;
  at::Tensor weight = TensorViews(Weight(), input_.flats[1]).front();
  weight.narrow(0, 0, first_range).select(1, 0).fill_(3e38);
  input_.micro_batch.tokens.clamp_(first_range);
  const Gradients gradients = Run();
  EXPECT_TRUE(std::isfinite(gradients.made.loss.loss_sum));
  EXPECT_TRUE(at::isfinite(gradients.flats[1]).all().item<bool>());
  EXPECT_TRUE(at::isfinite(gradients.made.inputs[0]).all().item<bool>());
  const at::Tensor rows = TensorViews(Weight(), gradients.flats[1]).front();
  EXPECT_TRUE(rows.narrow(0, 0, first_range).eq(0).all().item<bool>());
}

TEST_F(HeadLayerTest, WhatIsNotTrainedOnHasNeitherLossNorGradient) {
  const Gradients all = Run();
  double loss_sum = 0;
  int64_t tokens = 0;
  at::Tensor weight = at::zeros_like(all.flats[1]);
  // Each target is left out once, and in two of three runs it is there.
  for (int64_t first = 0; first < 3; ++first) {
    LeaveOutTargets(first);
    const Gradients some = Run();
    EXPECT_EQ(some.made.loss.tokens, input_.micro_batch.target_count());
    EXPECT_LT(some.made.loss.tokens, all.made.loss.tokens);
    EXPECT_EQ(layer_->Forward(input_).loss.loss_sum, some.made.loss.loss_sum);
    const at::Tensor rows =
        some.made.inputs[0].view({kSequences * kContext, -1});
    EXPECT_TRUE(rows[first].eq(0).all().item<bool>());
    EXPECT_FALSE(rows[first + 1].eq(0).all().item<bool>());
    loss_sum += some.made.loss.loss_sum;
    tokens += some.made.loss.tokens;
    weight.add_(some.flats[1]);
  }
  EXPECT_EQ(tokens, 2 * all.made.loss.tokens);
  EXPECT_NEAR(loss_sum, 2 * all.made.loss.loss_sum, 1e-3);
  EXPECT_TRUE(weight.allclose(all.flats[1].mul(2), 1e-4, 1e-6));
}

// Over several ranges of the vocabulary, with targets in all of them. In
// double: PyTorch's own gradient in fp32 adds up 40,000 shares with less care.
TEST_F(LargeVocabularyHeadLayerTest, SmoothsLabelsAsPyTorchDoes) {
  input_.micro_batch.label_smoothing = 0.2;
  for (bool leave_out : {false, true}) {
    if (leave_out) LeaveOutTargets(1);
    const Gradients actual = Run();
    const MicroBatch& batch = input_.micro_batch;
    const at::Tensor weight = TensorViews(Weight(), input_.flats[1])
                                  .front()
                                  .to(at::kDouble)
                                  .requires_grad_();
    const Tensors norm = TensorViews(
        table_.parameter_blocks[table_.layers.back().parameter_blocks[0]],
        input_.flats[0]);
    const at::Tensor hidden = input_.boundary.front().to(at::kDouble);
    const at::Tensor logits =
        at::layer_norm(hidden, {hidden.size(-1)}, norm[0].to(at::kDouble),
                       norm[1].to(at::kDouble), TinyConfig().layer_norm_epsilon)
            .view({-1, hidden.size(-1)})
            .mm(weight.t());
    const at::Tensor loss = at::cross_entropy_loss(
        logits, batch.Targets().reshape({-1}), {}, at::Reduction::Sum,
        kNoTarget, batch.label_smoothing);
    (loss * batch.gradient_scale).backward();
    EXPECT_NEAR(actual.made.loss.loss_sum / loss.item<double>(), 1, 1e-6);
    EXPECT_EQ(actual.made.loss.tokens, batch.target_count());
    EXPECT_LT(
        RelativeDifference(
            TensorViews(Weight(), actual.flats[1]).front().to(at::kDouble),
            weight.grad()),
        2e-6);
  }
}

TEST_F(HeadLayerTest, RoundsWhatItsProductsTakeAndGive) {
  const Tensors norm = TensorViews(
      table_.parameter_blocks[table_.layers.back().parameter_blocks[0]],
      input_.flats[0]);
  // So that digits count.
  const at::Tensor weight =
      TensorViews(Weight(), input_.flats[1]).front().mul_(30);
  const at::Tensor& hidden = input_.boundary.front();
  const at::Tensor normalized =
      at::layer_norm(hidden, {hidden.size(-1)}, norm[0], norm[1],
                     TinyConfig().layer_norm_epsilon)
          .view({-1, hidden.size(-1)});
  const double plain = layer_->Forward(input_).loss.loss_sum;
  const auto round = [](const at::Tensor& tensor) {
    return tensor.to(at::kBFloat16).to(at::kFloat);
  };
  const double expected =
      at::cross_entropy_loss(round(round(normalized).mm(round(weight).t())),
                             input_.micro_batch.Targets().reshape({-1}), {},
                             at::Reduction::Sum)
          .item<double>();
  constexpr double kTolerance = 1e-5;
  RoundProducts(ElementType::kBFloat16);
  EXPECT_NEAR(layer_->Forward(input_).loss.loss_sum / expected, 1, kTolerance);
  EXPECT_GT(std::abs(plain / expected - 1), kTolerance);
}

// Else none of these would be left of what is below float16's least number,
// and nothing would tell of what is above its largest.
TEST_F(HeadLayerTest, ToFloat16ItRoundsTheGradientsOfTheScaledLoss) {
  const auto gradient_of = [this](ElementType type, double scale) {
    RoundProducts(type);
    input_.micro_batch.gradient_scale = scale;
    return Run().flats[1];
  };
  const auto bfloat16 = ElementType::kBFloat16;
  const auto float16 = ElementType::kFloat16;
  const double least = 0x1p-24;
  EXPECT_EQ(gradient_of(float16, least / 2).abs().max().item<float>(), 0);
  EXPECT_GT(gradient_of(bfloat16, least / 2).abs().max().item<float>(), 0);

  const at::Tensor gradient = gradient_of(float16, 0x1p-6);
  EXPECT_GT(gradient.abs().max().item<float>(), 0);
  EXPECT_LT(RelativeDifference(gradient, gradient_of(bfloat16, 0x1p-6)), 0.05);

  EXPECT_TRUE(AllFinite(gradient_of(bfloat16, 0x1p20)));
  EXPECT_FALSE(AllFinite(gradient_of(float16, 0x1p20)));
}

// Rounding what is rounded changes nothing, however often it is done.
TEST_F(LargeVocabularyHeadLayerTest, RoundsEachNumberOfItsTableOnce) {
  const at::Tensor table = input_.flats[1];
  for (ElementType type : kRoundedTypes) {
    SCOPED_TRACE(static_cast<int>(type));
    RoundProducts(type);
    input_.flats[1] = table;
    const Gradients once = Run();
    input_.flats[1] = table.to(TorchTypeOf(type)).to(at::kFloat);
    const Gradients twice = Run();
    EXPECT_EQ(twice.made.loss.loss_sum, once.made.loss.loss_sum);
    EXPECT_TRUE(twice.flats[0].equal(once.flats[0]));
    EXPECT_TRUE(twice.flats[1].equal(once.flats[1]));
    EXPECT_TRUE(twice.made.inputs[0].equal(once.made.inputs[0]));
    EXPECT_EQ(layer_->Forward(input_).loss.loss_sum, once.made.loss.loss_sum);
  }
}

TEST_F(HeadLayerTest, SmoothingLeavesOutWhatIsNotTrainedOn) {
  input_.micro_batch.label_smoothing = 0.1;
  LeaveOutTargets(0);
  const Gradients some = Run();
  const at::Tensor rows = some.made.inputs[0].view({kSequences * kContext, -1});
  EXPECT_TRUE(rows[0].eq(0).all().item<bool>());
  EXPECT_FALSE(rows[1].eq(0).all().item<bool>());
}

TEST_F(HeadLayerTest, NothingIsLearnedWhereNothingIsTrainedOn) {
  MicroBatch& batch = input_.micro_batch;
  batch.targets = at::full_like(batch.Targets(), kNoTarget);
  batch.untrained_targets = batch.targets.numel();
  const Gradients gradients = Run();
  EXPECT_EQ(gradients.made.loss.tokens, 0);
  EXPECT_EQ(gradients.made.loss.loss_sum, 0);
  for (const at::Tensor& flat : gradients.flats) {
    EXPECT_TRUE(flat.eq(0).all().item<bool>());
  }
  EXPECT_TRUE(gradients.made.inputs[0].eq(0).all().item<bool>());
}

TEST_P(StreamedHeadLayerTest, LeavesOutTheSameTargets) {
  LeaveOutTargets(1);
  const Gradients once = Run();
  const Gradients whole = Run(true, once.flats);
  int ranges_asked = 0;
  const Gradients streamed = RunStreamed(&ranges_asked);
  EXPECT_EQ(streamed.made.loss.loss_sum, whole.made.loss.loss_sum);
  EXPECT_EQ(streamed.made.loss.tokens, whole.made.loss.tokens);
  EXPECT_TRUE(streamed.flats[1].equal(whole.flats[1]));
  EXPECT_TRUE(streamed.made.inputs[0].equal(whole.made.inputs[0]));
}

TEST_P(StreamedHeadLayerTest, SmoothsTheSame) {
  input_.micro_batch.label_smoothing = 0.1;
  LeaveOutTargets(1);
  const Gradients once = Run();
  const Gradients whole = Run(true, once.flats);
  int ranges_asked = 0;
  const Gradients streamed = RunStreamed(&ranges_asked);
  EXPECT_EQ(streamed.made.loss.loss_sum, whole.made.loss.loss_sum);
  EXPECT_TRUE(streamed.flats[1].equal(whole.flats[1]));
  EXPECT_TRUE(streamed.made.inputs[0].equal(whole.made.inputs[0]));
  EXPECT_EQ(layer_->Forward(input_).loss.loss_sum, whole.made.loss.loss_sum);
}

TEST_P(StreamedHeadLayerTest, GivesTheBitsOfTheTableHeldWhole) {
  const Gradients once = Run();
  const Gradients whole = Run(true, once.flats);
  int ranges_asked = 0;
  const Gradients streamed = RunStreamed(&ranges_asked);
  // Two sweeps over it for each of two micro-batches.
  EXPECT_EQ(ranges_asked, 4 * TableRanges(GetParam().vocabulary).size());
  EXPECT_EQ(streamed.made.loss.loss_sum, whole.made.loss.loss_sum);
  EXPECT_TRUE(streamed.flats[0].equal(whole.flats[0]));
  EXPECT_TRUE(streamed.flats[1].equal(whole.flats[1]));
  EXPECT_TRUE(streamed.made.inputs[0].equal(whole.made.inputs[0]));
}

TEST_P(StreamedHeadLayerTest, RoundedItGivesTheBitsOfTheTableHeldWhole) {
  for (ElementType type : kRoundedTypes) {
    SCOPED_TRACE(static_cast<int>(type));
    RoundProducts(type);
    const Gradients once = Run();
    const Gradients whole = Run(true, once.flats);
    int ranges_asked = 0;
    const Gradients streamed = RunStreamed(&ranges_asked);
    EXPECT_EQ(streamed.made.loss.loss_sum, whole.made.loss.loss_sum);
    EXPECT_TRUE(streamed.flats[0].equal(whole.flats[0]));
    EXPECT_TRUE(streamed.flats[1].equal(whole.flats[1]));
    EXPECT_TRUE(streamed.made.inputs[0].equal(whole.made.inputs[0]));
  }
}

INSTANTIATE_TEST_SUITE_P(All, StreamedHeadLayerTest,
                         testing::Values(StreamedCase{97, 24, 35, 1},
                                         StreamedCase{9000, 24, 35, 1},
                                         StreamedCase{9001, 20, 16, 2},
                                         StreamedCase{20011, 96, 35, 3},
                                         StreamedCase{40000, 24, 35, 2},
                                         StreamedCase{50257, 64, 35, 1},
                                         StreamedCase{50257, 64, 35, 2}));

TEST_F(LargeVocabularyHeadLayerTest, StreamedItHoldsARangeAndItsGradient) {
  const int64_t width = Weight().tensors.front().shape[1];
  const int64_t range = TableRanges(table_.vocabulary_size).front().count();
  const int64_t hidden_bytes = input_.boundary.front().nbytes();
  int ranges_asked = 0;
  CountingAllocator allocator;
  RunStreamed(&ranges_asked);
  // The test's own: what is compared.
  const int64_t kept_bytes = input_.flats[0].nbytes() + Weight().size_bytes;
  // Of the table and of its gradient.
  EXPECT_LT(allocator.peak_bytes() - kept_bytes,
            HeadLayer::SliceBytes(range) + 2 * range * width * kFloatBytes +
                4 * hidden_bytes);
}

TEST_F(LargeVocabularyHeadLayerTest, TwoThreadsGiveTheSameBits) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Gradients one = Run();
  at::set_num_threads(2);
  const Gradients two = Run();
  EXPECT_EQ(two.made.loss.loss_sum, one.made.loss.loss_sum);
  EXPECT_TRUE(two.flats[0].equal(one.flats[0]));
  EXPECT_TRUE(two.flats[1].equal(one.flats[1]));
  EXPECT_TRUE(two.made.inputs[0].equal(one.made.inputs[0]));
  at::set_num_threads(threads);
}

TEST_F(LargeVocabularyHeadLayerTest, ExtraMemoryIsOneSliceOfLogits) {
  const int64_t slice_bytes = HeadLayer::SliceBytes(table_.vocabulary_size);
  const Gradients gradients = Run();
  CountingAllocator allocator;
  layer_->Forward(input_);
  EXPECT_LT(allocator.peak_bytes(), 1.02 * slice_bytes);

  allocator.Reset();
  Run(true, gradients.flats);
  EXPECT_GE(allocator.peak_bytes(), slice_bytes);
  EXPECT_LT(allocator.peak_bytes(), 1.02 * slice_bytes);
}

}  // namespace
}  // namespace hydra
