#ifndef HYDRA_WORKER_MODEL_COMPUTE_THREADS_H_
#define HYDRA_WORKER_MODEL_COMPUTE_THREADS_H_

namespace hydra {

// Sets up the calling thread, and those that help it, for LibTorch's
// operations: `threads` of them for one operation. On all of them numbers that
// are too small for fp32's normal range are 0, both as operands and as results:
// they are slow, and a moment that decays would never get below the least of
// them. Part of the arithmetic, see docs/exactness.md.
//
// Call it in the thread that computes, before its first operation. Threads that
// are begun by it later inherit the setting.
void SetUpComputeThreads(int threads);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_COMPUTE_THREADS_H_
