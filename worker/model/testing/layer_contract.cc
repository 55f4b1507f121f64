#include "worker/model/testing/layer_contract.h"

#include <utility>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/rand.h"
#include "ATen/ops/zeros.h"
#include "c10/core/GradMode.h"
#include "common/model/frozen_layers.h"
#include "common/model/frozen_type.h"
#include "common/model/product_type.h"
#include "common/model/trained_type.h"
#include "common/model/two_byte_block.h"
#include "torch/csrc/autograd/autograd.h"
#include "worker/device/testing/test_device.h"
#include "worker/model/block_views.h"
#include "worker/model/element_type.h"
#include "worker/model/row_gradients.h"
#include "worker/model/test_models.h"
#include "worker/model/testing/held_rows.h"

namespace hydra {
namespace {

constexpr int64_t kDeviceBytes = int64_t{64} << 20;

at::Tensor Leaf(const at::Tensor& tensor) {
  const at::Tensor leaf = tensor.detach().clone();
  return leaf.is_floating_point() ? leaf.requires_grad_() : leaf;
}

LayerInput InputOf(const LayerCase& layer_case) {
  LayerInput input =
      RandomInput(layer_case.table, layer_case.layer, layer_case.sequences,
                  layer_case.context, /*seed=*/1);
  input.micro_batch.label_smoothing = layer_case.label_smoothing;
  return input;
}

bool SameBits(const Tensors& a, const Tensors& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].defined() != b[i].defined()) return false;
    if (a[i].defined() && !a[i].equal(b[i])) return false;
  }
  return true;
}

LayerContext ContextOf(const ModelTable& table, int layer) {
  LayerContext context{table.layers[layer], {}, layer};
  for (int block : context.entry.parameter_blocks) {
    context.blocks.push_back(table.parameter_blocks[block]);
  }
  return context;
}

Tensors CopiesOf(const Tensors& tensors) {
  Tensors copies;
  for (const at::Tensor& tensor : tensors) {
    copies.push_back(tensor.defined() ? tensor.clone() : tensor);
  }
  return copies;
}

}  // namespace

LayerCase InTwoBytes(LayerCase layer_case, ElementType type) {
  layer_case.name +=
      type == ElementType::kBFloat16 ? "InBFloat16" : "InFloat16";
  layer_case.table = WithFrozenType(std::move(layer_case.table), type);
  return layer_case;
}

LayerCase InInt8(LayerCase layer_case) {
  layer_case.name += "InInt8";
  layer_case.table =
      WithFrozenType(std::move(layer_case.table), ElementType::kInt8);
  return layer_case;
}

LayerCase FrozenInPart(LayerCase layer_case, const std::string& what,
                       const std::vector<std::string>& patterns) {
  layer_case.name += "FrozenInPart" + what;
  layer_case.table = WithFrozen(std::move(layer_case.table), patterns).value();
  // The block's largest gradients may be those that are not made.
  if (layer_case.tolerance > 0) layer_case.tolerance *= 5;
  return layer_case;
}

LayerCase WithMasters(LayerCase layer_case) {
  layer_case.name += "WithMasters";
  layer_case.table =
      WithTrainedType(std::move(layer_case.table), ElementType::kBFloat16);
  return layer_case;
}

LayerCase WithRoundedProducts(LayerCase layer_case, ElementType type) {
  layer_case.name +=
      type == ElementType::kFloat16 ? "RoundedToHalf" : "Rounded";
  layer_case.table = WithProductType(std::move(layer_case.table), type);
  // As many digits as bfloat16 has, several times over.
  layer_case.tolerance = 0.05;
  return layer_case;
}

std::ostream& operator<<(std::ostream& out, const LayerCase& layer_case) {
  return out << layer_case.name;
}

std::string LayerCaseName(const testing::TestParamInfo<LayerCase>& info) {
  return info.param.name;
}

