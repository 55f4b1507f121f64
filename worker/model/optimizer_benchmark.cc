// What an AdamW update of a block costs: bytes per second, 28 of them for each
// parameter, or 30 with masters, which are what it reads and makes. LibTorch's
// own beside it, and memcpy of as many bytes. Arguments are threads.

#include <array>
#include <cstdint>
#include <cstring>

#include "ATen/core/Tensor.h"
#include "ATen/ops/_fused_adamw.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/full.h"
#include "ATen/ops/rand.h"
#include "benchmark/benchmark.h"
#include "worker/model/compute_threads.h"
#include "worker/model/optimizer_step.h"
#include "worker/model/parallel_for.h"

namespace hydra {
namespace {

// No cache holds them.
constexpr int64_t kElements = int64_t{1} << 25;
constexpr int64_t kBytesOfElement = 28;

Hyperparameters AdamW() {
  Hyperparameters h;
  h.optimizer = hydra::v1::OPTIMIZER_ADAMW;
  h.learning_rate = 1e-4;
  h.weight_decay = 0.01;
  h.beta1 = 0.9;
  h.beta2 = 0.999;
  h.epsilon = 1e-8;
  return h;
}

struct Block {
  at::Tensor parameters = at::rand({kElements});
  std::array<at::Tensor, kMostMoments> moments = {at::rand({kElements}),
                                                  at::rand({kElements})};
};

// The block before the step, and after it.
class Update {
 public:
  explicit Update(benchmark::State& state) : state_(state) {
    SetUpComputeThreads(static_cast<int>(state.range(0)));
  }

  template <typename Body>
  void Run(Body body, int64_t bytes_of_element = kBytesOfElement) {
    for (auto _ : state_) body();
    state_.SetBytesProcessed(state_.iterations() * kElements *
                             bytes_of_element);
  }

  const at::Tensor gradient = at::rand({kElements});
  Block before;
  Block after;

 private:
  benchmark::State& state_;
};

float* Data(const at::Tensor& tensor) {
  return tensor.mutable_data_ptr<float>();
}

UpdateArrays FromTo(const at::Tensor& gradient, const Block& from,
                    const Block& to) {
  UpdateArrays arrays;
  arrays.gradient = Data(gradient);
  arrays.parameters = Data(from.parameters);
  arrays.new_parameters = Data(to.parameters);
  arrays.copied_parameters = arrays.new_parameters;
  for (int i = 0; i < kMostMoments; ++i) {
    arrays.moments[i] = Data(from.moments[i]);
    arrays.new_moments[i] = Data(to.moments[i]);
  }
  return arrays;
}

// LibTorch's, in place.
void Fused(const Hyperparameters& h, const at::Tensor& parameters,
           const at::Tensor& gradient,
           const std::array<at::Tensor, kMostMoments>& moments) {
  at::_fused_adamw_(parameters, gradient, moments[0], moments[1],
                    /*max_exp_avg_sqs=*/{}, at::full({}, 7.0f), h.learning_rate,
                    h.beta1, h.beta2, h.weight_decay, h.epsilon,
                    /*amsgrad=*/false, /*maximize=*/false,
                    /*grad_scale=*/{}, /*found_inf=*/{});
}

void BM_OwnFromOldToNew(benchmark::State& state) {
  Update update(state);
  const UpdateScalars scalars = ScalarsAt(AdamW(), 7);
  const UpdateArrays arrays =
      FromTo(update.gradient, update.before, update.after);
  update.Run([&] { UpdateAll(scalars, arrays, kElements); });
}

// As where the device's memory is host memory.
void BM_OwnPastCaches(benchmark::State& state) {
  Update update(state);
  const UpdateScalars scalars = ScalarsAt(AdamW(), 7);
  UpdateArrays arrays = FromTo(update.gradient, update.before, update.after);
  arrays.copied_parameters = Data(update.before.parameters);
  arrays.past_caches = true;
  update.Run([&] { UpdateAll(scalars, arrays, kElements); });
}

// As the host updates bfloat16: what is updated is the masters.
void BM_OwnMastersPastCaches(benchmark::State& state) {
  Update update(state);
  const UpdateScalars scalars = ScalarsAt(AdamW(), 7);
  UpdateArrays arrays = FromTo(update.gradient, update.before, update.after);
  const at::Tensor rounded =
      at::empty({kElements}, at::TensorOptions().dtype(at::kBFloat16));
  arrays.rounded_parameters[0] =
      reinterpret_cast<uint16_t*>(rounded.mutable_data_ptr<at::BFloat16>());
  arrays.past_caches = true;
  constexpr int64_t kBytesWithMaster = kBytesOfElement + sizeof(uint16_t);
  update.Run([&] { UpdateAll(scalars, arrays, kElements); }, kBytesWithMaster);
}

void BM_OwnInPlace(benchmark::State& state) {
  Update update(state);
  const UpdateScalars scalars = ScalarsAt(AdamW(), 7);
  const UpdateArrays arrays =
      FromTo(update.gradient, update.before, update.before);
  update.Run([&] { UpdateAll(scalars, arrays, kElements); });
}

void BM_LibTorchInPlace(benchmark::State& state) {
  Update update(state);
  update.Run([&] {
    Fused(AdamW(), update.before.parameters, update.gradient,
          update.before.moments);
  });
}

// In ranges: the moments are copied, updated and copied again, and so are the
// new parameters, by one thread as a device's copies are.
void BM_LibTorchFromOldToNewByCopies(benchmark::State& state) {
  Update update(state);
  const auto range_of = [](const at::Tensor& tensor, int64_t first) {
    return tensor.narrow(0, first, kUpdateRangeElements);
  };
  const std::array<at::Tensor, kMostMoments> buffers = {
      at::empty({kUpdateRangeElements}), at::empty({kUpdateRangeElements})};
  const auto copy = [](const at::Tensor& from, const at::Tensor& to) {
    std::memcpy(Data(to), Data(from), from.nbytes());
  };
  update.Run([&] {
    for (int64_t i = 0; i < kElements; i += kUpdateRangeElements) {
      for (int j = 0; j < kMostMoments; ++j) {
        copy(range_of(update.before.moments[j], i), buffers[j]);
      }
      const at::Tensor parameters = range_of(update.before.parameters, i);
      Fused(AdamW(), parameters, range_of(update.gradient, i), buffers);
      copy(parameters, range_of(update.after.parameters, i));
      for (int j = 0; j < kMostMoments; ++j) {
        copy(buffers[j], range_of(update.after.moments[j], i));
      }
    }
  });
}

// Half of the bytes are read, half are written.
void BM_Memcpy(benchmark::State& state) {
  Update update(state);
  constexpr int64_t kHalf = kBytesOfElement * kElements / 2 / sizeof(float);
  const at::Tensor from = at::rand({kHalf});
  const at::Tensor to = at::rand({kHalf});
  update.Run([&] {
    ParallelFor(0, kHalf, 1, [&](int64_t first, int64_t last) {
      std::memcpy(Data(to) + first, Data(from) + first,
                  (last - first) * sizeof(float));
    });
  });
}

BENCHMARK(BM_OwnFromOldToNew)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(BM_OwnPastCaches)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(BM_OwnMastersPastCaches)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(BM_OwnInPlace)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(BM_LibTorchInPlace)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(BM_LibTorchFromOldToNewByCopies)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(BM_Memcpy)->Arg(1)->Arg(2)->UseRealTime();

}  // namespace
}  // namespace hydra

BENCHMARK_MAIN();
