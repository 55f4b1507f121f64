#ifndef HYDRA_WORKER_MODEL_SWIGLU_H_
#define HYDRA_WORKER_MODEL_SWIGLU_H_

#include "ATen/core/Tensor.h"

namespace hydra {

// Llama's activation, silu(gate) * up (Shazeer, arXiv 2002.05202). Nothing is
// recorded. Tensors are fp32, contiguous and of one shape. On a CPU all
// functions give the same bits, for any number of threads.

at::Tensor Swiglu(const at::Tensor& gate, const at::Tensor& up);
// In place of `gate`.
void SwigluInPlace(const at::Tensor& gate, const at::Tensor& up);

// Returns the activation and turns `gate` and `up` into its derivatives by
// them: one exponential serves all.
at::Tensor SwigluForBackward(const at::Tensor& gate, const at::Tensor& up);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_SWIGLU_H_
