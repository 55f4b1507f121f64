// The layers of an exported chain keep the contract of all layers, and are held
// to what their chain says of them.

#include "worker/model/code_layer.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/argmax.h"
#include "ATen/ops/cross_entropy_loss.h"
#include "absl/status/status.h"
#include "common/model/chain_table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/model/known_layers.h"
#include "worker/model/model_layers.h"
#include "worker/model/test_models.h"
#include "worker/model/testing/exported_chain.h"
#include "worker/model/testing/layer_contract.h"
#include "worker/model/testing/script_file.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

LayerCase Case(int layer) {
  LayerCase own;
  own.table = ExportedChainTable();
  own.layer = layer;
  own.name = own.table.layers[layer].kind;
  own.registry = &KnownLayers();
  own.code = ExportedCode(layer);
  own.plain = [layer](const Tensors& parameters, const Tensors& inputs,
                      const MicroBatch& batch) -> Tensors {
    const at::Tensor input =
        layer == 0 ? batch.examples.view({batch.sequences(), 3, 8, 8})
                   : inputs.front();
    const at::Tensor made = PlainExported(layer, parameters, input);
    if (layer + 1 < kExportedLayers) return {made};
    return {at::cross_entropy_loss(made, batch.Targets().reshape({-1}), {},
                                   at::Reduction::Sum, /*ignore_index=*/-100,
                                   batch.label_smoothing)};
  };
  own.tolerance = 2e-6;
  own.sequences = 5;
  own.context = 1;
  return own;
}

LayerCase Frozen(LayerCase layer) {
  layer.name += "Frozen";
  for (ParameterBlock& block : layer.table.parameter_blocks) {
    block.frozen = true;
  }
  return layer;
}

// The matrix that two layers have is frozen, and the rest of them is not.
LayerCase PartlyFrozen(LayerCase layer) {
  layer.name += "PartlyFrozen";
  for (ParameterBlock& block : layer.table.parameter_blocks) {
    block.frozen = block.tied();
  }
  return layer;
}

LayerCase Smoothed(LayerCase head) {
  head.name += "Smoothed";
  head.label_smoothing = 0.1;
  return head;
}

std::vector<LayerCase> Cases() {
  std::vector<LayerCase> cases;
  for (int layer = 0; layer < kExportedLayers; ++layer) {
    cases.push_back(Case(layer));
    cases.push_back(Frozen(Case(layer)));
    cases.push_back(InTwoBytes(Frozen(Case(layer)), ElementType::kBFloat16));
  }
  cases.push_back(PartlyFrozen(Case(1)));
  cases.push_back(PartlyFrozen(Case(2)));
  cases.push_back(FrozenInPart(Case(0), "Weight", {"0.weight"}));
  cases.push_back(FrozenInPart(Case(0), "Bias", {"0.bias"}));
  const LayerCase head = Case(kExportedLayers - 1);
  cases.push_back(FrozenInPart(head, "Bias", {"3.bias"}));
  cases.push_back(InTwoBytes(FrozenInPart(head, "Weight", {"3.weight"}),
                             ElementType::kBFloat16));
  cases.push_back(Smoothed(Case(kExportedLayers - 1)));
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Code, LayerContractTest, testing::ValuesIn(Cases()),
                         LayerCaseName);

// A layer whose code is another one than its entry says.
std::unique_ptr<Layer> With(int layer, std::shared_ptr<const LayerCode> code) {
  return KnownLayers()
      .Make(ExportedChainTable(), layer, std::move(code))
      .value();
}

