#ifndef HYDRA_WORKER_DEVICE_CUDA_CUDA_RUNTIME_H_
#define HYDRA_WORKER_DEVICE_CUDA_CUDA_RUNTIME_H_

#include "worker/device/cuda/cuda_calls.h"
#include "worker/device/cuda/module/cuda_module.h"

namespace hydra {

// CUDA itself, by the functions of a loaded module.
class CudaRuntime : public CudaCalls {
 public:
  explicit CudaRuntime(const CudaRuntimeTable& table) : table_(table) {}

  absl::StatusOr<int> DeviceCount() override;
  absl::Status SelectDevice(int ordinal) override;
  absl::StatusOr<std::string> PciBusId() override;
  absl::StatusOr<Memory> DeviceMemory() override;
  absl::StatusOr<std::byte*> Malloc(int64_t bytes) override;
  absl::Status Free(std::byte* memory) override;
  absl::StatusOr<CudaStream> CreateStream() override;
  absl::Status DestroyStream(CudaStream stream) override;
  absl::Status SynchronizeStream(CudaStream stream) override;
  absl::Status SynchronizeDevice() override;
  absl::StatusOr<CudaEvent> CreateEvent() override;
  absl::StatusOr<CudaEvent> CreateTimedEvent() override;
  absl::Status DestroyEvent(CudaEvent event) override;
  absl::Status RecordEvent(CudaEvent event, CudaStream stream) override;
  absl::StatusOr<bool> IsDone(CudaEvent event) override;
  absl::Status SynchronizeEvent(CudaEvent event) override;
  absl::Status MakeStreamWait(CudaStream stream, CudaEvent event) override;
  absl::StatusOr<absl::Duration> TimeBetween(CudaEvent begin,
                                             CudaEvent end) override;
  absl::Status CopyToDevice(CudaStream stream, absl::Span<const std::byte> from,
                            std::byte* to) override;
  absl::Status CopyToHost(CudaStream stream, const std::byte* from,
                          absl::Span<std::byte> to) override;
  absl::Status RegisterHost(absl::Span<std::byte> memory) override;
  absl::Status UnregisterHost(std::byte* begin) override;
  absl::StatusOr<std::byte*> AllocateHost(int64_t bytes) override;
  absl::Status FreeHost(std::byte* memory) override;

 private:
  absl::Status StatusOf(absl::string_view call, int error) const;

  const CudaRuntimeTable table_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_CUDA_CUDA_RUNTIME_H_
