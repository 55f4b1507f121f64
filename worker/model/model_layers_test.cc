#include "worker/model/model_layers.h"

#include <utility>
#include <vector>

#include "ATen/ATen.h"
#include "ATen/Parallel.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "worker/model/block_views.h"
#include "worker/model/test_models.h"

namespace hydra {
namespace {

constexpr int64_t kSequences = 4;
constexpr int64_t kContext = 80;

// Large enough for LibTorch to share its work between threads.
Gpt2Config Config(double dropout, int64_t context) {
  Gpt2Config config = TinyConfig(dropout);
  config.vocab_size = 3001;
  config.n_positions = context;
  config.n_embd = 96;
  config.n_inner = 4 * 96;
  return config;
}

// A copy of `tensor` whose first number is `shift` numbers after a page's
// beginning.
at::Tensor Shifted(const at::Tensor& tensor, int64_t shift) {
  constexpr int64_t kPageNumbers = 1024;
  const at::Tensor room = at::empty({tensor.numel() + 2 * kPageNumbers});
  const int64_t address =
      reinterpret_cast<intptr_t>(room.const_data_ptr()) / kFloatBytes;
  const int64_t first =
      (kPageNumbers - address % kPageNumbers) % kPageNumbers + shift;
  return room.narrow(0, first, tensor.numel()).copy_(tensor);
}

struct PassResult {
  double loss = 0;
  std::vector<at::Tensor> gradients;
};

// Forward and backward of a whole model, all memory shifted.
PassResult Pass(double dropout, int threads, int64_t shift,
                int64_t context = kContext) {
  const int threads_before = at::get_num_threads();
  at::set_num_threads(threads);
  const Gpt2Config config = Config(dropout, context);
  const ModelTable table = BuildGpt2Table(config);
  const ModelLayers layers = ModelLayers::Build(table);
  std::vector<at::Tensor> flats, gradients;
  for (const at::Tensor& flat : RandomFlats(table, 1)) {
    flats.push_back(Shifted(flat, shift));
    gradients.push_back(Shifted(at::full_like(flat, 9.0f), shift));
  }
  const MicroBatch batch =
      RandomMicroBatch(config, kSequences, config.n_positions, 5);
  const int head_norm = table.layers.back().parameter_blocks[0];
  const at::Tensor token_table =
      TensorViews(table.parameter_blocks[0], flats[0])[0];
  const at::Tensor token_gradient =
      TensorViews(table.parameter_blocks[0], gradients[0])[0];
  auto move = [shift](const at::Tensor& tensor) {
    return Shifted(tensor.reshape({-1}), shift).view(tensor.sizes());
  };

  std::vector<Tape> tapes;
  at::Tensor boundary =
      move(layers.embedding().Forward(token_table, flats[1], batch));
  for (int layer = 1; layer <= config.n_layer; ++layer) {
    tapes.push_back(
        layers.block(layer).Record({flats[1 + layer]}, boundary, batch));
    boundary = move(tapes.back().output.detach());
  }
  at::Tensor gradient;
  PassResult result;
  result.loss = layers.head()
                    .LossAndBackward(flats[head_norm], token_table, boundary,
                                     batch, gradients[head_norm],
                                     token_gradient, false, &gradient)
                    .loss_sum;
  for (int layer = config.n_layer; layer >= 1; --layer) {
    gradient = layers.block(layer).Backward(std::move(tapes[layer - 1]),
                                            move(gradient),
                                            {gradients[1 + layer]}, false);
  }
  const at::Tensor sum_gradient =
      layers.embedding().Backward(move(gradient), gradients[1], false, batch);
  AddTokenRowGradients(batch.Inputs(), sum_gradient, 0, config.vocab_size,
                       token_gradient);
  result.gradients = std::move(gradients);
  at::set_num_threads(threads_before);
  return result;
}

class WholePassTest : public testing::TestWithParam<double> {
 protected:
  void ExpectSameBits(const PassResult& actual, int64_t context = kContext) {
    const PassResult expected = Pass(GetParam(), 1, 0, context);
    EXPECT_EQ(actual.loss, expected.loss);
    const ModelTable table = BuildGpt2Table(Config(GetParam(), context));
    for (size_t i = 0; i < table.parameter_blocks.size(); ++i) {
      const ParameterBlock& block = table.parameter_blocks[i];
      const auto actual_views = TensorViews(block, actual.gradients[i]);
      const auto expected_views = TensorViews(block, expected.gradients[i]);
      for (size_t j = 0; j < actual_views.size(); ++j) {
        EXPECT_TRUE(actual_views[j].equal(expected_views[j]))
            << block.tensors[j].name;
      }
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Dropout, WholePassTest, testing::Values(0.0, 0.1));

TEST_P(WholePassTest, RepeatsItsBits) {
  ExpectSameBits(Pass(GetParam(), 1, 0));
}

TEST_P(WholePassTest, TwoThreadsGiveTheSameBits) {
  ExpectSameBits(Pass(GetParam(), 2, 0));
}

TEST_P(WholePassTest, ThreeThreadsGiveTheSameBits) {
  ExpectSameBits(Pass(GetParam(), 3, 0));
}

TEST_P(WholePassTest, NoContextMakesBitsDependOnThreads) {
  if (GetParam() > 0) GTEST_SKIP() << "see transformer_block.h";
  for (int64_t context : {17, 100}) {
    for (int threads : {2, 3}) {
      SCOPED_TRACE(absl::StrCat("context ", context, ", threads ", threads));
      ExpectSameBits(Pass(GetParam(), threads, 0, context), context);
    }
  }
}

TEST_P(WholePassTest, AnyAlignmentOfOperandsGivesTheSameBits) {
  // Slots and ranges begin at multiples of 64 bytes.
  ExpectSameBits(Pass(GetParam(), 1, 16));
  ExpectSameBits(Pass(GetParam(), 1, 48));
}

TEST(ModelLayersTest, LayersTakeTheirBlocksFromTheTable) {
  Gpt2Config config = TinyConfig();
  config.tie_word_embeddings = false;
  const ModelTable table = BuildGpt2Table(config);
  const ModelLayers layers = ModelLayers::Build(table);
  const std::vector<at::Tensor> flats = RandomFlats(table, 1);
  const MicroBatch batch = RandomMicroBatch(config, 2, 10, 2);
  at::Tensor boundary = layers.embedding().Forward(
      TensorViews(table.parameter_blocks[0], flats[0])[0], flats[1], batch);
  for (int layer = 1; layer < table.layer_count() - 1; ++layer) {
    const int block = table.layers[layer].parameter_blocks[0];
    boundary = layers.block(layer).Forward({flats[block]}, boundary, batch);
  }
  const std::vector<int>& head = table.layers.back().parameter_blocks;
  const LossSum loss = layers.head().Loss(
      flats[head[0]],
      TensorViews(table.parameter_blocks[head[1]], flats[head[1]])[0], boundary,
      batch);
  EXPECT_EQ(loss.tokens, 20);
  // Random weights know nothing: about ln(vocabulary) for each token.
  EXPECT_NEAR(loss.loss_sum / 20, std::log(97), 0.2);
}

}  // namespace
}  // namespace hydra
