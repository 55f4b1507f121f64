#ifndef HYDRA_WORKER_MODEL_PROJECTION_H_
#define HYDRA_WORKER_MODEL_PROJECTION_H_

#include "ATen/core/Tensor.h"
#include "common/model/model_table.h"
#include "worker/model/adapter.h"
#include "worker/model/parameter_gradients.h"

namespace hydra {

// A linear map of rows as torch.nn.Linear has it, or where the gradients of its
// parameters go: nowhere for those that are undefined. Nothing is recorded.
struct Projection {
  // [out, in]; that of a Conv1D is its transpose. Of the block's type: it is
  // widened for each product.
  at::Tensor weight;
  // [out]; undefined: none.
  at::Tensor bias;
  Adapter adapter;
  // Unless it is kFloat32, the products with `weight`, and those of its
  // gradient, are RoundedProducts of this type.
  ElementType product_type = ElementType::kFloat32;

  bool is_rounded() const { return product_type != ElementType::kFloat32; }
};

// input [rows, in] -> [rows, out].
at::Tensor Project(const at::Tensor& input, const Projection& projection);

// The gradients of the parameters.
void StoreProjection(const at::Tensor& input, const at::Tensor& output_gradient,
                     const Projection& projection,
                     const ParameterGradients& store, const Projection& to);

// That of the input, in place of `to`, or added to what that holds.
void InputGradient(const at::Tensor& output_gradient,
                   const Projection& projection, bool add, at::Tensor to);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_PROJECTION_H_
