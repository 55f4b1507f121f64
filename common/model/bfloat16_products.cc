#include "common/model/bfloat16_products.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/model/layer_memory.h"
#include "common/model/table_ranges.h"

namespace hydra {
namespace {

// A product of so many rows of weights, each so long.
struct Product {
  int64_t out = 0;
  int64_t in = 0;
};

// The largest one of the layer; of a head, that of a range of its table.
Product LargestOf(const ModelTable& table, const LayerEntry& layer) {
  Product largest;
  for (size_t i = 0; i < layer.parameter_blocks.size(); ++i) {
    const ParameterBlock& block =
        table.parameter_blocks[layer.parameter_blocks[i]];
    for (const TensorEntry& tensor : block.tensors) {
      const bool is_table = static_cast<int>(i) == layer.streamed_block;
      if (tensor.linear == LinearLayout::kNone && !is_table) continue;
      Product product{tensor.shape[0], tensor.shape[1]};
      if (tensor.linear == LinearLayout::kInOut) {
        std::swap(product.out, product.in);
      }
      if (is_table) product.out = TableRanges(product.out).front().count();
      if (product.out * product.in > largest.out * largest.in) {
        largest = product;
      }
    }
  }
  return largest;
}

// Both operands once more, and the result's rounded digits. A head has a slice
// of tokens at once.
std::vector<BoundaryTensor> MadeBy(const Product& product, bool is_head) {
  const auto rows = [is_head](ElementType type, int64_t width) {
    BoundaryTensor tensor = PerToken(width);
    if (is_head) tensor.shape = {kLossSliceTokens, width};
    tensor.type = type;
    return tensor;
  };
  return {rows(ElementType::kFloat32, product.in),
          {ElementType::kFloat32, {product.out, product.in}},
          rows(ElementType::kBFloat16, product.out)};
}

}  // namespace

ModelTable WithBFloat16Products(ModelTable table) {
  for (LayerEntry& layer : table.layers) {
    const Product largest = LargestOf(table, layer);
    if (largest.out == 0) continue;
    layer.attributes[kBFloat16Products] = 1;
    const std::vector<BoundaryTensor> made =
        MadeBy(largest, layer.streamed_block >= 0);
    for (auto* moments : {&layer.memory.forward, &layer.memory.backward}) {
      for (std::vector<BoundaryTensor>& moment : *moments) {
        moment.insert(moment.end(), made.begin(), made.end());
      }
    }
  }
  absl::StrAppend(&table.architecture_key, " bf16");
  return table;
}

}  // namespace hydra