LayerContractTest::LayerContractTest()
    : device_(NewTestDevice(kDeviceBytes)),
      table_(GetParam().table),
      entry_(table_.layers[GetParam().layer]),
      blocks_(ContextOf(table_, GetParam().layer)),
      layer_(GetParam()
                 .registry->Make(table_, GetParam().layer, GetParam().code)
                 .value()),
      host_input_(InputOf(GetParam())),
      input_(host_input_) {
  const c10::Device there = device_->torch_device();
  MicroBatch& batch = input_.micro_batch;
  for (at::Tensor* fed : {&batch.tokens, &batch.targets, &batch.lengths,
                          &batch.token_types, &batch.examples}) {
    if (fed->defined()) *fed = fed->to(there);
  }
  for (at::Tensor& tensor : input_.boundary) tensor = tensor.to(there);
  for (size_t i = 0; i < input_.flats.size(); ++i) {
    if (!Gathers(i)) input_.flats[i] = input_.flats[i].to(there);
  }
  for (const BoundaryTensor& tensor : entry_.outputs) {
    output_gradients_.push_back(
        tensor.type == ElementType::kFloat32
            ? RandomTensor(
                  tensor.ShapeOf(GetParam().sequences, GetParam().context), 2)
                  .to(there)
            : at::Tensor());
  }
}

const ParameterBlock& LayerContractTest::Block(size_t i) const {
  return table_.parameter_blocks[entry_.parameter_blocks[i]];
}

bool LayerContractTest::Gathers(size_t i) const {
  return Block(i).gathered_by(GetParam().layer);
}

Tensors LayerContractTest::FreshFlats() const {
  Tensors flats;
  for (size_t i = 0; i < entry_.parameter_blocks.size(); ++i) {
    flats.push_back(Gathers(i) || !IsTrained(i)
                        ? at::Tensor()
                        : GarbageFlat(Block(i)).to(device_->torch_device()));
  }
  return flats;
}

Tensors LayerContractTest::HostParameters() const {
  Tensors parameters;
  for (size_t i = 0; i < blocks_.size(); ++i) {
    for (at::Tensor& view : blocks_.WidenedViews(i, host_input_.flats)) {
      parameters.push_back(std::move(view));
    }
  }
  return parameters;
}

LayerContractTest::Gradients LayerContractTest::Differentiate(
    Tensors flats, bool accumulate) const {
  return Differentiate(input_, std::move(flats), accumulate);
}

LayerContractTest::Gradients LayerContractTest::Differentiate(
    const LayerInput& input, Tensors flats, bool accumulate) const {
  Gradients gradients;
  gradients.made = layer_->Backward(layer_->Record(input), output_gradients_,
                                    flats, accumulate);
  gradients.flats = std::move(flats);
  return gradients;
}

at::Tensor LayerContractTest::WithoutStatistics(size_t i,
                                                const at::Tensor& flat) const {
  const at::Tensor copy = flat.clone();
  const Tensors views = TensorViews(Block(i), copy);
  for (size_t j = 0; j < views.size(); ++j) {
    if (Block(i).tensors[j].use != TensorUse::kParameter) views[j].zero_();
  }
  return copy;
}

at::Tensor LayerContractTest::StatisticsAlone(size_t i,
                                              const at::Tensor& flat) const {
  return flat - WithoutStatistics(i, flat);
}

LayerContractTest::Gradients LayerContractTest::Plain() const {
  const at::AutoGradMode grad(true);
  Tensors parameters, inputs, roots, root_gradients;
  for (const at::Tensor& tensor : HostParameters()) {
    parameters.push_back(Leaf(tensor));
  }
  for (const at::Tensor& tensor : host_input_.boundary) {
    inputs.push_back(Leaf(tensor));
  }
  const Tensors outputs =
      GetParam().plain(parameters, inputs, host_input_.micro_batch);
  Gradients gradients;
  if (entry_.outputs.empty()) {
    gradients.made.loss = {outputs.front().item<double>(),
                           input_.micro_batch.target_count()};
    (outputs.front() * input_.micro_batch.gradient_scale).backward();
  } else {
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!outputs[i].requires_grad()) continue;
      roots.push_back(outputs[i]);
      root_gradients.push_back(output_gradients_[i].cpu());
    }
    if (!roots.empty()) torch::autograd::backward(roots, root_gradients);
  }
  for (size_t i = 0; i < entry_.parameter_blocks.size(); ++i) {
    gradients.flats.push_back(
        IsTrained(i) ? at::zeros({Block(i).element_count()}) : at::Tensor());
  }
  size_t next = 0;
  for (size_t i = 0; i < blocks_.size(); ++i) {
    for (const at::Tensor& view : blocks_.Views(i, gradients.flats)) {
      if (view.defined()) view.copy_(parameters[next].grad());
      ++next;
    }
  }
  for (const at::Tensor& input : inputs) {
    gradients.made.inputs.push_back(input.grad());
  }
  return gradients;
}

