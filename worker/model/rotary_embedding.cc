#include "worker/model/rotary_embedding.h"

#include <algorithm>
#include <cmath>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
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
  // Cosines, then sines.
  const at::Tensor angles = at::empty({2, context, 1, pairs()}, at::kFloat);
  float* const cosines = angles.mutable_data_ptr<float>();
  float* const sines = cosines + context * pairs();
  for (int64_t place = 0; place < context; ++place) {
    AnglesAt(place, direction, cosines + place * pairs(),
             sines + place * pairs());
  }
  const at::Tensor there = angles.to(rows.device());
  const at::Tensor halves =
      rows.view({-1, context, rows.size(1) / (2 * pairs()), 2, pairs()});
  const at::Tensor first = halves.select(3, 0);
  const at::Tensor second = halves.select(3, 1);
  const at::Tensor turned = (first * there[0]).sub_(second * there[1]);
  second.mul_(there[0]).add_(first * there[1]);
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
