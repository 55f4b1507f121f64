#include "worker/model/testing/exported_chain.h"

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <random>
#include <utility>
#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/ops/conv2d.h"
#include "ATen/ops/linear.h"
#include "ATen/ops/matmul.h"
#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "common/hash/sha256.h"
#include "common/model/chain_table.h"
#include "common/safetensors/testing/tensor_files.h"
#include "worker/model/testing/script_file.h"

namespace hydra {
namespace {

using Shape = std::vector<int64_t>;

// A parameter: in the module, in the model.
struct Parameter {
  std::string attribute;
  std::string name;
  Shape shape;
};

struct ExportedLayer {
  std::string op;
  std::string code;
  Shape output;
  std::vector<Parameter> parameters;
};

const std::vector<ExportedLayer>& Layers() {
  static const auto& layers = *new std::vector<ExportedLayer>{
      {"Conv2d",
       "def forward(self, x):\n"
       "  return torch.relu(torch.conv2d(x, self.weight, self.bias, [1, 1], "
       "[1, 1]))\n",
       {4, 8, 8},
       {{"weight", "0.weight", {4, 3, 3, 3}}, {"bias", "0.bias", {4}}}},
      {"Mixer",
       "def forward(self, x):\n"
       "  y = torch.tanh(torch.matmul(x, self.weight) + self.bias)\n"
       "  return y.transpose(1, 2)\n",
       {8, 4, 8},
       {{"weight", "mix.weight", {8, 8}}, {"bias", "1.bias", {8}}}},
      {"Gate",
       "def forward(self, x):\n"
       "  return (torch.matmul(x, self.weight) * self.gain).flatten(1)\n",
       {256},
       {{"gain", "2.gain", {}}, {"weight", "mix.weight", {8, 8}}}},
      {"Linear",
       "def forward(self, x):\n"
       "  return torch.linear(x, self.weight, self.bias)\n",
       {kExportedClasses},
       {{"weight", "3.weight", {kExportedClasses, 256}},
        {"bias", "3.bias", {kExportedClasses}}}}};
  return layers;
}

int64_t NumbersOf(const Shape& shape) {
  int64_t numbers = 1;
  for (int64_t size : shape) numbers *= size;
  return numbers;
}

}  // namespace

std::string ExportedFileName(int layer) {
  return absl::StrCat("layer_", layer, ".pt");
}

std::string ExportedFile(int layer) {
  // Each once: the table has their sums.
  static const auto& files = *[] {
    auto* made = new std::vector<std::string>;
    for (const ExportedLayer& one : Layers()) {
      ScriptModule module;
      module.code = one.code;
      for (const Parameter& parameter : one.parameters) {
        module.parameters.emplace_back(parameter.attribute, parameter.shape);
      }
      made->push_back(ScriptFile(module));
    }
    return made;
  }();
  return files.at(layer);
}

std::string ExportedChainJson() {
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (int i = 0; i < kExportedLayers; ++i) {
    const ExportedLayer& own = Layers()[i];
    nlohmann::ordered_json parameters = nlohmann::ordered_json::array();
    for (const Parameter& parameter : own.parameters) {
      parameters.push_back({{"name", parameter.name},
                            {"shape", parameter.shape},
                            {"attributes", nlohmann::ordered_json::array(
                                               {parameter.attribute})}});
    }
    layers.push_back({{"op", own.op},
                      {"file", ExportedFileName(i)},
                      {"sha256", HexSha256(ExportedFile(i))},
                      {"output", own.output},
                      {"parameters", parameters}});
  }
  const nlohmann::ordered_json chain = {
      {"model_type", kChainModelType},
      {"format", kChainFormat},
      {"loss", "cross_entropy"},
      {"input",
       {{"name", "images"}, {"shape", Shape{3, 8, 8}}, {"dtype", "float32"}}},
      {"classes", kExportedClasses},
      {"layers", layers}};
  return chain.dump(2);
}

ModelTable ExportedChainTable() {
  return DescribeChain(ExportedChainJson(), {}).value();
}

std::shared_ptr<const LayerCode> ExportedCode(int layer) {
  return LayerCode::Load(ExportedFile(layer), ExportedFileName(layer)).value();
}

at::Tensor PlainExported(int layer, const Tensors& parameters,
                         const at::Tensor& input) {
  switch (layer) {
    case 0:
      return at::conv2d(input, parameters[0], parameters[1], {1, 1}, {1, 1})
          .relu();
    case 1:
      return (at::matmul(input, parameters[0]) + parameters[1])
          .tanh()
          .transpose(1, 2);
    case 2:
      // The gain is its first block.
      return (at::matmul(input, parameters[1]) * parameters[0]).flatten(1);
    default:
      return at::linear(input, parameters[0], parameters[1]);
  }
}

void WriteExportedChain(const std::string& directory) {
  WriteFile(absl::StrCat(directory, "/", kChainFile), ExportedChainJson());
  std::mt19937 random(11);
  std::vector<safetensors::FileTensor> tensors;
  const ModelTable table = ExportedChainTable();
  for (const ParameterBlock& block : table.parameter_blocks) {
    for (const TensorEntry& tensor : block.tensors) {
      // As large as keeps what goes through of one size.
      const double width =
          tensor.shape.empty()
              ? 1
              : NumbersOf(tensor.shape) / static_cast<double>(tensor.shape[0]);
      std::normal_distribution<float> normal(
          0, static_cast<float>(1 / std::sqrt(width)));
      std::vector<float> numbers(tensor.element_count);
      for (float& number : numbers) number = normal(random);
      tensors.push_back(safetensors::TensorOf(
          tensor.name, safetensors::Dtype::kF32, tensor.shape, numbers));
    }
  }
  safetensors::WriteTensors(absl::StrCat(directory, "/model.safetensors"),
                            tensors);
  for (int i = 0; i < kExportedLayers; ++i) {
    WriteFile(absl::StrCat(directory, "/", ExportedFileName(i)),
              ExportedFile(i));
  }
}

}  // namespace hydra
