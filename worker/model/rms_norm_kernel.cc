#include "worker/model/rms_norm_kernel.h"

#include <cmath>
#include <cstdint>

#include "worker/model/kernel.h"

namespace hydra {
namespace {

constexpr int64_t kLanes = 16;

// term(0) + term(1) + ... in an order that `width` alone fixes.
template <typename Term>
HYDRA_KERNEL float RowSum(int64_t width, Term term) {
  float sums[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) {
#pragma omp simd
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      sums[lane] += term(i + lane);
    }
  }
  for (int64_t lane = 0; i < width; ++i, ++lane) sums[lane] += term(i);
  for (int64_t half = kLanes / 2; half > 0; half /= 2) {
    for (int64_t lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
  }
  return sums[0];
}

struct Square {
  HYDRA_KERNEL float operator()(int64_t i) const { return from[i] * from[i]; }
  const float* from;
};

// Of a normalized number and its gradient.
struct Product {
  HYDRA_KERNEL float operator()(int64_t i) const {
    return gradient[i] * weight[i] * (from[i] * factor);
  }
  const float* gradient;
  const float* weight;
  const float* from;
  float factor;
};

HYDRA_KERNEL void Norm(int64_t rows, int64_t width, float epsilon,
                       const float* from, const float* weight, float* to,
                       float* inverse) {
  for (int64_t row = 0; row < rows; ++row, from += width, to += width) {
    const float mean = RowSum(width, Square{from}) / static_cast<float>(width);
    const float factor = 1 / std::sqrt(mean + epsilon);
    inverse[row] = factor;
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) to[i] = from[i] * factor * weight[i];
  }
}

HYDRA_KERNEL void Gradient(int64_t rows, int64_t width, const float* from,
                           const float* weight, const float* inverse,
                           float* gradient) {
  for (int64_t row = 0; row < rows; ++row, from += width, gradient += width) {
    const float factor = inverse[row];
    const float mean = RowSum(width, Product{gradient, weight, from, factor}) /
                       static_cast<float>(width);
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) {
      gradient[i] =
          factor * (gradient[i] * weight[i] - from[i] * factor * mean);
    }
  }
}

void NormBaseline(int64_t rows, int64_t width, float epsilon, const float* from,
                  const float* weight, float* to, float* inverse) {
  Norm(rows, width, epsilon, from, weight, to, inverse);
}

__attribute__((target("avx2"))) void NormAvx2(int64_t rows, int64_t width,
                                              float epsilon, const float* from,
                                              const float* weight, float* to,
                                              float* inverse) {
  Norm(rows, width, epsilon, from, weight, to, inverse);
}

void GradientBaseline(int64_t rows, int64_t width, const float* from,
                      const float* weight, const float* inverse,
                      float* gradient) {
  Gradient(rows, width, from, weight, inverse, gradient);
}

__attribute__((target("avx2"))) void GradientAvx2(int64_t rows, int64_t width,
                                                  const float* from,
                                                  const float* weight,
                                                  const float* inverse,
                                                  float* gradient) {
  Gradient(rows, width, from, weight, inverse, gradient);
}

}  // namespace

void RmsNormRows(int64_t rows, int64_t width, float epsilon, const float* from,
                 const float* weight, float* to, float* inverse) {
  static const auto best =
      __builtin_cpu_supports("avx2") ? &NormAvx2 : &NormBaseline;
  best(rows, width, epsilon, from, weight, to, inverse);
}

void RmsNormGradientRows(int64_t rows, int64_t width, const float* from,
                         const float* weight, const float* inverse,
                         float* gradient) {
  static const auto best =
      __builtin_cpu_supports("avx2") ? &GradientAvx2 : &GradientBaseline;
  best(rows, width, from, weight, inverse, gradient);
}

}  // namespace hydra