Tensors LayerContractTest::WithRows(const Gradients& gradients) const {
  Tensors flats = gradients.flats;
  for (size_t i = 0; i < flats.size(); ++i) {
    if (!Gathers(i) || !IsTrained(i)) continue;
    flats[i] = at::zeros({Block(i).element_count()});
    const at::Tensor rows = TensorViews(Block(i), flats[i]).front();
    const RowGradients& made = gradients.made.rows.value();
    AddRowGradients({made.rows.cpu(), made.gradients.cpu()}, 0, rows.size(0),
                    rows);
  }
  return flats;
}

void LayerContractTest::ExpectClose(const Tensors& actual,
                                    const Tensors& expected,
                                    double tolerance) const {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    SCOPED_TRACE(i);
    ASSERT_EQ(actual[i].defined(), expected[i].defined());
    if (!actual[i].defined()) continue;
    const at::Tensor on_host = actual[i].cpu();
    if (tolerance == 0) {
      EXPECT_TRUE(on_host.equal(expected[i]));
    } else {
      EXPECT_LT(RelativeDifference(on_host, expected[i]), tolerance);
    }
  }
}

TEST_P(LayerContractTest, MakesTheBoundaryOfItsTable) {
  const LayerOutput output = layer_->Forward(input_);
  ASSERT_EQ(output.boundary.size(), entry_.outputs.size());
  for (size_t i = 0; i < output.boundary.size(); ++i) {
    const BoundaryTensor& wanted = entry_.outputs[i];
    EXPECT_EQ(output.boundary[i].sizes(),
              at::IntArrayRef(
                  wanted.ShapeOf(GetParam().sequences, GetParam().context)));
    EXPECT_EQ(output.boundary[i].scalar_type(),
              wanted.type == ElementType::kFloat32 ? at::kFloat : at::kLong);
    EXPECT_EQ(output.boundary[i].device(), device_->torch_device());
    EXPECT_FALSE(output.boundary[i].requires_grad());
  }
  EXPECT_EQ(output.loss.tokens,
            entry_.outputs.empty() ? input_.micro_batch.target_count() : 0);
}

TEST_P(LayerContractTest, TheSameInputGivesTheSameBits) {
  const LayerOutput first = layer_->Forward(input_);
  const Gradients first_gradients = Differentiate(FreshFlats(), false);
  at::rand({1000});  // Whatever else drew numbers meanwhile.
  const LayerOutput again = layer_->Forward(input_);
  const Gradients again_gradients = Differentiate(FreshFlats(), false);
  EXPECT_TRUE(SameBits(again.boundary, first.boundary));
  EXPECT_EQ(again.loss.loss_sum, first.loss.loss_sum);
  EXPECT_TRUE(SameBits(again_gradients.flats, first_gradients.flats));
  EXPECT_TRUE(
      SameBits(again_gradients.made.inputs, first_gradients.made.inputs));
}

TEST_P(LayerContractTest, RecordingGivesTheBitsOfForward) {
  const LayerOutput forward = layer_->Forward(input_);
  if (!entry_.outputs.empty()) {
    EXPECT_TRUE(SameBits(layer_->Record(input_).outputs, forward.boundary));
  }
  const Gradients gradients = Differentiate(FreshFlats(), false);
  EXPECT_EQ(gradients.made.loss.loss_sum, forward.loss.loss_sum);
  EXPECT_EQ(gradients.made.loss.tokens, forward.loss.tokens);
}

