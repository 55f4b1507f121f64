#ifndef HYDRA_WORKER_MODEL_PARAMETER_GRADIENTS_H_
#define HYDRA_WORKER_MODEL_PARAMETER_GRADIENTS_H_

#include "ATen/core/Tensor.h"

namespace hydra {

// Gradients of a layer's parameters, in their places in its flats: overwritten,
// or grown by what is made. What layers that differentiate by hand are made of.
// An undefined place: nobody wants that gradient, and it is not made.
class ParameterGradients {
 public:
  explicit ParameterGradients(bool accumulate) : accumulate_(accumulate) {}

  // Of the weight of a linear map: input^T output_gradient for one that is
  // [in, out]. No second tensor of its size is made.
  void StoreProduct(const at::Tensor& input, const at::Tensor& output_gradient,
                    const at::Tensor& to) const;
  // What was made elsewhere.
  void Store(const at::Tensor& gradient, const at::Tensor& to) const;
  // Of what was added to each row: the sum of the rows. ATen shares its work
  // out by columns, so the order of each sum is the same for any number of
  // threads.
  void StoreRowSum(const at::Tensor& rows, const at::Tensor& to) const;

 private:
  const bool accumulate_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_PARAMETER_GRADIENTS_H_
