#include "worker/model/compute_threads.h"

#include <limits>
#include <thread>

#include "ATen/core/Tensor.h"
#include "ATen/ops/full.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/zeros.h"
#include "gtest/gtest.h"
#include "worker/model/optimizer_step.h"
#include "worker/model/parallel_for.h"

namespace hydra {
namespace {

// At run time, on this thread.
bool FlushesToZero() {
  volatile float least = std::numeric_limits<float>::min();
  volatile float denormal = std::numeric_limits<float>::denorm_min();
  return least / 2 == 0 && denormal * 1e30f == 0;
}

TEST(ComputeThreadsTest, FlushOnEveryThreadThatComputes) {
  for (int threads : {1, 2, 3}) {
    SetUpComputeThreads(threads);
    EXPECT_TRUE(FlushesToZero());
    at::Tensor flushed = at::zeros({threads}, at::kInt);
    int* const out = flushed.mutable_data_ptr<int>();
    ParallelFor(0, threads, 1, [out](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) out[i] = FlushesToZero() ? 1 : 0;
    });
    EXPECT_EQ(flushed.sum().item<int64_t>(), threads);
    bool inherited = false;
    std::thread([&inherited] { inherited = FlushesToZero(); }).join();
    EXPECT_TRUE(inherited);
  }
  // Large enough for LibTorch to share the work out.
  const at::Tensor least = at::full({1 << 20}, 1.2e-38f);
  EXPECT_TRUE(least.mul(0.5).eq(0).all().item<bool>());
}

TEST(ComputeThreadsTest, AMomentThatDecaysGetsToZero) {
  SetUpComputeThreads(1);
  hydra::v1::TrainSpec train;
  train.set_optim(hydra::v1::OPTIMIZER_ADAMW);
  train.set_learning_rate(0.001);
  FillOptimizerDefaults(train);
  const Hyperparameters adam = At(train, /*step=*/0, /*total_steps=*/1200);
  const at::Tensor parameters = at::ones({16});
  const at::Tensor first = at::full({16}, 1e-3f);
  const at::Tensor second = at::full({16}, 1e-3f);
  const at::Tensor gradient = at::zeros({16});
  for (int step = 1; step <= 1200; ++step) {
    UpdateRange(ScalarsAt(adam, step), parameters, gradient, first, second);
  }
  EXPECT_TRUE(first.eq(0).all().item<bool>()) << first[0].item<float>();
}

}  // namespace
}  // namespace hydra
