#include "worker/model/adapter.h"

#include "ATen/core/Tensor.h"
#include "ATen/ops/mm.h"

namespace hydra {
namespace {

at::Tensor DroppedOut(const at::Tensor& input, const Dropout& dropout) {
  if (dropout.probability == 0) return input;
  at::Tensor dropped = input.clone();
  DropOut(dropped, dropout);
  return dropped;
}

// That of what lies between the two products: [rows, r].
at::Tensor InnerGradient(const at::Tensor& output_gradient,
                         const Adapter& adapter) {
  return at::mm(output_gradient, adapter.b).mul_(adapter.scale);
}

}  // namespace

void AddAdapter(const at::Tensor& input, const Adapter& adapter,
                const at::Tensor& output) {
  if (!adapter.a.defined()) return;
  const at::Tensor inner =
      at::mm(DroppedOut(input, adapter.dropout), adapter.a.t())
          .mul_(adapter.scale);
  output.addmm_(inner, adapter.b.t());
}

void StoreAdapter(const at::Tensor& input, const at::Tensor& output_gradient,
                  const Adapter& adapter, const ParameterGradients& store,
                  const Adapter& to) {
  if (!adapter.a.defined()) return;
  const at::Tensor dropped = DroppedOut(input, adapter.dropout);
  store.StoreProduct(InnerGradient(output_gradient, adapter), dropped, to.a);
  store.StoreProduct(output_gradient,
                     at::mm(dropped, adapter.a.t()).mul_(adapter.scale), to.b);
}

void AddAdapterInputGradient(const at::Tensor& output_gradient,
                             const Adapter& adapter, const at::Tensor& to) {
  if (!adapter.a.defined()) return;
  const at::Tensor inner = InnerGradient(output_gradient, adapter);
  if (adapter.dropout.probability == 0) {
    to.addmm_(inner, adapter.a);
    return;
  }
  const at::Tensor part = at::mm(inner, adapter.a);
  DropOut(part, adapter.dropout);
  to.add_(part);
}

}  // namespace hydra
