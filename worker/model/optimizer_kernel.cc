#include "worker/model/optimizer_kernel.h"

#include <emmintrin.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

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
    const float gradient = scalars.gradient_scale * arrays.gradient[i] +
                           scalars.decay_into_gradient * parameter;
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
    const float gradient = scalars.gradient_scale * arrays.gradient[i] +
                           scalars.decay_into_gradient * parameter;
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
    const float gradient = scalars.gradient_scale * arrays.gradient[i] +
                           scalars.decay_into_gradient * parameter;
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

HYDRA_KERNEL Lion(const UpdateScalars scalars, const UpdateArrays arrays,
                  int64_t first, int64_t last) {
#pragma omp simd
  for (int64_t i = first; i < last; ++i) {
    const float parameter = arrays.parameters[i];
    const float gradient = scalars.gradient_scale * arrays.gradient[i];
    const float moment = arrays.moments[0][i];
    const float mean =
        scalars.kept_first * moment + scalars.into_first * gradient;
    // Of 0, either one, it is 0.
    const float sign = (mean > 0 ? 1.0f : 0.0f) - (mean < 0 ? 1.0f : 0.0f);
    const float updated =
        parameter * scalars.kept_parameter - scalars.step_size * sign;
    arrays.new_moments[0][i] =
        scalars.kept_second * moment + scalars.into_second * gradient;
    arrays.new_parameters[i] = updated;
    arrays.copied_parameters[i] = updated;
  }
}

HYDRA_KERNEL Take(const UpdateArrays arrays, int64_t first, int64_t last) {
  for (int64_t i = first; i < last; ++i) {
    const float taken = arrays.gradient[i];
    arrays.new_parameters[i] = taken;
    arrays.copied_parameters[i] = taken;
  }
  for (int moment = 0; moment < kMostMoments; ++moment) {
    if (arrays.moments[moment] == nullptr) continue;
    for (int64_t i = first; i < last; ++i) {
      arrays.new_moments[moment][i] = arrays.moments[moment][i];
    }
  }
}

HYDRA_KERNEL Round(const float* from, int64_t first, int64_t last,
                   uint16_t* to) {
  constexpr uint32_t kInfinity = 0x7f800000;
  constexpr uint32_t kNan = 0x7fc0;
#pragma omp simd
  for (int64_t i = first; i < last; ++i) {
    uint32_t bits;
    std::memcpy(&bits, from + i, sizeof(bits));
    const uint32_t nearest = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    const bool is_nan = (bits & 0x7fffffff) > kInfinity;
    to[i] = static_cast<uint16_t>(is_nan ? kNan : nearest);
  }
}

HYDRA_KERNEL UpdateNumbers(const UpdateScalars& scalars,
                           const UpdateArrays& arrays, int64_t first,
                           int64_t last) {
  switch (scalars.rule) {
    case UpdateScalars::Rule::kSgd:
      return Sgd(scalars, arrays, first, last);
    case UpdateScalars::Rule::kMomentum:
      return Momentum(scalars, arrays, first, last);
    case UpdateScalars::Rule::kAdam:
      return Adam(scalars, arrays, first, last);
    case UpdateScalars::Rule::kLion:
      return Lion(scalars, arrays, first, last);
    case UpdateScalars::Rule::kTake:
      return Take(arrays, first, last);
  }
}

HYDRA_KERNEL Update(const UpdateScalars& scalars, const UpdateArrays& arrays,
                    int64_t first, int64_t last) {
  UpdateNumbers(scalars, arrays, first, last);
  for (uint16_t* rounded : arrays.rounded_parameters) {
    if (rounded != nullptr) Round(arrays.new_parameters, first, last, rounded);
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

void UpdateIn(InstructionSet instructions, const UpdateScalars& scalars,
              const UpdateArrays& arrays, int64_t first, int64_t last) {
  switch (instructions) {
    case InstructionSet::kBaseline:
      return UpdateBaseline(scalars, arrays, first, last);
    case InstructionSet::kAvx2:
      return UpdateAvx2(scalars, arrays, first, last);
  }
}

// Of those that are made and then copied past the caches: little enough that a
// processor's first cache holds all arrays of a piece.
constexpr int64_t kPieceElements = 256;

// `from` is aligned to 16 bytes.
template <typename Number>
void CopyPastCaches(const Number* from, int64_t count, Number* to) {
  constexpr int64_t kAtOnce = sizeof(__m128i) / sizeof(Number);
  int64_t i = 0;
  if (reinterpret_cast<uintptr_t>(to) % sizeof(__m128i) == 0) {
    for (; i + kAtOnce <= count; i += kAtOnce) {
      _mm_stream_si128(
          reinterpret_cast<__m128i*>(to + i),
          _mm_load_si128(reinterpret_cast<const __m128i*>(from + i)));
    }
  }
  std::memcpy(to + i, from + i, (count - i) * sizeof(Number));
}

void UpdatePastCaches(InstructionSet instructions, const UpdateScalars& scalars,
                      const UpdateArrays& arrays, int64_t first, int64_t last) {
  alignas(64) float parameters[kPieceElements];
  alignas(64) float moments[kMostMoments][kPieceElements];
  alignas(64) uint16_t rounded[kPieceElements];
  const auto& [rounded_past_caches, rounded_copy] = arrays.rounded_parameters;
  UpdateArrays piece;
  piece.new_parameters = parameters;
  if (rounded_past_caches != nullptr) piece.rounded_parameters[0] = rounded;
  for (int i = 0; i < kMostMoments; ++i) piece.new_moments[i] = moments[i];
  for (; first < last; first += kPieceElements) {
    const int64_t count = std::min(kPieceElements, last - first);
    piece.gradient = arrays.gradient + first;
    piece.parameters = arrays.parameters + first;
    piece.copied_parameters = arrays.copied_parameters == arrays.new_parameters
                                  ? parameters
                                  : arrays.copied_parameters + first;
    if (rounded_copy != nullptr) {
      piece.rounded_parameters[1] = rounded_copy + first;
    }
    for (int i = 0; i < kMostMoments; ++i) {
      if (arrays.moments[i] == nullptr) continue;
      piece.moments[i] = arrays.moments[i] + first;
    }
    UpdateIn(instructions, scalars, piece, 0, count);
    CopyPastCaches(parameters, count, arrays.new_parameters + first);
    if (rounded_past_caches != nullptr) {
      CopyPastCaches(rounded, count, rounded_past_caches + first);
    }
    for (int i = 0; i < kMostMoments; ++i) {
      if (arrays.new_moments[i] == nullptr) continue;
      CopyPastCaches(moments[i], count, arrays.new_moments[i] + first);
    }
  }
  // What is done later comes after these copies, for other processors too.
  _mm_sfence();
}

}  // namespace

bool IsAvailable(InstructionSet instructions) {
  return instructions == InstructionSet::kBaseline ||
         __builtin_cpu_supports("avx2");
}

void RoundToBFloat16(const float* from, int64_t count, uint16_t* to) {
  Round(from, 0, count, to);
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
  if (arrays.past_caches) {
    UpdatePastCaches(instructions, scalars, arrays, first, last);
  } else {
    UpdateIn(instructions, scalars, arrays, first, last);
  }
}

}  // namespace hydra
