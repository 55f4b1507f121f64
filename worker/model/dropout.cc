#include "worker/model/dropout.h"

#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"

namespace hydra {

void DrawDropped(const at::Tensor& dropped, double probability) {
  dropped.bernoulli_(probability);
}

at::Tensor DroppedOf(const at::Tensor& like, double probability) {
  const at::Tensor dropped =
      at::empty(like.sizes(), like.options().dtype(at::kBool));
  DrawDropped(dropped, probability);
  return dropped;
}

void DropOut(const at::Tensor& tensor, const at::Tensor& dropped,
             double probability) {
  // A product with the mask would first make a copy of it in fp32.
  tensor.masked_fill_(dropped, 0).mul_(1 / (1 - probability));
}

}  // namespace hydra
