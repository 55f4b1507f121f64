#ifndef HYDRA_WORKER_MODEL_QUANTIZED_TENSOR_H_
#define HYDRA_WORKER_MODEL_QUANTIZED_TENSOR_H_

#include <cstdint>

#include "ATen/core/Tensor.h"

namespace hydra {

// A matrix of a block of kInt8 (see common/model/quantized_rows.h) as layers
// are handed it: at::kChar [rows, 4 + width], of which each row begins with the
// bytes of its scale. So rows can be narrowed, and selected, as those of any
// matrix. Nothing else that layers are handed is at::kChar.

// The rows that lie in `bytes`, at::kChar of one dimension.
at::Tensor QuantizedView(const at::Tensor& bytes, int64_t rows, int64_t width);

bool IsQuantized(const at::Tensor& tensor);

// What layers compute with: [rows, width] in fp32, each product of a number and
// its row's scale rounded once; in place of the transpose of such a matrix the
// transpose of that. Any other tensor is returned as it is, an undefined one
// too.
at::Tensor Dequantized(const at::Tensor& tensor);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_QUANTIZED_TENSOR_H_
