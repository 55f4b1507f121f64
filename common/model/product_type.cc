#include "common/model/product_type.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/model/layer_memory.h"
#include "common/model/lora.h"
#include "common/model/table_ranges.h"

namespace hydra {
namespace {

// A layer's attribute: the number of an ElementType.
constexpr char kProductType[] = "product_type";

// A product of so many rows of weights, each so long.
struct Product {
  int64_t out = 0;
  int64_t in = 0;
  // Of the weights.
  ElementType type = ElementType::kFloat32;
  // Any of the layer's weights have one.
  bool has_master = false;
  // Of a table that is taken in ranges: all of its rows, and whether they have
  // a gradient.
  int64_t table_rows = 0;
  bool is_trained = false;
};

// The largest one of the layer; of a head, that of a range of its table.
Product LargestOf(const ModelTable& table, const LayerEntry& layer) {
  Product largest;
  bool has_master = false;
  for (size_t i = 0; i < layer.parameter_blocks.size(); ++i) {
    const ParameterBlock& block =
        table.parameter_blocks[layer.parameter_blocks[i]];
    for (const TensorEntry& tensor : block.tensors) {
      const bool is_table = static_cast<int>(i) == layer.streamed_block;
      if (tensor.linear == LinearLayout::kNone && !is_table) continue;
      has_master |= block.has_master();
      Product product{tensor.shape[0], tensor.shape[1], block.type};
      if (tensor.linear == LinearLayout::kInOut) {
        std::swap(product.out, product.in);
      }
      if (is_table) {
        product.table_rows = product.out;
        product.is_trained = !block.frozen;
        product.out = TableRanges(product.out).front().count();
      }
      if (product.out * product.in > largest.out * largest.in) {
        largest = product;
      }
    }
  }
  largest.has_master = has_master;
  return largest;
}

// Rounded operands of this type, and a result that is rounded, or, in a
// backward, the gradient of the weights: beside them in the digits of both
// types. A head has a slice of tokens at once.
std::vector<BoundaryTensor> MadeBy(const Product& product, ElementType type,
                                   const LayerEntry& layer, bool backward) {
  const bool is_head = layer.streamed_block >= 0;
  const auto rows = [&layer, is_head](int64_t width) {
    BoundaryTensor tensor = RowsLikeOutputs(layer, width);
    if (is_head) tensor.shape = {kLossSliceTokens, width};
    return tensor;
  };
  std::vector<BoundaryTensor> made;
  // An adapter's dropped input is as large, counted already, and not there at
  // the same time.
  const auto dropout = layer.attributes.find(lora::kDropout);
  if (dropout == layer.attributes.end() || dropout->second == 0) {
    made.push_back(rows(product.in));
  }
  // Others than fp32's are widened, which is counted already, and then rounded,
  // unless they lie in the products' type, or in a table that is rounded below.
  const bool is_rounded = product.type != type && !(is_head && backward);
  if (product.type == ElementType::kFloat32) {
    const std::vector<int64_t> weights = {product.out, product.in};
    made.push_back({ElementType::kFloat32, weights});
    made.push_back({type, weights});
  } else if (is_rounded || (product.has_master && backward)) {
    // The gradient of those with masters is there when they are not, and in
    // both.
    made.push_back({type, {product.out, product.in}});
  }
  // A head's table is rounded once for all slices: in a backward as a whole;
  // one that comes in ranges, which has what a forward has, a range of it
  // beside what is made of its gradient.
  if (is_head && product.type != type) {
    if (backward) {
      made.push_back({type, {product.table_rows, product.in}});
    } else if (product.is_trained) {
      made.push_back({type, {product.out, product.in}});
    }
  }
  if (is_head || backward) made.push_back(rows(product.out));
  if (is_head) {
    made.push_back(rows(product.out));
    made.back().type = type;
  }
  return made;
}

}  // namespace

ElementType ProductTypeOf(const hydra::v1::TrainSpec& train) {
  if (train.bf16()) return ElementType::kBFloat16;
  return train.fp16() ? ElementType::kFloat16 : ElementType::kFloat32;
}

ModelTable WithProductType(ModelTable table, ElementType type) {
  for (LayerEntry& layer : table.layers) {
    const Product largest = LargestOf(table, layer);
    if (largest.out == 0) continue;
    layer.attributes[kProductType] = static_cast<int>(type);
    for (auto* moments : {&layer.memory.forward, &layer.memory.backward}) {
      const std::vector<BoundaryTensor> made =
          MadeBy(largest, type, layer, moments == &layer.memory.backward);
      for (std::vector<BoundaryTensor>& moment : *moments) {
        if (HasScores(moment)) continue;
        moment.insert(moment.end(), made.begin(), made.end());
      }
    }
  }
  absl::StrAppend(&table.architecture_key,
                  type == ElementType::kFloat16 ? " fp16" : " bf16");
  return table;
}

ElementType ProductTypeOf(const LayerEntry& layer) {
  const auto type = layer.attributes.find(kProductType);
  return type == layer.attributes.end()
             ? ElementType::kFloat32
             : static_cast<ElementType>(static_cast<int>(type->second));
}

}  // namespace hydra
