#include "worker/model/quantized_tensor.h"

#include "ATen/core/Tensor.h"
#include "common/model/quantized_rows.h"

namespace hydra {

at::Tensor QuantizedView(const at::Tensor& bytes, int64_t rows, int64_t width) {
  return bytes.view({rows, QuantizedRowBytes(width)})
      .narrow(1, 0, kRowScaleBytes + width);
}

bool IsQuantized(const at::Tensor& tensor) {
  return tensor.defined() && tensor.scalar_type() == at::kChar;
}

at::Tensor Dequantized(const at::Tensor& tensor) {
  if (!IsQuantized(tensor)) return tensor;
  // The bytes of a row lie side by side.
  const bool is_transposed = tensor.stride(1) != 1;
  const at::Tensor rows = is_transposed ? tensor.t() : tensor;
  // In memory of their own, as floats are aligned: selected rows are not.
  const at::Tensor scales = rows.narrow(1, 0, kRowScaleBytes)
                                .clone(at::MemoryFormat::Contiguous)
                                .view(at::kFloat);
  const at::Tensor numbers =
      rows.narrow(1, kRowScaleBytes, rows.size(1) - kRowScaleBytes)
          .to(at::kFloat, /*non_blocking=*/false, /*copy=*/false,
              at::MemoryFormat::Contiguous);
  numbers.mul_(scales);
  return is_transposed ? numbers.t() : numbers;
}

}  // namespace hydra
