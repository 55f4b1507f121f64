#include "worker/model/row_gradients.h"

#include "ATen/core/Tensor.h"
#include "c10/core/GradMode.h"
#include "c10/util/Exception.h"

namespace hydra {

void AddRowGradients(const RowGradients& gradients, int64_t first_row,
                     int64_t last_row, const at::Tensor& to) {
  const at::NoGradGuard no_grad;
  const at::Tensor flat_rows = gradients.rows.reshape({-1});
  const int64_t* ids = flat_rows.const_data_ptr<int64_t>();
  const int64_t width = gradients.gradients.size(-1);
  const at::Tensor token_rows = gradients.gradients.contiguous();
  TORCH_CHECK(to.is_contiguous() && to.size(-1) == width, "rows of ", width,
              " numbers cannot be added to a tensor of ", to.sizes(),
              " with strides ", to.strides());
  const float* from = token_rows.const_data_ptr<float>();
  float* const begin = to.mutable_data_ptr<float>();
  for (int64_t i = 0; i < flat_rows.numel(); ++i, from += width) {
    if (ids[i] < first_row || ids[i] >= last_row) continue;
    float* const row = begin + (ids[i] - first_row) * width;
    for (int64_t j = 0; j < width; ++j) row[j] += from[j];
  }
}

}  // namespace hydra
