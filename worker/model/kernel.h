#ifndef HYDRA_WORKER_MODEL_KERNEL_H_
#define HYDRA_WORKER_MODEL_KERNEL_H_

// For the functions that are compiled once for each set of instructions, and
// for what they are made of.
#define HYDRA_KERNEL inline __attribute__((always_inline))

#endif  // HYDRA_WORKER_MODEL_KERNEL_H_
