#ifndef HYDRA_WORKER_MODEL_SWIGLU_KERNEL_H_
#define HYDRA_WORKER_MODEL_SWIGLU_KERNEL_H_

#include <cstdint>

namespace hydra {

// The arithmetic of swiglu.h on host memory, number by number, with correctly
// rounded operations of which none are fused.
//
// What is infinite or no number gives a result that is so too.

// to[i] = silu(gate[i]) * up[i]. `to` may be `gate`.
void SwigluElements(int64_t count, const float* gate, const float* up,
                    float* to);

// The same; then gate[i] and up[i] become the derivatives by them. The three
// are apart.
void SwigluAndDerivativeElements(int64_t count, float* gate, float* up,
                                 float* to);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_SWIGLU_KERNEL_H_
