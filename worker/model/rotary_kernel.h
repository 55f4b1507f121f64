#ifndef HYDRA_WORKER_MODEL_ROTARY_KERNEL_H_
#define HYDRA_WORKER_MODEL_ROTARY_KERNEL_H_

#include <cstdint>

namespace hydra {

// The arithmetic of rotary_embedding.h on host memory: turns `heads` heads in a
// row, each of 2 * pairs numbers, number i of a head with number i + pairs by
// the angle whose cosine and sine are given. Correctly rounded operations, of
// which none are fused.
void RotateHeads(int64_t heads, int64_t pairs, const float* cosines,
                 const float* sines, float* numbers);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_ROTARY_KERNEL_H_
