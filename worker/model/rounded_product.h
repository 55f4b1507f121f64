#ifndef HYDRA_WORKER_MODEL_ROUNDED_PRODUCT_H_
#define HYDRA_WORKER_MODEL_ROUNDED_PRODUCT_H_

#include "ATen/core/Tensor.h"
#include "common/model/model_table.h"

namespace hydra {

// The product of two matrices in a type of two bytes, as torch.autocast has it:
// operands and result are rounded to it, and each sum is added up in fp32. So
// is a `bias`, if there is one, which is added to each row before the result is
// rounded. What is too large for float16 becomes infinite. The result is an
// fp32 tensor. Operands are fp32, or have two bytes.
//
// A device with tensor cores has operations for that. On the CPU it is computed
// in fp32 with rounded operands, since LibTorch's own products of such types
// are no faster on most processors, and fp32's have an order that no number of
// threads changes (product_order.h).
at::Tensor RoundedProduct(const at::Tensor& a, const at::Tensor& b,
                          ElementType type, const at::Tensor& bias = {});

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_ROUNDED_PRODUCT_H_
