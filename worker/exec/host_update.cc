#include "worker/exec/host_update.h"

#include <algorithm>
#include <cstddef>

#include "worker/model/finite_check.h"
#include "worker/model/optimizer_step.h"

namespace hydra {
namespace {

template <typename Number>
void CopyRange(const Number* from, Number* to, int64_t first, int64_t last) {
  if (to == nullptr) return;
  if (from == nullptr) {
    std::fill(to + first, to + last, Number{0});
  } else {
    std::copy(from + first, from + last, to + first);
  }
}

}  // namespace

void HostUpdate::Update(const BlockRange& range, const float* gradient) {
  const int64_t last = range.first + range.count;
  if (!skipped_ && !AllFinite(gradient, range.count)) {
    skipped_ = true;
    Copy(0, range.first);
  }
  if (skipped_) {
    Copy(range.first, last);
    return;
  }
  zeros_.resize(std::max<size_t>(zeros_.size(), range.count));
  scalars_.ForEachPart(
      range.first, range.count,
      [&](const UpdateScalars& scalars, int64_t first, int64_t count) {
        const auto old_part = [&](const float* block) {
          return block == nullptr ? zeros_.data() : block + first;
        };
        UpdateArrays arrays;
        arrays.gradient = gradient + (first - range.first);
        arrays.parameters = old_part(old_.parameters);
        arrays.new_parameters = new_.parameters + first;
        arrays.copied_parameters = arrays.new_parameters;
        if (new_.rounded != nullptr) {
          arrays.rounded_parameters[0] = new_.rounded + first;
        }
        for (int i = 0; i < kMostMoments; ++i) {
          if (new_.moments[i] == nullptr) continue;
          arrays.moments[i] = old_part(old_.moments[i]);
          arrays.new_moments[i] = new_.moments[i] + first;
        }
        // Nobody reads them soon.
        arrays.past_caches = true;
        UpdateAll(scalars, arrays, count);
      });
}

void HostUpdate::Copy(int64_t first, int64_t last) {
  CopyRange(old_.parameters, new_.parameters, first, last);
  CopyRange(old_.rounded, new_.rounded, first, last);
  for (int i = 0; i < kMostMoments; ++i) {
    CopyRange(old_.moments[i], new_.moments[i], first, last);
  }
}

}  // namespace hydra
