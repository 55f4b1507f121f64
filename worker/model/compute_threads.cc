#include "worker/model/compute_threads.h"

#include "ATen/Context.h"
#include "ATen/Parallel.h"
#include "c10/util/Exception.h"
#include "worker/model/parallel_for.h"

namespace hydra {
namespace {

void FlushDenormals() {
  TORCH_CHECK(at::globalContext().setFlushDenormal(true),
              "this processor cannot flush denormal numbers to zero");
}

}  // namespace

void SetUpComputeThreads(int threads) {
  // First, for the threads that are begun below.
  FlushDenormals();
  at::set_num_threads(threads);
  // And for those of LibTorch's pool that there were already.
  ParallelFor(0, threads, 1, [](int64_t, int64_t) { FlushDenormals(); });
}

}  // namespace hydra
