#ifndef HYDRA_WORKER_MODEL_LAYER_BLOCKS_H_
#define HYDRA_WORKER_MODEL_LAYER_BLOCKS_H_

#include <cstddef>
#include <vector>

#include "ATen/core/Tensor.h"
#include "common/model/model_table.h"
#include "worker/model/layer_registry.h"

namespace hydra {

// A layer's parameter blocks as its arithmetic knows them: the two parts of a
// block that is divided (see frozen_layers.h) are one, with its tensors in the
// order in which they were described, though each part has a flat of its own.
// Blocks are numbered in the table's order; a frozen part has no number.
// Immutable.
//
// `flats`: one for each of the layer's blocks in the table, parts included, as
// in LayerInput. Of an undefined flat, all tensors are undefined.
class LayerBlocks {
 public:
  // Throws c10::Error where there is a part of a block that the layer does not
  // use.
  explicit LayerBlocks(const LayerContext& context);

  size_t size() const { return wholes_.size(); }

  // What a block consists of. Only names, shapes and layouts of these entries
  // count: where each lies is its part's matter.
  const std::vector<TensorEntry>& tensors(size_t block) const {
    return wholes_[block].tensors;
  }
  // Of a whole block: the table's.
  const ParameterBlock& block(size_t block) const {
    return parts_[wholes_[block].own];
  }
  // Whether training leaves the tensor as it is.
  bool IsFrozen(size_t block, size_t tensor) const;

  // As TensorViews.
  std::vector<at::Tensor> Views(size_t block,
                                const std::vector<at::Tensor>& flats) const;
  // The same, each widened to fp32.
  std::vector<at::Tensor> WidenedViews(
      size_t block, const std::vector<at::Tensor>& flats) const;
  // Between the tensors of each flat that is defined.
  void ZeroPadding(const std::vector<at::Tensor>& flats) const;

 private:
  static constexpr int kNone = -1;

  struct Whole {
    // Of parts_.
    int own = 0;
    int frozen = kNone;
    std::vector<TensorEntry> tensors;
  };

  // As in the table.
  const std::vector<ParameterBlock> parts_;
  std::vector<Whole> wholes_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_LAYER_BLOCKS_H_
