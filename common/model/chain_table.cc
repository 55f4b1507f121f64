#include "common/model/chain_table.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/hash/sha256.h"

namespace hydra {
namespace {

// The layers that use each parameter, ascending.
using Users = std::vector<int>;

std::map<std::string, Users> UsersOf(const ChainConfig& chain) {
  std::map<std::string, Users> users;
  for (size_t i = 0; i < chain.layers.size(); ++i) {
    for (const ChainParameter& parameter : chain.layers[i].parameters) {
      users[parameter.name].push_back(static_cast<int>(i));
    }
  }
  return users;
}

// Gives the layers their blocks.
class BlockMaker {
 public:
  BlockMaker(const ChainConfig& chain, ModelTable& table)
      : users_(UsersOf(chain)), table_(table) {}

  // Layers in their order.
  void AddTo(LayerEntry& layer, int index, const ChainLayer& own) {
    std::map<std::string, const ChainParameter*> by_name;
    for (const ChainParameter& parameter : own.parameters) {
      by_name.emplace(parameter.name, &parameter);
      const Users& users = users_.at(parameter.name);
      const auto [block, is_new] = blocks_.try_emplace(
          users, static_cast<int>(table_.parameter_blocks.size()));
      if (is_new) table_.parameter_blocks.emplace_back();
      // All of a block's tensors are its owner's.
      if (users.front() == index) {
        AddTensor(parameter.name, parameter.shape, TensorInit(),
                  table_.parameter_blocks[block->second]);
      }
      std::vector<int>& used = layer.parameter_blocks;
      if (std::find(used.begin(), used.end(), block->second) == used.end()) {
        used.push_back(block->second);
      }
    }
    for (int block : layer.parameter_blocks) {
      for (const TensorEntry& tensor : table_.parameter_blocks[block].tensors) {
        layer.file->parameters.push_back(by_name.at(tensor.name)->attributes);
      }
    }
  }

 private:
  const std::map<std::string, Users> users_;
  std::map<Users, int> blocks_;
  ModelTable& table_;
};

// A tensor with so many numbers for each example.
BoundaryTensor PerExample(const std::vector<int64_t>& shape) {
  BoundaryTensor tensor;
  tensor.shape = {kBatchSequences};
  tensor.shape.insert(tensor.shape.end(), shape.begin(), shape.end());
  return tensor;
}

}  // namespace

ModelTable BuildChainTable(const ChainConfig& chain) {
  ModelTable table;
  ExampleInput& examples = table.examples.emplace();
  examples.name = chain.input_name;
  examples.shape = chain.input_shape;
  examples.class_count = chain.classes;
  table.longest_context = 1;
  table.config_names.file = kChainFile;
  table.config_names.family = "the chain";
  BlockMaker blocks(chain, table);
  const std::vector<int64_t>* input = &chain.input_shape;
  const int count = static_cast<int>(chain.layers.size());
  for (int i = 0; i < count; ++i) {
    const ChainLayer& own = chain.layers[i];
    LayerEntry layer;
    layer.op = kChainLayerOp;
    layer.kind = own.op;
    layer.file = LayerFile{own.file, own.sha256, *input, {}};
    if (i + 1 < count) {
      layer.outputs = {PerExample(own.output)};
    } else {
      layer.op = kChainHeadOp;
      layer.attributes = {
          {chain::kClasses, static_cast<double>(chain.classes)}};
    }
    blocks.AddTo(layer, i, own);
    table.layers.push_back(std::move(layer));
    input = &own.output;
  }
  NoteUsers(table);
  return table;
}

absl::StatusOr<ModelTable> DescribeChain(absl::string_view chain_json,
                                         const ModelOverrides& /*overrides*/) {
  const absl::StatusOr<ChainConfig> chain = ParseChainConfig(chain_json);
  if (!chain.ok()) return chain.status();
  ModelTable table = BuildChainTable(*chain);
  // What memory and time depend on is in the layers' files, which it names.
  // Its form is on disks: see ModelTable::architecture_key.
  table.architecture_key = absl::StrCat("chain ", HexSha256(chain_json));
  return table;
}

}  // namespace hydra
