#ifndef HYDRA_WORKER_MODEL_GELU_KERNEL_H_
#define HYDRA_WORKER_MODEL_GELU_KERNEL_H_

#include <cstdint>

namespace hydra {

// The arithmetic of gelu.h on host memory, number by number, with correctly
// rounded operations of which none are fused.
//
// What is infinite or no number gives a result that is so too.

// to[i] = gelu(from[i]). `to` may be `from`.
void GeluElements(int64_t count, const float* from, float* to);

// to[i] = gelu(from[i]); then from[i] becomes the derivative there. The two are
// apart.
void GeluAndDerivativeElements(int64_t count, float* from, float* to);

// The same with the normal distribution's function, within 3e-7 of it.
void ErfGeluElements(int64_t count, const float* from, float* to);
void ErfGeluAndDerivativeElements(int64_t count, float* from, float* to);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_GELU_KERNEL_H_
