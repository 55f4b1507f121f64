#include "worker/model/parameter_gradients.h"

#include "ATen/core/Tensor.h"
#include "ATen/ops/sum.h"

namespace hydra {

void ParameterGradients::StoreProduct(const at::Tensor& input,
                                      const at::Tensor& output_gradient,
                                      const at::Tensor& to) const {
  if (!to.defined()) return;
  to.addmm_(input.t(), output_gradient, /*beta=*/accumulate_ ? 1 : 0);
}

void ParameterGradients::Store(const at::Tensor& gradient,
                               const at::Tensor& to) const {
  if (!to.defined()) return;
  if (accumulate_) {
    to.add_(gradient);
  } else {
    to.copy_(gradient);
  }
}

void ParameterGradients::StoreRowSum(const at::Tensor& rows,
                                     const at::Tensor& to) const {
  if (!to.defined()) return;
  if (accumulate_) {
    to.add_(rows.sum(0));
    return;
  }
  at::Tensor sum = to;
  at::sum_out(sum, rows, 0);
}

}  // namespace hydra
