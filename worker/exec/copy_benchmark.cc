// What promoting and demoting a block costs, beside memcpy of as many bytes
// between the same memories. /linked: on a device behind a modelled link that
// does not slow copies down, whose lanes are threads.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "benchmark/benchmark.h"
#include "worker/device/cpu/cpu_device.h"
#include "worker/device/cpu/linked_device.h"
#include "worker/exec/block_io.h"

namespace hydra {
namespace {

// No cache of the processor holds a block.
constexpr int64_t kBlockBytes = int64_t{128} << 20;
constexpr int64_t kElements = kBlockBytes / sizeof(float);

class Copies {
 public:
  Copies(benchmark::State& state, bool linked)
      : state_(state), pool_(kBlockBytes, std::byte{1}) {
    device_ = CpuDevice::Create(0, 2 * kBlockBytes).value();
    if (linked) {
      device_ = std::make_unique<LinkedDevice>(
          std::move(device_), LinkModel{1e15, 1e15, /*shared_bus=*/false});
    }
    version_.set_version(1);
    version_.set_size_bytes(kBlockBytes);
    // The kernel gives pages at the first touch.
    OnDevice();
  }

  // A tensor of the device's.
  at::Tensor OnDevice() {
    BlockIo io(device_.get(), Host(), nullptr);
    at::Tensor tensor = io.Promote(version_, kElements, BlockIo::Reuse::kNever);
    return tensor;
  }

  template <typename Body>
  void Run(Body body) {
    for (auto _ : state_) {
      BlockIo io(device_.get(), Host(), nullptr);
      body(io);
      io.Synchronize();
    }
    state_.SetBytesProcessed(state_.iterations() * kBlockBytes);
  }

  const worker::v1::BlockVersion& version() const { return version_; }
  std::byte* pool() { return pool_.data(); }

 private:
  HostRange Host() {
    return [this](int64_t offset, int64_t bytes) {
      return absl::MakeSpan(pool_.data() + offset, bytes);
    };
  }

  benchmark::State& state_;
  std::vector<std::byte> pool_;
  std::unique_ptr<Device> device_;
  worker::v1::BlockVersion version_;
};

void BM_Promote(benchmark::State& state, bool linked) {
  Copies copies(state, linked);
  copies.Run([&](BlockIo& io) {
    benchmark::DoNotOptimize(
        io.Promote(copies.version(), kElements, BlockIo::Reuse::kNever));
  });
}

void BM_Demote(benchmark::State& state, bool linked) {
  Copies copies(state, linked);
  const at::Tensor tensor = copies.OnDevice();
  copies.Run([&](BlockIo& io) { io.Demote(tensor, copies.version(), 0); });
}

void BM_MemcpyIn(benchmark::State& state) {
  Copies copies(state, false);
  const at::Tensor tensor = copies.OnDevice();
  copies.Run([&](BlockIo&) {
    std::memcpy(tensor.mutable_data_ptr(), copies.pool(), kBlockBytes);
  });
}

void BM_MemcpyOut(benchmark::State& state) {
  Copies copies(state, false);
  const at::Tensor tensor = copies.OnDevice();
  copies.Run([&](BlockIo&) {
    std::memcpy(copies.pool(), tensor.const_data_ptr(), kBlockBytes);
  });
}

BENCHMARK_CAPTURE(BM_Promote, plain, false)->UseRealTime();
BENCHMARK_CAPTURE(BM_Promote, linked, true)->UseRealTime();
BENCHMARK(BM_MemcpyIn)->UseRealTime();
BENCHMARK_CAPTURE(BM_Demote, plain, false)->UseRealTime();
BENCHMARK_CAPTURE(BM_Demote, linked, true)->UseRealTime();
BENCHMARK(BM_MemcpyOut)->UseRealTime();

}  // namespace
}  // namespace hydra

BENCHMARK_MAIN();