std::string ErrorOfForward(const Layer& layer, const LayerInput& input) {
  try {
    layer.Forward(input);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

std::shared_ptr<const LayerCode> Gate(const std::string& code) {
  ScriptModule module;
  module.parameters = {{"gain", {}}, {"weight", {8, 8}}};
  module.code = code;
  return LayerCode::Load(ScriptFile(module), "gate.pt").value();
}

TEST(CodeLayerTest, WhatTheCodeMakesIsHeldToTheTable) {
  const LayerInput input = RandomInput(ExportedChainTable(), 2, 3, 1, 1);
  EXPECT_THAT(ErrorOfForward(*With(2, Gate("def forward(self, x):\n"
                                           "  return x * self.gain\n")),
                             input),
              HasSubstr("layer_2.pt makes"));
  EXPECT_THAT(ErrorOfForward(*With(2, Gate("def forward(self, x):\n"
                                           "  return x.flatten(1).double()\n")),
                             input),
              HasSubstr("layer_2.pt makes"));
  EXPECT_THAT(ErrorOfForward(*With(2, Gate("def forward(self, x):\n"
                                           "  x.mul_(2)\n"
                                           "  return x.flatten(1)\n")),
                             input),
              HasSubstr("layer_2.pt writes into"));
}

TEST(CodeLayerTest, WhatLiesColumnByColumnIsHandedOnRowByRow) {
  const ModelTable table = ExportedChainTable();
  const auto layer = KnownLayers().Make(table, 1, ExportedCode(1)).value();
  const LayerInput input = RandomInput(table, 1, 3, 1, 1);
  EXPECT_FALSE(PlainExported(1, {RandomTensor({8, 8}, 1), RandomTensor({8}, 2)},
                             input.boundary.front())
                   .is_contiguous());
  EXPECT_TRUE(layer->Forward(input).boundary.front().is_contiguous());
  EXPECT_TRUE(layer->Record(input).outputs.front().is_contiguous());
}

TEST(CodeHeadTest, CountsWhatIsCorrect) {
  const ModelTable table = ExportedChainTable();
  const int head = kExportedLayers - 1;
  const auto layer =
      KnownLayers().Make(table, head, ExportedCode(head)).value();
  const LayerInput input = RandomInput(table, head, 40, 1, 1);
  const ParameterBlock& block =
      table.parameter_blocks[table.layers[head].parameter_blocks.front()];
  Tensors parameters;
  for (const TensorEntry& tensor : block.tensors) {
    parameters.push_back(
        input.flats.front()
            .narrow(0, block.FirstElement(tensor), tensor.element_count)
            .view(tensor.shape));
  }
  const int64_t correct =
      at::argmax(PlainExported(head, parameters, input.boundary.front()), 1,
                 /*keepdim=*/true)
          .eq(input.micro_batch.Targets())
          .sum()
          .item<int64_t>();
  EXPECT_GT(correct, 0);
  EXPECT_EQ(layer->Forward(input).loss.correct, correct);
}

absl::StatusOr<std::string> OwnFile(const std::string& name) {
  for (int layer = 0; layer < kExportedLayers; ++layer) {
    if (ExportedFileName(layer) == name) return ExportedFile(layer);
  }
  return absl::NotFoundError(name);
}

TEST(ChainLayersTest, AreBuiltOfTheFilesThatTheTableNames) {
  EXPECT_TRUE(
      ModelLayers::Build(ExportedChainTable(), KnownLayers(), OwnFile).ok());
}

TEST(ChainLayersTest, AreNotBuiltWhereNoFileMayBeRead) {
  const absl::Status status =
      ModelLayers::Build(ExportedChainTable(), KnownLayers()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("allow_exported_chains"));
}

TEST(ChainLayersTest, AFileThatChangedIsRefused) {
  const absl::Status status =
      ModelLayers::Build(ExportedChainTable(), KnownLayers(),
                         [](const std::string& name) {
                           absl::StatusOr<std::string> bytes = OwnFile(name);
                           if (name == ExportedFileName(2)) bytes->back() ^= 1;
                           return bytes;
                         })
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("layer_2.pt is not the file that was exported"));
}

TEST(ChainLayersTest, WhatCannotBeReadIsTold) {
  EXPECT_EQ(ModelLayers::Build(
                ExportedChainTable(), KnownLayers(),
                [](const std::string& name) -> absl::StatusOr<std::string> {
                  return absl::NotFoundError(name);
                })
                .status()
                .code(),
            absl::StatusCode::kNotFound);
}

TEST(ChainLayersTest, ParametersThatTheCodeHasNotAreRefused) {
  ModelTable table = ExportedChainTable();
  table.layers[1].file->parameters[1] = {"offset"};
  const absl::Status status =
      ModelLayers::Build(table, KnownLayers(), OwnFile).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no parameter offset"));
}

}  // namespace
}  // namespace hydra
