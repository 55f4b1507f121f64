#include "worker/device/cpu/cpu_device.h"

#include <cstring>
#include <ctime>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/clock/steady_time.h"
#include "worker/device/arena_c10_allocator.h"
#include "worker/device/check_copy.h"

namespace hydra {
namespace {

// Adds what it took to `took_ns`.
void CopyBytes(const void* from, size_t bytes, void* to,
               std::atomic<int64_t>& took_ns) {
  // An empty range may have no address, which memcpy must not be given.
  if (bytes == 0) return;
  const absl::Time begin = SteadyNow();
  std::memcpy(to, from, bytes);
  took_ns += absl::ToInt64Nanoseconds(SteadyNow() - begin);
}

}  // namespace

absl::StatusOr<std::unique_ptr<CpuDevice>> CpuDevice::Create(
    int index, int64_t limit_bytes) {
  auto arena = DeviceArena::Create(limit_bytes);
  if (!arena.ok()) return arena.status();
  return std::unique_ptr<CpuDevice>(
      new CpuDevice(index, UseArenaForCpuTensors(*std::move(arena))));
}

CpuDevice::CpuDevice(int index, DeviceArena* arena)
    : name_(absl::StrCat("cpu:", index)),
      arena_(arena),
      host_buffers_(HostBuffers::MostBytes(arena->limit_bytes())) {}

c10::Device CpuDevice::torch_device() const {
  return c10::Device(c10::DeviceType::CPU);
}

Mark CpuDevice::CopyToDevice(absl::Span<const std::byte> from,
                             const at::Tensor& to) {
  CheckCopy(to, from.size());
  CopyBytes(from.data(), from.size(), to.mutable_data_ptr(),
            copy_ns_[static_cast<int>(CopyLane::kPromote)]);
  return {};
}

Mark CpuDevice::CopyToHost(const at::Tensor& from, absl::Span<std::byte> to) {
  CheckCopy(from, to.size());
  CopyBytes(from.const_data_ptr(), to.size(), to.data(),
            copy_ns_[static_cast<int>(CopyLane::kDemote)]);
  return {};
}

std::optional<absl::Duration> CpuDevice::CopyTime(CopyLane lane) const {
  return absl::Nanoseconds(copy_ns_[static_cast<int>(lane)].load());
}

absl::Duration CpuDevice::ComputeTime() const {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return absl::DurationFromTimespec(time);
}

}  // namespace hydra
