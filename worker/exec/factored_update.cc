#include "worker/exec/factored_update.h"

#include <algorithm>
#include <cmath>

#include "common/model/factored_moments.h"
#include "worker/model/finite_check.h"
#include "worker/model/optimizer_kernel.h"
#include "worker/model/parallel_for.h"

namespace hydra {
namespace {

// What a thread rounds at once, at least.
constexpr int64_t kRoundedElements = 1 << 16;

}  // namespace

FactoredUpdate::FactoredUpdate(const ParameterBlock& block,
                               const AdafactorScalars& scalars,
                               bool decays_matrices_alone, const Memory& memory)
    : block_(block),
      scalars_(scalars),
      decays_matrices_alone_(decays_matrices_alone),
      memory_(memory),
      state_elements_(FactoredStateBytes(block) / kFloatBytes) {}

void FactoredUpdate::Update(const float* gradient, const GradientClip& clip) {
  skipped_ =
      !std::isfinite(clip.norm) || !AllFinite(gradient, block_.element_count());
  if (skipped_) return Copy();
  scalars_.gradient_scale = clip.factor;
  ZeroPadding();
  AdafactorArrays arrays;
  arrays.gradient = gradient;
  arrays.parameters = memory_.parameters;
  arrays.state = memory_.state;
  arrays.new_parameters = memory_.new_parameters;
  arrays.new_state = memory_.new_state;
  UpdateTensors(scalars_, block_, decays_matrices_alone_, arrays);
  // Squares may be infinite where the gradient is not.
  skipped_ =
      state_elements_ > 0 && !AllFinite(memory_.new_state, state_elements_);
  if (skipped_) return Copy();
  if (memory_.new_rounded != nullptr) Round();
}

void FactoredUpdate::Copy() const {
  std::copy_n(memory_.parameters, block_.element_count(),
              memory_.new_parameters);
  if (memory_.new_rounded != nullptr) {
    std::copy_n(memory_.rounded, block_.element_count(), memory_.new_rounded);
  }
  if (memory_.state == nullptr) {
    std::fill_n(memory_.new_state, state_elements_, 0.0f);
  } else {
    std::copy_n(memory_.state, state_elements_, memory_.new_state);
  }
}

void FactoredUpdate::Round() const {
  ParallelFor(0, block_.element_count(), kRoundedElements,
              [this](int64_t first, int64_t last) {
                RoundToBFloat16(memory_.new_parameters + first, last - first,
                                memory_.new_rounded + first);
              });
}

// The state is small, so all of it is.
void FactoredUpdate::ZeroPadding() const {
  std::fill_n(memory_.new_state, state_elements_, 0.0f);
  const std::vector<TensorEntry>& tensors = block_.tensors;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const int64_t end =
        block_.FirstElement(tensors[i]) + tensors[i].element_count;
    const int64_t next = i + 1 < tensors.size()
                             ? block_.FirstElement(tensors[i + 1])
                             : block_.element_count();
    std::fill(memory_.new_parameters + end, memory_.new_parameters + next,
              0.0f);
  }
}

}  // namespace hydra
