#include "worker/model/gradient_norm.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace hydra {
namespace {

// clip_grad_norm_'s.
constexpr double kAddedToNorm = 1e-6;

// Sums that are added up side by side, whatever the processor's registers hold.
constexpr int kLanes = 8;

double SumOfSquares(const float* floats, int64_t count) {
  std::array<double, kLanes> sums = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) {
      const double number = floats[i + lane];
      sums[lane] += number * number;
    }
  }
  for (int lane = 0; i < count; ++i, ++lane) {
    const double number = floats[i];
    sums[lane] += number * number;
  }
  double sum = 0;
  for (double lane : sums) sum += lane;
  return sum;
}

}  // namespace

double GradientSquares(const ParameterBlock& block, const float* flat) {
  double squares = 0;
  for (const TensorEntry& tensor : block.tensors) {
    const float* const numbers = flat + block.FirstElement(tensor);
    if (tensor.use == TensorUse::kParameter) {
      squares += SumOfSquares(numbers, tensor.element_count);
    } else if (!std::all_of(
                   numbers, numbers + tensor.element_count,
                   [](float number) { return std::isfinite(number); })) {
      squares = std::numeric_limits<double>::quiet_NaN();
    }
  }
  return squares;
}

double GradientNorm(absl::Span<const double> squares) {
  double sum = 0;
  for (double of_block : squares) sum += of_block;
  return std::sqrt(sum);
}

float ClipFactor(double max_norm, double norm) {
  return static_cast<float>(std::min(1.0, max_norm / (norm + kAddedToNorm)));
}

}  // namespace hydra
