#ifndef HYDRA_WORKER_MODEL_GELU_H_
#define HYDRA_WORKER_MODEL_GELU_H_

#include "ATen/core/Tensor.h"

namespace hydra {

// The activation gelu (Hendrycks and Gimpel, arXiv 1606.08415). Nothing is
// recorded. Tensors are fp32 and contiguous. On a CPU all functions give the
// same bits, for any number of threads.

enum class GeluFormula {
  // GPT-2's: the approximation by tanh.
  kTanh,
  // ViT's and BERT's: x times the normal distribution's function of x.
  kErf,
};

at::Tensor Gelu(const at::Tensor& input, GeluFormula formula);
void GeluInPlace(const at::Tensor& input, GeluFormula formula);

// Returns the activation and turns `input` into its derivative there: one
// exponential serves both.
at::Tensor GeluForBackward(const at::Tensor& input, GeluFormula formula);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_GELU_H_
