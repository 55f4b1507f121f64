#include "worker/model/finite_check.h"

#include <cmath>

#include "ATen/ops/aminmax.h"
#include "c10/core/GradMode.h"

namespace hydra {

bool AllFinite(const at::Tensor& tensor) {
  const at::NoGradGuard no_grad;
  // One NaN makes both of them NaN.
  const auto [smallest, largest] = at::aminmax(tensor);
  return std::isfinite(smallest.item<float>()) &&
         std::isfinite(largest.item<float>());
}

}  // namespace hydra
