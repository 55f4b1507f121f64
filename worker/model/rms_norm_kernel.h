#ifndef HYDRA_WORKER_MODEL_RMS_NORM_KERNEL_H_
#define HYDRA_WORKER_MODEL_RMS_NORM_KERNEL_H_

#include <cstdint>

namespace hydra {

// The arithmetic of rms_norm.h on host memory, row by row, with correctly
// rounded operations of which none are fused. A row's sum goes in sixteen sums
// side by side, which are then added in halves.

// For rows of `width` numbers: inverse[i] = 1 / the root of row i's mean square
// plus epsilon, and to = from * inverse * weight.
void RmsNormRows(int64_t rows, int64_t width, float epsilon, const float* from,
                 const float* weight, float* to, float* inverse);

// Turns the gradient of RmsNormRows' result into that of `from`.
void RmsNormGradientRows(int64_t rows, int64_t width, const float* from,
                         const float* weight, const float* inverse,
                         float* gradient);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_RMS_NORM_KERNEL_H_
