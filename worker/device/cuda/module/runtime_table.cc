#include "worker/device/cuda/module/runtime_table.h"

#include "cuda_runtime_api.h"

namespace hydra {
namespace {

// LibTorch asks for the last error after each operation, and must not find one
// that was dealt with.
int Forgotten(cudaError_t error) {
  if (error != cudaSuccess) static_cast<void>(cudaGetLastError());
  return error;
}

cudaStream_t Stream(void* stream) { return static_cast<cudaStream_t>(stream); }

cudaEvent_t Event(void* event) { return static_cast<cudaEvent_t>(event); }

}  // namespace

CudaRuntimeTable RuntimeTable() {
  CudaRuntimeTable table{};
  table.error_name = [](int error) {
    return cudaGetErrorName(static_cast<cudaError_t>(error));
  };
  table.error_string = [](int error) {
    return cudaGetErrorString(static_cast<cudaError_t>(error));
  };
  table.get_device_count = [](int* count) {
    return Forgotten(cudaGetDeviceCount(count));
  };
  table.set_device = [](int ordinal) {
    return Forgotten(cudaSetDevice(ordinal));
  };
  table.device_get_pci_bus_id = [](char* id, int bytes, int ordinal) {
    return Forgotten(cudaDeviceGetPCIBusId(id, bytes, ordinal));
  };
  table.mem_get_info = [](size_t* free_bytes, size_t* total_bytes) {
    return Forgotten(cudaMemGetInfo(free_bytes, total_bytes));
  };
  table.malloc = [](void** memory, size_t bytes) {
    return Forgotten(cudaMalloc(memory, bytes));
  };
  table.free = [](void* memory) { return Forgotten(cudaFree(memory)); };
  table.stream_create = [](void** stream) {
    return Forgotten(cudaStreamCreateWithFlags(
        reinterpret_cast<cudaStream_t*>(stream), cudaStreamNonBlocking));
  };
  table.stream_destroy = [](void* stream) {
    return Forgotten(cudaStreamDestroy(Stream(stream)));
  };
  table.stream_synchronize = [](void* stream) {
    return Forgotten(cudaStreamSynchronize(Stream(stream)));
  };
  table.stream_wait_event = [](void* stream, void* event) {
    return Forgotten(cudaStreamWaitEvent(Stream(stream), Event(event), 0));
  };
  table.device_synchronize = [] { return Forgotten(cudaDeviceSynchronize()); };
  table.event_create = [](void** event) {
    return Forgotten(cudaEventCreateWithFlags(
        reinterpret_cast<cudaEvent_t*>(event),
        cudaEventDisableTiming | cudaEventBlockingSync));
  };
  table.event_create_timed = [](void** event) {
    return Forgotten(cudaEventCreateWithFlags(
        reinterpret_cast<cudaEvent_t*>(event), cudaEventBlockingSync));
  };
  table.event_destroy = [](void* event) {
    return Forgotten(cudaEventDestroy(Event(event)));
  };
  table.event_record = [](void* event, void* stream) {
    return Forgotten(cudaEventRecord(Event(event), Stream(stream)));
  };
  table.event_query = [](void* event) {
    return Forgotten(cudaEventQuery(Event(event)));
  };
  table.event_synchronize = [](void* event) {
    return Forgotten(cudaEventSynchronize(Event(event)));
  };
  table.event_elapsed_time = [](float* milliseconds, void* begin, void* end) {
    return Forgotten(
        cudaEventElapsedTime(milliseconds, Event(begin), Event(end)));
  };
  table.memcpy_to_device = [](void* to, const void* from, size_t bytes,
                              void* stream) {
    return Forgotten(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice,
                                     Stream(stream)));
  };
  table.memcpy_to_host = [](void* to, const void* from, size_t bytes,
                            void* stream) {
    return Forgotten(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost,
                                     Stream(stream)));
  };
  table.host_register = [](void* begin, size_t bytes) {
    return Forgotten(cudaHostRegister(begin, bytes, cudaHostRegisterDefault));
  };
  table.host_unregister = [](void* begin) {
    return Forgotten(cudaHostUnregister(begin));
  };
  table.host_alloc = [](void** memory, size_t bytes) {
    return Forgotten(cudaHostAlloc(memory, bytes, cudaHostAllocDefault));
  };
  table.free_host = [](void* memory) {
    return Forgotten(cudaFreeHost(memory));
  };
  return table;
}

}  // namespace hydra