TEST_P(LayerContractTest, OutputsAreThoseOfThePlainComputation) {
  if (entry_.outputs.empty()) GTEST_SKIP() << "its loss is looked at below";
  const at::NoGradGuard no_grad;
  ExpectClose(layer_->Forward(input_).boundary,
              GetParam().plain(HostParameters(), host_input_.boundary,
                               host_input_.micro_batch),
              GetParam().tolerance);
}

TEST_P(LayerContractTest, GradientsAreThoseOfThePlainComputation) {
  const Gradients actual = Differentiate(FreshFlats(), false);
  const Gradients expected = Plain();
  for (const at::Tensor& input : actual.made.inputs) {
    if (!input.defined()) continue;
    EXPECT_EQ(input.device(), device_->torch_device());
  }
  ExpectClose(WithRows(actual), expected.flats, GetParam().tolerance);
  ExpectClose(actual.made.inputs, expected.made.inputs, GetParam().tolerance);
  if (entry_.outputs.empty()) {
    EXPECT_NEAR(actual.made.loss.loss_sum / expected.made.loss.loss_sum, 1,
                GetParam().tolerance > 1e-3 ? GetParam().tolerance : 1e-6);
  }
}

TEST_P(LayerContractTest, BackwardOverwritesAllOfTheFlats) {
  const Gradients gradients = Differentiate(FreshFlats(), false);
  for (size_t i = 0; i < gradients.flats.size(); ++i) {
    if (Gathers(i)) {
      EXPECT_FALSE(gradients.flats[i].defined());
      EXPECT_EQ(gradients.made.rows.has_value(), IsTrained(i));
      continue;
    }
    if (!IsTrained(i)) {
      EXPECT_FALSE(gradients.flats[i].defined());
      continue;
    }
    EXPECT_TRUE(
        PaddingOf(Block(i), gradients.flats[i].cpu()).eq(0).all().item<bool>());
  }
}

TEST_P(LayerContractTest, BackwardAddsIfToldToAccumulate) {
  const Gradients once = Differentiate(FreshFlats(), false);
  const Gradients twice = Differentiate(CopiesOf(once.flats), true);
  for (size_t i = 0; i < once.flats.size(); ++i) {
    if (Gathers(i) || !IsTrained(i)) continue;
    EXPECT_LT(RelativeDifference(WithoutStatistics(i, twice.flats[i]),
                                 WithoutStatistics(i, once.flats[i]) * 2),
              1e-6);
  }
  EXPECT_TRUE(SameBits(twice.made.inputs, once.made.inputs));
}

// Micro-batch after micro-batch: the next one goes on from what the one before
// made, as if the step began with that.
TEST_P(LayerContractTest, WhatIsNoParameterGoesOnFromTheMicroBatchBefore) {
  LayerInput next = input_;
  const Gradients once = Differentiate(FreshFlats(), false);
  bool has_any = false;
  for (size_t i = 0; i < once.flats.size(); ++i) {
    if (!IsTrained(i) || !Block(i).has_statistics()) continue;
    has_any = true;
    next.flats[i] = WithoutStatistics(i, input_.flats[i])
                        .add_(StatisticsAlone(i, once.flats[i]));
  }
  if (!has_any) GTEST_SKIP() << "all are parameters, or frozen";
  const Gradients expected = Differentiate(next, FreshFlats(), false);
  const Gradients twice = Differentiate(CopiesOf(once.flats), true);
  for (size_t i = 0; i < once.flats.size(); ++i) {
    if (!IsTrained(i) || !Block(i).has_statistics()) continue;
    const at::Tensor statistics = StatisticsAlone(i, twice.flats[i]);
    EXPECT_TRUE(statistics.equal(StatisticsAlone(i, expected.flats[i])));
    EXPECT_FALSE(statistics.equal(StatisticsAlone(i, once.flats[i])));
  }
}

