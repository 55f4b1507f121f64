#include "worker/model/rms_norm.h"

#include <algorithm>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/empty_like.h"
#include "c10/core/GradMode.h"
#include "c10/util/Exception.h"
#include "worker/model/parallel_for.h"
#include "worker/model/rms_norm_kernel.h"

namespace hydra {
namespace {

// Less than this is not worth a second thread.
constexpr int64_t kGrain = int64_t{1} << 13;

bool IsOnHost(const at::Tensor& rows) {
  TORCH_CHECK(rows.is_contiguous() && rows.scalar_type() == at::kFloat,
              "rms norm of ", rows.scalar_type(), " with strides ",
              rows.strides());
  return rows.device().is_cpu();
}

int64_t RowGrain(int64_t width) { return std::max<int64_t>(1, kGrain / width); }

}  // namespace

at::Tensor RmsNormForward(const at::Tensor& input, const at::Tensor& weight,
                          double epsilon, at::Tensor* inverse_root) {
  const at::NoGradGuard no_grad;
  const int64_t width = weight.numel();
  const int64_t rows = input.numel() / width;
  if (!IsOnHost(input)) {
    *inverse_root = input.view({rows, width})
                        .square()
                        .mean(/*dim=*/-1, /*keepdim=*/true)
                        .add_(epsilon)
                        .rsqrt_();
    return (input.view({rows, width}) * *inverse_root)
        .mul_(weight)
        .view(input.sizes());
  }
  at::Tensor output = at::empty_like(input);
  *inverse_root = at::empty({rows, 1}, input.options());
  const float* const from = input.const_data_ptr<float>();
  const float* const weights = weight.const_data_ptr<float>();
  float* const to = output.mutable_data_ptr<float>();
  float* const inverses = inverse_root->mutable_data_ptr<float>();
  ParallelFor(0, rows, RowGrain(width), [&](int64_t first, int64_t last) {
    RmsNormRows(last - first, width, static_cast<float>(epsilon),
                from + first * width, weights, to + first * width,
                inverses + first);
  });
  return output;
}

void RmsNormBackward(const at::Tensor& input, const at::Tensor& weight,
                     const at::Tensor& inverse_root,
                     const ParameterGradients& store,
                     const at::Tensor& weight_gradient,
                     const at::Tensor& gradient) {
  const at::NoGradGuard no_grad;
  if (weight_gradient.defined()) {
    store.StoreRowSum((input * inverse_root).mul_(gradient), weight_gradient);
  }
  if (!IsOnHost(gradient)) {
    const at::Tensor normalized = input * inverse_root;
    gradient.mul_(weight);
    const at::Tensor mean =
        (normalized * gradient).mean(/*dim=*/-1, /*keepdim=*/true);
    gradient.sub_(normalized * mean).mul_(inverse_root);
    return;
  }
  const int64_t width = weight.numel();
  const float* const from = input.const_data_ptr<float>();
  const float* const weights = weight.const_data_ptr<float>();
  const float* const inverses = inverse_root.const_data_ptr<float>();
  float* const to = gradient.mutable_data_ptr<float>();
  ParallelFor(0, input.numel() / width, RowGrain(width),
              [&](int64_t first, int64_t last) {
                RmsNormGradientRows(last - first, width, from + first * width,
                                    weights, inverses + first,
                                    to + first * width);
              });
}

}  // namespace hydra
