#ifndef HYDRA_WORKER_MODEL_BLOCK_VIEWS_H_
#define HYDRA_WORKER_MODEL_BLOCK_VIEWS_H_

#include <vector>

#include "ATen/core/Tensor.h"
#include "common/model/model_table.h"

namespace hydra {

// The tensors of `block`, in its order, as views of `flat`: one dimension,
// block.element_count() long, of the block's type, or, of its gradient, moments
// and master, fp32. Those of a block of int8 are fp32, and its matrices as
// QuantizedView has them. Of an undefined flat, all are undefined.
std::vector<at::Tensor> TensorViews(const ParameterBlock& block,
                                    const at::Tensor& flat);

// Writes zero between the tensors of `block` in `flat`.
void ZeroPadding(const ParameterBlock& block, const at::Tensor& flat);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_BLOCK_VIEWS_H_
