#ifndef HYDRA_WORKER_MODEL_PARALLEL_FOR_H_
#define HYDRA_WORKER_MODEL_PARALLEL_FOR_H_

#include <cstdint>

#include "absl/functional/function_ref.h"

namespace hydra {

// Calls body(first, last) for ranges that make up [begin, end), side by side in
// the threads of LibTorch's operations (at::set_num_threads); in the calling
// one alone if there are no more than `grain`. Returns when all is done, or
// throws what one of them threw.
//
// What at::parallel_for promises: but that is compiled with its caller, and
// runs all of it in the calling thread where the caller is not compiled for
// LibTorch's own OpenMP library. This asks LibTorch to do it.
void ParallelFor(int64_t begin, int64_t end, int64_t grain,
                 absl::FunctionRef<void(int64_t first, int64_t last)> body);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_PARALLEL_FOR_H_
