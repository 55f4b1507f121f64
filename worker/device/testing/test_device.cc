#include "worker/device/testing/test_device.h"

#include <cstdlib>
#include <memory>
#include <utility>

#include "ATen/Parallel.h"
#include "absl/strings/string_view.h"
#include "worker/device/cpu/cpu_device.h"
#include "worker/device/cuda/testing/on_fake_cuda.h"
#include "worker/device/testing/foreign_device.h"
#include "worker/device/testing/late_device.h"

namespace hydra {
namespace {

std::unique_ptr<Device> NewOnFakeCuda(int64_t limit_bytes) {
  FakeCuda::Options cuda;
  cuda.memory_bytes = limit_bytes;
  // As pinned memory is copied, so as late as may be.
  cuda.unregistered_copies_wait = false;
  cuda.asking_brings_on = false;
  CudaDevice::Options device = OnFakeCuda::OptionsOf(limit_bytes);
  // As the others': tests know to the byte what does not fit.
  device.alignment_bytes = 64;
  return std::make_unique<OnFakeCuda>(cuda, device);
}

}  // namespace

std::unique_ptr<Device> NewTestDevice(int64_t limit_bytes) {
  at::set_num_threads(1);
  const char* const variable = std::getenv("HYDRA_TEST_DEVICE");
  const absl::string_view kind = variable == nullptr ? "cpu" : variable;
  if (kind == "cuda") return NewOnFakeCuda(limit_bytes);
  if (kind == "foreign") {
    return std::make_unique<LateDevice>(
        std::make_unique<ForeignDevice>(limit_bytes));
  }
  std::unique_ptr<Device> device = CpuDevice::Create(0, limit_bytes).value();
  if (kind != "late") return device;
  return std::make_unique<LateDevice>(std::move(device));
}

}  // namespace hydra
