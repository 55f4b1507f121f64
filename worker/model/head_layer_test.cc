#include "worker/model/head_layer.h"

#include <cmath>
#include <utility>

#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/full_like.h"
#include "ATen/ops/isfinite.h"
#include "gtest/gtest.h"
#include "worker/model/counting_allocator.h"
#include "worker/model/known_layers.h"
#include "worker/model/test_models.h"

namespace hydra {
namespace {

// Two whole slices and a shorter one.
constexpr int64_t kSequences = 8;
constexpr int64_t kContext = 35;

struct Gradients {
  Tensors flats;
  LayerGradients made;
};

class HeadLayerTest : public testing::Test {
 protected:
  explicit HeadLayerTest(int64_t vocabulary_size = 97) {
    Gpt2Config config = TinyConfig();
    config.vocab_size = vocabulary_size;
    table_ = BuildGpt2Table(config);
    const int layer = table_.layer_count() - 1;
    layer_ = KnownLayers().Make(table_, layer).value();
    input_ = RandomInput(table_, layer, kSequences, kContext, 1);
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

  ModelTable table_;
  std::unique_ptr<Layer> layer_;
  LayerInput input_;
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
