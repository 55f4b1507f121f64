#ifndef HYDRA_WORKER_MODEL_ELEMENT_TYPE_H_
#define HYDRA_WORKER_MODEL_ELEMENT_TYPE_H_

#include "ATen/core/Tensor.h"
#include "common/model/model_table.h"

namespace hydra {

at::ScalarType TorchTypeOf(ElementType type);

// What layers compute with: a tensor of a block whose elements have two bytes,
// each widened exactly to fp32, in its strides; a matrix of int8 as Dequantized
// has it; any other one itself.
at::Tensor Widened(const at::Tensor& tensor);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_ELEMENT_TYPE_H_
