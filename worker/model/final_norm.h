#ifndef HYDRA_WORKER_MODEL_FINAL_NORM_H_
#define HYDRA_WORKER_MODEL_FINAL_NORM_H_

#include <memory>

#include "ATen/core/Tensor.h"
#include "common/model/model_table.h"
#include "worker/model/layer.h"
#include "worker/model/parameter_gradients.h"

namespace hydra {

// What a head does with each row before its table: a norm, whichever its model
// has, behind BERT's transform. Immutable.
class FinalNorm {
 public:
  virtual ~FinalNorm() = default;

  // Of rows: over the last dimension of `input`. `parameters` are the tensors
  // of its block; Backward wants `statistics` back, once.
  virtual at::Tensor Forward(const at::Tensor& input, const Tensors& parameters,
                             Tensors* statistics) const = 0;

  // Returns the gradient of the input, maybe in the memory of
  // `output_gradient`. Both, and `input`, are [rows, width]. The parameters'
  // gradients go to `to`, whose tensors are undefined where nobody wants them.
  virtual at::Tensor Backward(const at::Tensor& output_gradient,
                              const at::Tensor& input,
                              const Tensors& parameters,
                              const Tensors& statistics,
                              const ParameterGradients& store,
                              const Tensors& to) const = 0;
};

// That of a head's entry: layer norm for GPT-2's, RMS norm for Llama's; for
// BERT's of masked tokens a linear map, gelu and layer norm. Throws
// std::out_of_range where the entry lacks an attribute, c10::Error for another
// op.
std::unique_ptr<const FinalNorm> FinalNormOf(const LayerEntry& head);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_FINAL_NORM_H_
