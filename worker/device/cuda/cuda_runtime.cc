#include "worker/device/cuda/cuda_runtime.h"

#include <array>

namespace hydra {
namespace {

constexpr int kSuccess = 0;
constexpr int kNotReady = 600;
// "00000000:3B:00.0" and some more.
constexpr int kPciBusIdBytes = 32;

}  // namespace

absl::Status CudaRuntime::StatusOf(absl::string_view call, int error) const {
  if (error == kSuccess) return absl::OkStatus();
  return CudaErrorStatus(call, error, table_.error_name(error),
                         table_.error_string(error));
}

absl::StatusOr<int> CudaRuntime::DeviceCount() {
  int count = 0;
  const int error = table_.get_device_count(&count);
  if (error != kSuccess) return StatusOf("cudaGetDeviceCount", error);
  return count;
}

absl::Status CudaRuntime::SelectDevice(int ordinal) {
  return StatusOf("cudaSetDevice", table_.set_device(ordinal));
}

absl::StatusOr<std::string> CudaRuntime::PciBusId() {
  std::array<char, kPciBusIdBytes> id{};
  const int error = table_.device_get_pci_bus_id(id.data(), kPciBusIdBytes, 0);
  if (error != kSuccess) return StatusOf("cudaDeviceGetPCIBusId", error);
  return id.data();
}

absl::StatusOr<CudaCalls::Memory> CudaRuntime::DeviceMemory() {
  size_t free_bytes = 0;
  size_t total_bytes = 0;
  const int error = table_.mem_get_info(&free_bytes, &total_bytes);
  if (error != kSuccess) return StatusOf("cudaMemGetInfo", error);
  return Memory{static_cast<int64_t>(free_bytes),
                static_cast<int64_t>(total_bytes)};
}

absl::StatusOr<std::byte*> CudaRuntime::Malloc(int64_t bytes) {
  void* memory = nullptr;
  const int error = table_.malloc(&memory, bytes);
  if (error != kSuccess) return StatusOf("cudaMalloc", error);
  return static_cast<std::byte*>(memory);
}

absl::Status CudaRuntime::Free(std::byte* memory) {
  return StatusOf("cudaFree", table_.free(memory));
}

absl::StatusOr<CudaStream> CudaRuntime::CreateStream() {
  void* stream = nullptr;
  const int error = table_.stream_create(&stream);
  if (error != kSuccess) return StatusOf("cudaStreamCreate", error);
  return static_cast<CudaStream>(stream);
}

absl::Status CudaRuntime::DestroyStream(CudaStream stream) {
  return StatusOf("cudaStreamDestroy", table_.stream_destroy(stream));
}

absl::Status CudaRuntime::SynchronizeStream(CudaStream stream) {
  return StatusOf("cudaStreamSynchronize", table_.stream_synchronize(stream));
}

absl::Status CudaRuntime::SynchronizeDevice() {
  return StatusOf("cudaDeviceSynchronize", table_.device_synchronize());
}

absl::StatusOr<CudaEvent> CudaRuntime::CreateEvent() {
  void* event = nullptr;
  const int error = table_.event_create(&event);
  if (error != kSuccess) return StatusOf("cudaEventCreate", error);
  return static_cast<CudaEvent>(event);
}

absl::StatusOr<CudaEvent> CudaRuntime::CreateTimedEvent() {
  void* event = nullptr;
  const int error = table_.event_create_timed(&event);
  if (error != kSuccess) return StatusOf("cudaEventCreate", error);
  return static_cast<CudaEvent>(event);
}

absl::Status CudaRuntime::DestroyEvent(CudaEvent event) {
  return StatusOf("cudaEventDestroy", table_.event_destroy(event));
}

absl::Status CudaRuntime::RecordEvent(CudaEvent event, CudaStream stream) {
  return StatusOf("cudaEventRecord", table_.event_record(event, stream));
}

absl::StatusOr<bool> CudaRuntime::IsDone(CudaEvent event) {
  const int error = table_.event_query(event);
  if (error == kNotReady) return false;
  if (error != kSuccess) return StatusOf("cudaEventQuery", error);
  return true;
}

absl::Status CudaRuntime::SynchronizeEvent(CudaEvent event) {
  return StatusOf("cudaEventSynchronize", table_.event_synchronize(event));
}

absl::Status CudaRuntime::MakeStreamWait(CudaStream stream, CudaEvent event) {
  return StatusOf("cudaStreamWaitEvent",
                  table_.stream_wait_event(stream, event));
}

absl::StatusOr<absl::Duration> CudaRuntime::TimeBetween(CudaEvent begin,
                                                        CudaEvent end) {
  float milliseconds = 0;
  const int error = table_.event_elapsed_time(&milliseconds, begin, end);
  if (error != kSuccess) return StatusOf("cudaEventElapsedTime", error);
  return absl::Milliseconds(milliseconds);
}

absl::Status CudaRuntime::CopyToDevice(CudaStream stream,
                                       absl::Span<const std::byte> from,
                                       std::byte* to) {
  return StatusOf("cudaMemcpyAsync", table_.memcpy_to_device(
                                         to, from.data(), from.size(), stream));
}

absl::Status CudaRuntime::CopyToHost(CudaStream stream, const std::byte* from,
                                     absl::Span<std::byte> to) {
  return StatusOf("cudaMemcpyAsync",
                  table_.memcpy_to_host(to.data(), from, to.size(), stream));
}

absl::Status CudaRuntime::RegisterHost(absl::Span<std::byte> memory) {
  return StatusOf("cudaHostRegister",
                  table_.host_register(memory.data(), memory.size()));
}

absl::Status CudaRuntime::UnregisterHost(std::byte* begin) {
  return StatusOf("cudaHostUnregister", table_.host_unregister(begin));
}

absl::StatusOr<std::byte*> CudaRuntime::AllocateHost(int64_t bytes) {
  void* memory = nullptr;
  const int error = table_.host_alloc(&memory, bytes);
  if (error != kSuccess) return StatusOf("cudaHostAlloc", error);
  return static_cast<std::byte*>(memory);
}

absl::Status CudaRuntime::FreeHost(std::byte* memory) {
  return StatusOf("cudaFreeHost", table_.free_host(memory));
}

}  // namespace hydra