TEST_P(LayerContractTest, ABlockThatComesInRangesGivesTheSameBits) {
  if (entry_.streamed_block < 0) return;
  const size_t streamed = entry_.streamed_block;
  Gradients whole = Differentiate(FreshFlats(), false);
  whole = Differentiate(std::move(whole.flats), true);

  Tensors flats = FreshFlats();
  if (IsTrained(streamed)) flats[streamed].zero_();
  // It would die if it was asked for a gradient that has no place.
  HeldRows rows(Block(streamed), input_.flats[streamed], flats[streamed]);
  input_.rows = &rows;
  input_.flats[streamed] = at::Tensor();
  EXPECT_EQ(layer_->Forward(input_).loss.loss_sum, whole.made.loss.loss_sum);
  Tensors given = flats;
  given[streamed] = at::Tensor();
  Differentiate(given, false);
  const Gradients gradients = Differentiate(given, true);
  EXPECT_TRUE(SameBits(flats, whole.flats));
  EXPECT_TRUE(SameBits(gradients.made.inputs, whole.made.inputs));
  EXPECT_EQ(gradients.made.loss.loss_sum, whole.made.loss.loss_sum);
}

TEST_P(LayerContractTest, ElementsOfFewerBytesAreAsGoodAsTheSameOfFour) {
  ModelTable wide_table = table_;
  LayerInput wide_input = input_;
  bool has_any = false;
  for (size_t i = 0; i < entry_.parameter_blocks.size(); ++i) {
    ParameterBlock& block =
        wide_table.parameter_blocks[entry_.parameter_blocks[i]];
    if (block.type == ElementType::kFloat32) continue;
    has_any = true;
    if (block.type == ElementType::kInt8) {
      const Tensors views = TensorViews(block, input_.flats[i]);
      LayOutAs(ElementType::kFloat32, block);
      wide_input.flats[i] = at::zeros(
          {block.element_count()}, input_.flats[i].options().dtype(at::kFloat));
      const Tensors wide_views = TensorViews(block, wide_input.flats[i]);
      for (size_t j = 0; j < views.size(); ++j) {
        wide_views[j].copy_(Widened(views[j]));
      }
      continue;
    }
    block.type = ElementType::kFloat32;
    block.size_bytes *= 2;
    for (TensorEntry& tensor : block.tensors) tensor.offset_bytes *= 2;
    wide_input.flats[i] = Widened(input_.flats[i]);
  }
  if (!has_any) GTEST_SKIP() << "all have four";
  const auto wide =
      GetParam()
          .registry->Make(wide_table, GetParam().layer, GetParam().code)
          .value();
  const LayerOutput expected = wide->Forward(wide_input);
  const LayerOutput output = layer_->Forward(input_);
  EXPECT_TRUE(SameBits(output.boundary, expected.boundary));
  EXPECT_EQ(output.loss.loss_sum, expected.loss.loss_sum);

  const Gradients gradients = Differentiate(FreshFlats(), false);
  const Tensors flats = FreshFlats();
  const LayerGradients made =
      wide->Backward(wide->Record(wide_input), output_gradients_, flats, false);
  EXPECT_TRUE(SameBits(gradients.flats, flats));
  EXPECT_TRUE(SameBits(gradients.made.inputs, made.inputs));
}

TEST_P(LayerContractTest, GradientModeOfTheCallerDoesNotMatter) {
  const Gradients expected = Differentiate(FreshFlats(), false);
  const at::NoGradGuard no_grad;
  const Gradients gradients = Differentiate(FreshFlats(), false);
  EXPECT_TRUE(SameBits(gradients.flats, expected.flats));
  EXPECT_TRUE(SameBits(gradients.made.inputs, expected.made.inputs));
  EXPECT_FALSE(at::GradMode::is_enabled());
}

TEST_P(LayerContractTest, TheCallersTensorsStayAsTheyAre) {
  const Tensors flats = CopiesOf(input_.flats);
  const Tensors boundary = CopiesOf(input_.boundary);
  const Tensors output_gradients = CopiesOf(output_gradients_);
  layer_->Forward(input_);
  Differentiate(FreshFlats(), false);
  EXPECT_TRUE(SameBits(input_.flats, flats));
  EXPECT_TRUE(SameBits(input_.boundary, boundary));
  EXPECT_TRUE(SameBits(output_gradients_, output_gradients));
  for (const Tensors& tensors : {input_.flats, input_.boundary}) {
    for (const at::Tensor& tensor : tensors) {
      EXPECT_FALSE(tensor.requires_grad());
    }
  }
}

}  // namespace hydra
