#include "worker/model/model_layers.h"

#include <tuple>
#include <utility>
#include <vector>

#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/full_like.h"
#include "absl/strings/str_cat.h"
#include "common/model/lora.h"
#include "gtest/gtest.h"
#include "worker/model/block_views.h"
#include "worker/model/known_layers.h"
#include "worker/model/row_gradients.h"
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
  Tensors gradients;
};

// Forward and backward of a whole model, all memory shifted.
PassResult Pass(const ModelTable& table, int threads, int64_t shift) {
  const int threads_before = at::get_num_threads();
  at::set_num_threads(threads);
  const ModelLayers layers = *ModelLayers::Build(table, KnownLayers());
  Tensors flats, gradients;
  for (const at::Tensor& flat : RandomFlats(table, 1)) {
    const bool is_frozen = table.parameter_blocks[flats.size()].frozen;
    flats.push_back(Shifted(flat, shift));
    gradients.push_back(is_frozen ? at::Tensor()
                                  : Shifted(at::full_like(flat, 9.0f), shift));
  }
  const auto flats_of = [&table](int layer, const Tensors& all) {
    Tensors some;
    for (int block : table.layers[layer].parameter_blocks) {
      some.push_back(all[block]);
    }
    return some;
  };
  const auto move = [shift](const Tensors& tensors) {
    Tensors moved;
    for (const at::Tensor& tensor : tensors) {
      moved.push_back(
          Shifted(tensor.reshape({-1}), shift).view(tensor.sizes()));
    }
    return moved;
  };

  LayerInput input;
  input.micro_batch = RandomMicroBatch(table.vocabulary_size, kSequences,
                                       table.longest_context, 5);
  std::vector<Tape> tapes;
  for (int layer = 0; layer < table.layer_count(); ++layer) {
    input.flats = flats_of(layer, flats);
    tapes.push_back(layers.layer(layer).Record(input));
    input.boundary.clear();
    for (const at::Tensor& output : tapes.back().outputs) {
      input.boundary.push_back(output.detach());
    }
    input.boundary = move(input.boundary);
  }
  LayerGradients made;
  PassResult result;
  const int first = table.FirstTrainedLayer();
  for (int layer = table.layer_count() - 1; layer >= first; --layer) {
    made =
        layers.layer(layer).Backward(std::move(tapes[layer]), move(made.inputs),
                                     flats_of(layer, gradients), false);
    result.loss += made.loss.loss_sum;
  }
  if (made.rows.has_value()) {
    AddRowGradients(*made.rows, 0, table.vocabulary_size,
                    TensorViews(table.parameter_blocks[0], gradients[0])[0]);
  }
  result.gradients = std::move(gradients);
  at::set_num_threads(threads_before);
  return result;
}

// With a pass of one thread, in memory that is not shifted.
void ExpectSameBits(const ModelTable& table, const PassResult& actual) {
  const PassResult expected = Pass(table, 1, 0);
  EXPECT_EQ(actual.loss, expected.loss);
  for (size_t i = 0; i < table.parameter_blocks.size(); ++i) {
    const ParameterBlock& block = table.parameter_blocks[i];
    const auto actual_views = TensorViews(block, actual.gradients[i]);
    const auto expected_views = TensorViews(block, expected.gradients[i]);
    for (size_t j = 0; j < actual_views.size() && !block.frozen; ++j) {
      EXPECT_TRUE(actual_views[j].equal(expected_views[j]))
          << block.tensors[j].name;
    }
  }
}

class WholePassTest : public testing::TestWithParam<double> {
 protected:
  static ModelTable Table(int64_t context = kContext) {
    return BuildGpt2Table(Config(GetParam(), context));
  }
};

INSTANTIATE_TEST_SUITE_P(Dropout, WholePassTest, testing::Values(0.0, 0.1));

TEST_P(WholePassTest, RepeatsItsBits) {
  ExpectSameBits(Table(), Pass(Table(), 1, 0));
}

TEST_P(WholePassTest, TwoThreadsGiveTheSameBits) {
  ExpectSameBits(Table(), Pass(Table(), 2, 0));
}

TEST_P(WholePassTest, ThreeThreadsGiveTheSameBits) {
  ExpectSameBits(Table(), Pass(Table(), 3, 0));
}

TEST_P(WholePassTest, NoContextMakesBitsDependOnThreads) {
  for (int64_t context : {17, 100}) {
    for (int threads : {2, 3}) {
      SCOPED_TRACE(absl::StrCat("context ", context, ", threads ", threads));
      ExpectSameBits(Table(context), Pass(Table(context), threads, 0));
    }
  }
}

