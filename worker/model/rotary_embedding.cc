#include "worker/model/rotary_embedding.h"

#include <algorithm>
#include <cmath>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/arange.h"
#include "ATen/ops/empty.h"
#include "c10/core/GradMode.h"
#include "c10/util/Exception.h"
#include "worker/model/parallel_for.h"
#include "worker/model/rotary_kernel.h"

namespace hydra {
namespace {

// Less than this is not worth a second thread.
constexpr int64_t kGrain = int64_t{1} << 13;

}  // namespace

void RotaryEmbedding::Rotate(const at::Tensor& rows, int64_t context,
                             Direction direction) const {
  if (!rows.device().is_cpu()) {
    RotateByOperations(rows, context, direction);
    return;
  }
  TORCH_CHECK(rows.is_contiguous() && rows.scalar_type() == at::kFloat,
              "rotary embedding of ", rows.scalar_type(), " with strides ",
              rows.strides());
  const int64_t width = rows.size(1);
  const int64_t tokens = rows.size(0);
  float* const numbers = rows.mutable_data_ptr<float>();
  // A place's angles serve all sequences.
  const int64_t numbers_of_place = std::max<int64_t>(1, rows.numel() / context);
  const int64_t grain = std::max<int64_t>(1, kGrain / numbers_of_place);
  ParallelFor(0, context, grain, [&](int64_t first, int64_t last) {
    std::vector<float> cosines(pairs()), sines(pairs());
    for (int64_t place = first; place < last; ++place) {
      AnglesAt(place, direction, cosines.data(), sines.data());
      for (int64_t token = place; token < tokens; token += context) {
        RotateHeads(width / (2 * pairs()), pairs(), cosines.data(),
                    sines.data(), numbers + token * width);
      }
    }
  });
}

void RotaryEmbedding::RotateByOperations(const at::Tensor& rows,
                                         int64_t context,
                                         Direction direction) const {
  const at::NoGradGuard no_grad;
  const at::Tensor frequencies = at::empty({pairs()}, at::kFloat);
  std::copy(frequencies_.begin(), frequencies_.end(),
            frequencies.mutable_data_ptr<float>());
  // So few that they are copied before the call returns, and the host need not
  // wait for what was issued before.
  const at::Tensor angles =
      (at::arange(context, rows.options()).view({-1, 1, 1}) *
       frequencies.to(rows.device(), at::kFloat, /*non_blocking=*/true))
          .to(at::kDouble);
  const at::Tensor cosines = angles.cos().to(at::kFloat);
  const at::Tensor sines = angles.sin().to(at::kFloat);
  if (direction == Direction::kBack) sines.neg_();
  const at::Tensor halves =
      rows.view({-1, context, rows.size(1) / (2 * pairs()), 2, pairs()});
  const at::Tensor first = halves.select(3, 0);
  const at::Tensor second = halves.select(3, 1);
  const at::Tensor turned = (first * cosines).sub_(second * sines);
  second.mul_(cosines).add_(first * sines);
  first.copy_(turned);
}

void RotaryEmbedding::AnglesAt(int64_t place, Direction direction,
                               float* cosines, float* sines) const {
  const double sign = direction == Direction::kForward ? 1 : -1;
  for (int64_t i = 0; i < pairs(); ++i) {
    const float angle = static_cast<float>(place) * frequencies_[i];
    cosines[i] = static_cast<float>(std::cos(static_cast<double>(angle)));
    sines[i] = static_cast<float>(sign * std::sin(static_cast<double>(angle)));
  }
}

}  // namespace hydra
