#ifndef HYDRA_WORKER_MODEL_ADAPTER_H_
#define HYDRA_WORKER_MODEL_ADAPTER_H_

#include "ATen/core/Tensor.h"
#include "worker/model/dropout.h"
#include "worker/model/parameter_gradients.h"

namespace hydra {

// What is added to a linear map of rows, scale * dropout(input) a^T b^T (see
// common/model/lora.h), or where the gradients of a and b go. Nothing is
// recorded: what is between the two products is made again. Without an adapter
// both are undefined, and these functions do nothing.
struct Adapter {
  // [r, in].
  at::Tensor a;
  // [out, r].
  at::Tensor b;
  double scale = 0;
  // Of the micro-batch.
  Dropout dropout;
};

// To `output`, [rows, out]; `input` is [rows, in].
void AddAdapter(const at::Tensor& input, const Adapter& adapter,
                const at::Tensor& output);

// The gradients of a and b.
void StoreAdapter(const at::Tensor& input, const at::Tensor& output_gradient,
                  const Adapter& adapter, const ParameterGradients& store,
                  const Adapter& to);

// To the gradient of the input, what comes to it through the adapter.
void AddAdapterInputGradient(const at::Tensor& output_gradient,
                             const Adapter& adapter, const at::Tensor& to);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_ADAPTER_H_