TEST_P(WholePassTest, AnyAlignmentOfOperandsGivesTheSameBits) {
  // Slots and ranges begin at multiples of 64 bytes.
  ExpectSameBits(Table(), Pass(Table(), 1, 16));
  ExpectSameBits(Table(), Pass(Table(), 1, 48));
}

// The parameters: family and dropout.
class WholeLlamaPassTest
    : public testing::TestWithParam<std::tuple<LlamaFamily, double>> {
 protected:
  static ModelTable Table() {
    LlamaConfig config =
        TinyLlamaConfig(std::get<0>(GetParam()), std::get<1>(GetParam()));
    config.vocab_size = 3001;
    config.max_position_embeddings = kContext;
    config.hidden_size = 96;
    config.intermediate_size = 3 * 96;
    config.head_dim = 16;
    return BuildLlamaTable(config);
  }
};

INSTANTIATE_TEST_SUITE_P(Families, WholeLlamaPassTest,
                         testing::Combine(testing::Values(LlamaFamily::kLlama,
                                                          LlamaFamily::kQwen2,
                                                          LlamaFamily::kQwen3),
                                          testing::Values(0.0, 0.1)));

TEST_P(WholeLlamaPassTest, RepeatsItsBits) {
  ExpectSameBits(Table(), Pass(Table(), 1, 0));
}

TEST_P(WholeLlamaPassTest, AnyNumberOfThreadsGivesTheSameBits) {
  for (int threads : {2, 3, 7}) {
    SCOPED_TRACE(threads);
    ExpectSameBits(Table(), Pass(Table(), threads, 0));
  }
}

TEST_P(WholeLlamaPassTest, AnyAlignmentOfOperandsGivesTheSameBits) {
  ExpectSameBits(Table(), Pass(Table(), 1, 16));
  ExpectSameBits(Table(), Pass(Table(), 1, 48));
}

// A rank of one makes products of a matrix and a vector.
TEST(WholeAdaptedPassTest, AnyNumberOfThreadsAndAlignmentGivesTheSameBits) {
  for (const int64_t r : {1, 8}) {
    SCOPED_TRACE(r);
    LoraConfig lora;
    lora.r = r;
    lora.lora_alpha = 16;
    lora.lora_dropout = 0.1;
    lora.target_modules = {kAllLinear};
    const ModelTable table =
        WithLora(BuildGpt2Table(Config(/*dropout=*/0.1, kContext)), lora)
            .value();
    for (int threads : {2, 3, 7}) {
      SCOPED_TRACE(threads);
      ExpectSameBits(table, Pass(table, threads, 0));
    }
    ExpectSameBits(table, Pass(table, 1, 16));
    ExpectSameBits(table, Pass(table, 1, 48));
  }
}

TEST(ModelLayersTest, LayersTakeTheirBlocksFromTheTable) {
  Gpt2Config config = TinyConfig();
  config.tie_word_embeddings = false;
  const ModelTable table = BuildGpt2Table(config);
  const ModelLayers layers = *ModelLayers::Build(table, KnownLayers());
  const Tensors flats = RandomFlats(table, 1);
  LayerInput input;
  input.micro_batch = RandomMicroBatch(table.vocabulary_size, 2, 10, 2);
  LayerOutput output;
  for (int layer = 0; layer < table.layer_count(); ++layer) {
    input.flats.clear();
    for (int block : table.layers[layer].parameter_blocks) {
      input.flats.push_back(flats[block]);
    }
    output = layers.layer(layer).Forward(input);
    input.boundary = output.boundary;
  }
  EXPECT_EQ(output.loss.tokens, 20);
  // Random weights know nothing: about ln(vocabulary) for each token.
  EXPECT_NEAR(output.loss.loss_sum / 20, std::log(97), 0.2);
}

TEST(ModelLayersTest, AnOpThatNobodyComputesIsNamed) {
  ModelTable table = BuildGpt2Table(TinyConfig());
  table.layers[2].op = "gpt3.block";
  const absl::Status status = ModelLayers::Build(table, KnownLayers()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(status.message(),
            "layer 2 is a \"gpt3.block\", which this worker cannot compute");
}

TEST(ModelLayersTest, AnEntryThatItsOpDoesNotTakeIsNamed) {
  ModelTable table = BuildGpt2Table(TinyConfig());
  table.layers[1].attributes.clear();
  const absl::Status status = ModelLayers::Build(table, KnownLayers()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.message().find("layer 1 (gpt2.block): "), 0);
}

}  // namespace
}  // namespace hydra
