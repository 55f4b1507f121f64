#ifndef HYDRA_WORKER_MODEL_LINEAR_H_
#define HYDRA_WORKER_MODEL_LINEAR_H_

#include "ATen/core/Tensor.h"

namespace hydra {

// A linear map of rows and its derivatives: what layers that differentiate by
// hand are made of. Nothing is recorded. `weight` is [in, out], as a Conv1D of
// GPT-2 has it.

// input [rows, in] -> [rows, out].
at::Tensor Linear(const at::Tensor& input, const at::Tensor& weight,
                  const at::Tensor& bias);

// Gradients of a layer's parameters, in their places in its flats: overwritten,
// or grown by what is made.
class ParameterGradients {
 public:
  explicit ParameterGradients(bool accumulate) : accumulate_(accumulate) {}

  // Of the weight of a linear map: input^T output_gradient. No second tensor of
  // its size is made.
  void StoreProduct(const at::Tensor& input, const at::Tensor& output_gradient,
                    const at::Tensor& to) const;
  // Of what was added to each row: the sum of the rows. ATen shares its work
  // out by columns, so the order of each sum is the same for any number of
  // threads.
  void StoreRowSum(const at::Tensor& rows, const at::Tensor& to) const;

 private:
  const bool accumulate_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_LINEAR_H_
