#ifndef HYDRA_COMMON_MODEL_TABLE_PARTS_H_
#define HYDRA_COMMON_MODEL_TABLE_PARTS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/model/model_table.h"

namespace hydra {

// What the descriptions of all families are made of (gpt2_table.h and its
// like). Pure.

inline constexpr TensorInit kZero{TensorInit::Kind::kZero, 0};
inline constexpr TensorInit kOne{TensorInit::Kind::kOne, 0};

// Drawn from a normal distribution around 0.
inline TensorInit Normal(double standard_deviation) {
  return {TensorInit::Kind::kNormal, standard_deviation};
}

// A block of this tensor alone.
inline ParameterBlock OneTensor(std::string name, std::vector<int64_t> shape,
                                TensorInit init) {
  ParameterBlock block;
  AddTensor(std::move(name), std::move(shape), init, block);
  return block;
}

// Appends a block; its number.
inline int AddBlock(ParameterBlock block, ModelTable& table) {
  table.parameter_blocks.push_back(std::move(block));
  return static_cast<int>(table.parameter_blocks.size()) - 1;
}

// Appends a layer that uses these blocks.
inline void AddLayer(LayerEntry layer, std::vector<int> blocks,
                     ModelTable& table) {
  layer.parameter_blocks = std::move(blocks);
  table.layers.push_back(std::move(layer));
}

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_TABLE_PARTS_H_
