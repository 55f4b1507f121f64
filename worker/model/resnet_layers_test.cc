// ResNet's layers keep the contract of all layers; and evaluations, and what is
// frozen, compute with what batch norms remember.

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/batch_norm.h"
#include "ATen/ops/conv2d.h"
#include "ATen/ops/cross_entropy_loss.h"
#include "ATen/ops/max_pool2d.h"
#include "ATen/ops/relu.h"
#include "ATen/ops/var.h"
#include "c10/util/Exception.h"
#include "common/model/resnet_table.h"
#include "gtest/gtest.h"
#include "worker/model/block_views.h"
#include "worker/model/known_layers.h"
#include "worker/model/test_models.h"
#include "worker/model/testing/layer_contract.h"

namespace hydra {
namespace {

using Channels = std::vector<int64_t>;

// Numbers of a block's batch norms.
using Norms = std::set<int>;

// Those of all blocks.
const Norms kAllNorms = {0, 1, 2, 3};

// transformers' convolutions and batch norms, of a block's tensors from the
// first on. In training, the norms but those that are `constant` have the
// images' own statistics.
class PlainConvolutions {
 public:
  PlainConvolutions(const Tensors& parameters, bool training, Norms constant)
      : parameters_(parameters),
        training_(training),
        constant_(std::move(constant)) {}

  at::Tensor Next(const at::Tensor& images, int64_t stride) {
    const at::Tensor* const own =
        &parameters_[next_ * resnet::kTensorsOfConvolution];
    const bool own_statistics = training_ && constant_.count(next_) == 0;
    ++next_;
    const int64_t padding = own[0].size(2) / 2;
    const at::Tensor made =
        at::conv2d(images, own[0], /*bias=*/{}, Channels{stride, stride},
                   Channels{padding, padding});
    if (!own_statistics) {
      return at::batch_norm(made, own[1], own[2], own[3].detach(),
                            own[4].detach(), /*training=*/false,
                            resnet::kMomentum, resnet::kEpsilon,
                            /*cudnn_enabled=*/false);
    }
    Remember(made.detach(), own);
    return at::batch_norm(made, own[1], own[2], /*running_mean=*/{},
                          /*running_var=*/{}, /*training=*/true,
                          resnet::kMomentum, resnet::kEpsilon,
                          /*cudnn_enabled=*/false);
  }

 private:
  static void Remember(const at::Tensor& made, const at::Tensor* own) {
    if (!own[3].requires_grad()) return;
    const Channels others = {0, 2, 3};
    own[3].mutable_grad() = own[3].detach() * (1 - resnet::kMomentum) +
                            made.mean(others) * resnet::kMomentum;
    own[4].mutable_grad() =
        own[4].detach() * (1 - resnet::kMomentum) +
        at::var(made, others, /*unbiased=*/true) * resnet::kMomentum;
    own[5].mutable_grad() = own[5].detach() + 1;
  }

