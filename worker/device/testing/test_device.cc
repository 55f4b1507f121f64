#include "worker/device/testing/test_device.h"

#include <cstdlib>
#include <utility>

#include "ATen/Parallel.h"
#include "absl/strings/string_view.h"
#include "worker/device/cpu/cpu_device.h"
#include "worker/device/testing/late_device.h"

namespace hydra {

std::unique_ptr<Device> NewTestDevice(int64_t limit_bytes) {
  at::set_num_threads(1);
  std::unique_ptr<Device> device = CpuDevice::Create(0, limit_bytes).value();
  const char* const kind = std::getenv("HYDRA_TEST_DEVICE");
  if (kind == nullptr || absl::string_view(kind) != "late") return device;
  return std::make_unique<LateDevice>(std::move(device));
}

}  // namespace hydra
