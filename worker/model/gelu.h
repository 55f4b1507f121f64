#ifndef HYDRA_WORKER_MODEL_GELU_H_
#define HYDRA_WORKER_MODEL_GELU_H_

#include "ATen/core/Tensor.h"

namespace hydra {

// GPT-2's activation, the approximation of gelu by tanh. Nothing is recorded.
// Tensors are fp32 and contiguous. On a CPU both functions give the same bits,
// for any number of threads.

at::Tensor Gelu(const at::Tensor& input);
void GeluInPlace(const at::Tensor& input);

// Returns the activation and turns `input` into its derivative there: one
// exponential serves both.
at::Tensor GeluForBackward(const at::Tensor& input);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_GELU_H_