  const Tensors& parameters_;
  const bool training_;
  const Norms constant_;
  int next_ = 0;
};

// `constant`: norms for which that is frozen which they remember.
LayerCase Embedder(const ResnetConfig& config, bool frozen = false,
                   Norms constant = {}) {
  if (frozen) constant = kAllNorms;
  LayerCase embedder;
  embedder.name = frozen ? "EmbedderFrozen" : "Embedder";
  embedder.table = BuildResnetTable(config);
  embedder.table.parameter_blocks[0].frozen = frozen;
  embedder.registry = &KnownLayers();
  embedder.plain = [config, constant](const Tensors& parameters, const Tensors&,
                                      const MicroBatch& batch) -> Tensors {
    const at::Tensor images =
        batch.examples.view({batch.sequences(), config.num_channels,
                             config.image_height, config.image_width});
    PlainConvolutions convolutions(parameters, batch.training, constant);
    return {at::max_pool2d(at::relu(convolutions.Next(images, 2)),
                           Channels{3, 3}, Channels{2, 2}, Channels{1, 1})};
  };
  embedder.tolerance = 1e-5;
  return embedder;
}

LayerCase Block(const std::string& name, const ResnetConfig& config, int layer,
                bool frozen = false, Norms constant = {}) {
  if (frozen) constant = kAllNorms;
  LayerCase block;
  block.name = frozen ? name + "Frozen" : name;
  block.table = BuildResnetTable(config);
  block.table.parameter_blocks[layer].frozen = frozen;
  block.layer = layer;
  block.registry = &KnownLayers();
  const auto& attributes = block.table.layers[layer].attributes;
  const auto stride = static_cast<int64_t>(attributes.at(resnet::kStride));
  const bool has_shortcut =
      stride != 1 ||
      attributes.at(resnet::kInChannels) != attributes.at(resnet::kOutChannels);
  block.plain = [config, constant, stride, has_shortcut](
                    const Tensors& parameters, const Tensors& inputs,
                    const MicroBatch& batch) -> Tensors {
    const at::Tensor& input = inputs.front();
    PlainConvolutions convolutions(parameters, batch.training, constant);
    const at::Tensor residual =
        has_shortcut ? convolutions.Next(input, stride) : input;
    at::Tensor hidden;
    if (config.is_bottleneck) {
      const bool first = config.downsample_in_bottleneck;
      hidden = at::relu(convolutions.Next(input, first ? stride : 1));
      hidden = at::relu(convolutions.Next(hidden, first ? 1 : stride));
      hidden = convolutions.Next(hidden, 1);
    } else {
      hidden = at::relu(convolutions.Next(input, stride));
      hidden = convolutions.Next(hidden, 1);
    }
    return {at::relu(hidden + residual)};
  };
  block.tolerance = 1e-5;
  return block;
}

LayerCase Head(const ResnetConfig& config, bool frozen = false) {
  LayerCase head;
  head.name = frozen ? "HeadFrozen" : "Head";
  head.table = BuildResnetTable(config);
  head.layer = head.table.layer_count() - 1;
  head.table.parameter_blocks[head.layer].frozen = frozen;
  head.registry = &KnownLayers();
  head.plain = [](const Tensors& parameters, const Tensors& inputs,
                  const MicroBatch& batch) -> Tensors {
    const at::Tensor logits =
        inputs.front().mean(Channels{2, 3}).mm(parameters[0].t()) +
        parameters[1];
    return {at::cross_entropy_loss(logits, batch.Targets().reshape({-1}), {},
                                   at::Reduction::Sum)};
  };
  head.tolerance = 2e-6;
  head.sequences = 9;
  return head;
}

// Images of so many pixels, in both directions.
ResnetConfig OfSize(int64_t side) {
  ResnetConfig config = TinyResnetConfig();
  config.image_height = side;
  config.image_width = side;
  return config;
}

std::vector<LayerCase> Cases() {
  const ResnetConfig basic = TinyResnetConfig();
  const ResnetConfig bottleneck = TinyResnetConfig(/*is_bottleneck=*/true);
  ResnetConfig strides_first = bottleneck;
  strides_first.downsample_in_bottleneck = true;
  strides_first.downsample_in_first_stage = true;
  std::vector<LayerCase> cases = {
      Embedder(basic),
      Embedder(basic, /*frozen=*/true),
      Block("Basic", basic, 1),
      Block("BasicShortcut", basic, 2),
      Block("BasicShortcut", basic, 2, /*frozen=*/true),
      Block("BasicOfOnePixel", OfSize(4), 2),
      Block("Bottleneck", bottleneck, 1),
      Block("Bottleneck", bottleneck, 3, /*frozen=*/true),
      Block("BottleneckShortcut", bottleneck, 2),
      Block("BottleneckFirstStage", strides_first, 1),
      Block("BottleneckStridesFirst", strides_first, 2),
      Head(basic),
      Head(basic, /*frozen=*/true)};
  cases.push_back(
      InTwoBytes(Head(basic, /*frozen=*/true), ElementType::kBFloat16));
  // Norms go on to train where their parameters are frozen, and do not where
  // all that they remember is.
  cases.push_back(
      FrozenInPart(Embedder(basic), "NormWeight", {"*.normalization.weight"}));
  cases.push_back(FrozenInPart(Embedder(basic, /*frozen=*/false, kAllNorms),
                               "Norm", {"*.normalization.*"}));
  cases.push_back(InTwoBytes(
      FrozenInPart(Embedder(basic), "Convolution", {"*.convolution.weight"}),
      ElementType::kBFloat16));
  cases.push_back(
      FrozenInPart(Block("BasicShortcut", basic, 2), "NormParameters",
                   {"*.normalization.weight", "*.normalization.bias"}));
  cases.push_back(FrozenInPart(Block("BasicShortcut", basic, 2), "Mean",
                               {"*.running_mean"}));
  cases.push_back(FrozenInPart(Block("BasicShortcut", basic, 2,
                                     /*frozen=*/false, /*constant=*/{0}),
                               "Shortcut", {"*.shortcut.*"}));
  cases.push_back(FrozenInPart(
      Block("Bottleneck", bottleneck, 1, /*frozen=*/false, kAllNorms),
      "Remembered", {"*.running_*", "*.num_batches_tracked"}));
  cases.push_back(InTwoBytes(FrozenInPart(Block("Bottleneck", bottleneck, 1),
                                          "Convolution", {"*.convolution.*"}),
                             ElementType::kFloat16));
  cases.push_back(FrozenInPart(Head(basic), "Weight", {"classifier.*.weight"}));
  for (LayerCase& layer : cases) layer.context = 1;
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Resnet, LayerContractTest, testing::ValuesIn(Cases()),
                         LayerCaseName);

// On the CPU. The parameter: a layer with batch norms.
class ResnetStatisticsTest : public testing::TestWithParam<int> {
 protected:
  LayerInput Input(bool training) const {
    LayerInput input = RandomInput(table_, GetParam(), /*sequences=*/5,
                                   /*context=*/1, /*seed=*/1);
    input.micro_batch.training = training;
    return input;
  }

