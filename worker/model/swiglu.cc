#include "worker/model/swiglu.h"

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/empty_like.h"
#include "ATen/ops/sigmoid.h"
#include "ATen/ops/silu.h"
#include "c10/core/GradMode.h"
#include "c10/util/Exception.h"
#include "worker/model/parallel_for.h"
#include "worker/model/swiglu_kernel.h"

namespace hydra {
namespace {

// Less than this is not worth a second thread.
constexpr int64_t kGrain = int64_t{1} << 13;

bool AreOnHost(const at::Tensor& gate, const at::Tensor& up) {
  TORCH_CHECK(gate.is_contiguous() && up.is_contiguous() &&
                  gate.scalar_type() == at::kFloat &&
                  up.scalar_type() == at::kFloat && gate.sizes() == up.sizes(),
              "swiglu of ", gate.sizes(), " with strides ", gate.strides(),
              " and ", up.sizes(), " with strides ", up.strides());
  return gate.device().is_cpu();
}

void SwigluOnHost(const at::Tensor& gate, const at::Tensor& up,
                  const at::Tensor& output) {
  const float* const gates = gate.const_data_ptr<float>();
  const float* const ups = up.const_data_ptr<float>();
  float* const to = output.mutable_data_ptr<float>();
  ParallelFor(0, gate.numel(), kGrain, [&](int64_t first, int64_t last) {
    SwigluElements(last - first, gates + first, ups + first, to + first);
  });
}

}  // namespace

at::Tensor Swiglu(const at::Tensor& gate, const at::Tensor& up) {
  const at::NoGradGuard no_grad;
  if (!AreOnHost(gate, up)) return at::silu(gate).mul_(up);
  at::Tensor output = at::empty_like(gate);
  SwigluOnHost(gate, up, output);
  return output;
}

void SwigluInPlace(const at::Tensor& gate, const at::Tensor& up) {
  const at::NoGradGuard no_grad;
  if (AreOnHost(gate, up)) {
    SwigluOnHost(gate, up, gate);
    return;
  }
  at::Tensor output = gate;
  at::silu_(output);
  output.mul_(up);
}

at::Tensor SwigluForBackward(const at::Tensor& gate, const at::Tensor& up) {
  const at::NoGradGuard no_grad;
  if (!AreOnHost(gate, up)) {
    const at::Tensor sigmoid = at::sigmoid(gate);
    const at::Tensor silu = gate * sigmoid;
    at::Tensor output = silu * up;
    gate.copy_((1 - sigmoid).mul_(silu).add_(sigmoid).mul_(up));
    up.copy_(silu);
    return output;
  }
  at::Tensor output = at::empty_like(gate);
  float* const gates = gate.mutable_data_ptr<float>();
  float* const ups = up.mutable_data_ptr<float>();
  float* const to = output.mutable_data_ptr<float>();
  ParallelFor(0, gate.numel(), kGrain, [&](int64_t first, int64_t last) {
    SwigluAndDerivativeElements(last - first, gates + first, ups + first,
                                to + first);
  });
  return output;
}

}  // namespace hydra
