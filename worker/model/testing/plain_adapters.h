#ifndef HYDRA_WORKER_MODEL_TESTING_PLAIN_ADAPTERS_H_
#define HYDRA_WORKER_MODEL_TESTING_PLAIN_ADAPTERS_H_

#include <vector>

#include "ATen/core/Tensor.h"
#include "common/model/lora.h"
#include "worker/model/layer.h"
#include "worker/model/layer_registry.h"
#include "worker/model/micro_batch.h"

namespace hydra {

// The adapters of a layer in plain, differentiable operations.
class PlainAdapters {
 public:
  explicit PlainAdapters(const LayerContext& context);

  // `output`, of the linear map whose weight is tensor number `weight` of the
  // layer's own block, with what its adapter adds. Of `parameters` as
  // AutogradLayer::Compute has them.
  at::Tensor Add(int weight, const at::Tensor& input, const at::Tensor& output,
                 const Tensors& parameters,
                 const MicroBatch& micro_batch) const;

 private:
  const int layer_;
  int own_tensors_ = 0;
  std::vector<AdapterPlace> places_;
  double scale_ = 0;
  double dropout_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_TESTING_PLAIN_ADAPTERS_H_
