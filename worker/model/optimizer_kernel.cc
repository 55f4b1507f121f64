#include "worker/model/optimizer_kernel.h"

#include <cmath>

// For the functions that are compiled once for each set of instructions, and
// for what they are made of.
#define HYDRA_KERNEL inline __attribute__((always_inline)) void

namespace hydra {
namespace {

HYDRA_KERNEL Sgd(const UpdateScalars scalars, const UpdateArrays arrays,
                 int64_t first, int64_t last) {
#pragma omp simd
  for (int64_t i = first; i < last; ++i) {
    const float parameter = arrays.parameters[i];
    const float gradient =
        arrays.gradient[i] + scalars.decay_into_gradient * parameter;
    const float updated = parameter - scalars.step_size * gradient;
    arrays.new_parameters[i] = updated;
    arrays.copied_parameters[i] = updated;
  }
}

HYDRA_KERNEL Momentum(const UpdateScalars scalars, const UpdateArrays arrays,
                      int64_t first, int64_t last) {
#pragma omp simd
  for (int64_t i = first; i < last; ++i) {
    const float parameter = arrays.parameters[i];
    const float gradient =
        arrays.gradient[i] + scalars.decay_into_gradient * parameter;
    const float momentum = scalars.kept_first * arrays.moments[0][i] + gradient;
    const float updated = parameter - scalars.step_size * momentum;
    arrays.new_moments[0][i] = momentum;
    arrays.new_parameters[i] = updated;
    arrays.copied_parameters[i] = updated;
  }
}

HYDRA_KERNEL Adam(const UpdateScalars scalars, const UpdateArrays arrays,
                  int64_t first, int64_t last) {
#pragma omp simd
  for (int64_t i = first; i < last; ++i) {
    const float parameter = arrays.parameters[i];
    const float gradient =
        arrays.gradient[i] + scalars.decay_into_gradient * parameter;
    const float moment = scalars.kept_first * arrays.moments[0][i] +
                         scalars.into_first * gradient;
    const float square = scalars.kept_second * arrays.moments[1][i] +
                         scalars.into_second * gradient * gradient;
    const float root = std::sqrt(square) * scalars.root_scale + scalars.epsilon;
    const float updated =
        parameter * scalars.kept_parameter - scalars.step_size * moment / root;
    arrays.new_moments[0][i] = moment;
    arrays.new_moments[1][i] = square;
    arrays.new_parameters[i] = updated;
    arrays.copied_parameters[i] = updated;
  }
}

HYDRA_KERNEL Update(const UpdateScalars& scalars, const UpdateArrays& arrays,
                    int64_t first, int64_t last) {
  switch (scalars.rule) {
    case UpdateScalars::Rule::kSgd:
      return Sgd(scalars, arrays, first, last);
    case UpdateScalars::Rule::kMomentum:
      return Momentum(scalars, arrays, first, last);
    case UpdateScalars::Rule::kAdam:
      return Adam(scalars, arrays, first, last);
  }
}

void UpdateBaseline(const UpdateScalars& scalars, const UpdateArrays& arrays,
                    int64_t first, int64_t last) {
  Update(scalars, arrays, first, last);
}

__attribute__((target("avx2"))) void UpdateAvx2(const UpdateScalars& scalars,
                                                const UpdateArrays& arrays,
                                                int64_t first, int64_t last) {
  Update(scalars, arrays, first, last);
}

}  // namespace

bool IsAvailable(InstructionSet instructions) {
  return instructions == InstructionSet::kBaseline ||
         __builtin_cpu_supports("avx2");
}

void UpdateElements(const UpdateScalars& scalars, const UpdateArrays& arrays,
                    int64_t first, int64_t last) {
  static const InstructionSet best = IsAvailable(InstructionSet::kAvx2)
                                         ? InstructionSet::kAvx2
                                         : InstructionSet::kBaseline;
  UpdateElementsWith(best, scalars, arrays, first, last);
}

void UpdateElementsWith(InstructionSet instructions,
                        const UpdateScalars& scalars,
                        const UpdateArrays& arrays, int64_t first,
                        int64_t last) {
  switch (instructions) {
    case InstructionSet::kBaseline:
      return UpdateBaseline(scalars, arrays, first, last);
    case InstructionSet::kAvx2:
      return UpdateAvx2(scalars, arrays, first, last);
  }
}

}  // namespace hydra
