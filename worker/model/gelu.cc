#include "worker/model/gelu.h"

#include "ATen/core/Tensor.h"
#include "ATen/ops/empty_like.h"
#include "ATen/ops/gelu.h"
#include "ATen/ops/gelu_backward.h"
#include "ATen/ops/ones.h"
#include "c10/core/GradMode.h"
#include "c10/util/Exception.h"
#include "worker/model/gelu_kernel.h"
#include "worker/model/parallel_for.h"

namespace hydra {
namespace {

// Less than this is not worth a second thread.
constexpr int64_t kGrain = int64_t{1} << 13;

// LibTorch's name of it.
const char* NameOf(GeluFormula formula) {
  return formula == GeluFormula::kTanh ? "tanh" : "none";
}

bool IsOnHost(const at::Tensor& input) {
  TORCH_CHECK(input.is_contiguous() && input.scalar_type() == at::kFloat,
              "gelu of ", input.scalar_type(), " with strides ",
              input.strides());
  return input.device().is_cpu();
}

void GeluOnHost(const at::Tensor& input, const at::Tensor& output,
                GeluFormula formula) {
  const auto elements =
      formula == GeluFormula::kTanh ? &GeluElements : &ErfGeluElements;
  const float* const from = input.const_data_ptr<float>();
  float* const to = output.mutable_data_ptr<float>();
  ParallelFor(0, input.numel(), kGrain, [&](int64_t first, int64_t last) {
    elements(last - first, from + first, to + first);
  });
}

}  // namespace

at::Tensor Gelu(const at::Tensor& input, GeluFormula formula) {
  const at::NoGradGuard no_grad;
  if (!IsOnHost(input)) return at::gelu(input, NameOf(formula));
  at::Tensor output = at::empty_like(input);
  GeluOnHost(input, output, formula);
  return output;
}

void GeluInPlace(const at::Tensor& input, GeluFormula formula) {
  const at::NoGradGuard no_grad;
  if (IsOnHost(input)) {
    GeluOnHost(input, input, formula);
    return;
  }
  at::Tensor output = input;
  at::gelu_(output, NameOf(formula));
}

at::Tensor GeluForBackward(const at::Tensor& input, GeluFormula formula) {
  const at::NoGradGuard no_grad;
  if (!IsOnHost(input)) {
    at::Tensor output = at::gelu(input, NameOf(formula));
    at::Tensor derivative = input;
    at::gelu_backward_out(derivative,
                          at::ones({1}, input.options()).expand_as(input),
                          input, NameOf(formula));
    return output;
  }
  const auto elements = formula == GeluFormula::kTanh
                            ? &GeluAndDerivativeElements
                            : &ErfGeluAndDerivativeElements;
  at::Tensor output = at::empty_like(input);
  float* const from = input.mutable_data_ptr<float>();
  float* const to = output.mutable_data_ptr<float>();
  ParallelFor(0, input.numel(), kGrain, [&](int64_t first, int64_t last) {
    elements(last - first, from + first, to + first);
  });
  return output;
}

}  // namespace hydra