  std::unique_ptr<Layer> Make() const {
    return KnownLayers().Make(table_, GetParam()).value();
  }

  // Changes what batch norms remember.
  void Change(LayerInput& input) const {
    const ParameterBlock& block = table_.parameter_blocks[GetParam()];
    input.flats.front() = input.flats.front().clone();
    const Tensors views = TensorViews(block, input.flats.front());
    for (size_t i = 0; i < views.size(); ++i) {
      if (block.tensors[i].use == TensorUse::kStatistic) views[i].add_(0.5);
    }
  }

  ModelTable table_ = BuildResnetTable(TinyResnetConfig());
};

INSTANTIATE_TEST_SUITE_P(Layers, ResnetStatisticsTest, testing::Range(0, 4));

TEST_P(ResnetStatisticsTest, CountInEvaluationsAlone) {
  for (bool training : {false, true}) {
    LayerInput input = Input(training);
    const at::Tensor before = Make()->Forward(input).boundary.front();
    Change(input);
    EXPECT_EQ(Make()->Forward(input).boundary.front().equal(before), training);
  }
}

TEST_P(ResnetStatisticsTest, AFrozenLayerTrainsAsItIsEvaluated) {
  table_.parameter_blocks[GetParam()].frozen = true;
  EXPECT_TRUE(Make()
                  ->Forward(Input(/*training=*/true))
                  .boundary.front()
                  .equal(Make()->Forward(Input(false)).boundary.front()));
}

TEST_P(ResnetStatisticsTest, AnImageIsEvaluatedByItself) {
  const LayerInput all = Input(/*training=*/false);
  const at::Tensor expected = Make()->Forward(all).boundary.front();
  for (int64_t i = 0; i < 5; ++i) {
    LayerInput one = all;
    one.micro_batch.examples = all.micro_batch.examples.narrow(0, i, 1);
    one.micro_batch.targets = all.micro_batch.targets.narrow(0, i, 1);
    for (at::Tensor& tensor : one.boundary) tensor = tensor.narrow(0, i, 1);
    EXPECT_TRUE(
        Make()->Forward(one).boundary.front().equal(expected.narrow(0, i, 1)));
  }
}

TEST(ResnetBlockTest, OneValueOfAChannelIsNothingToTrainWith) {
  const ModelTable table = BuildResnetTable(OfSize(4));
  const LayerInput input = RandomInput(table, 2, /*sequences=*/1,
                                       /*context=*/1, /*seed=*/1);
  const auto layer = KnownLayers().Make(table, 2).value();
  EXPECT_THROW(layer->Forward(input), c10::Error);
  LayerInput evaluation = input;
  evaluation.micro_batch.training = false;
  EXPECT_EQ(layer->Forward(evaluation).boundary.front().numel(), 12);
}

}  // namespace
}  // namespace hydra
