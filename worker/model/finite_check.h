#ifndef HYDRA_WORKER_MODEL_FINITE_CHECK_H_
#define HYDRA_WORKER_MODEL_FINITE_CHECK_H_

#include <cstdint>

#include "ATen/core/Tensor.h"

namespace hydra {

// Whether no element is infinite or NaN: exact, whatever the elements' sums
// are. `tensor` is fp32 and has elements. Needs no memory of their size.
bool AllFinite(const at::Tensor& tensor);
// The same of so many floats.
bool AllFinite(const float* floats, int64_t count);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_FINITE_CHECK_H_
