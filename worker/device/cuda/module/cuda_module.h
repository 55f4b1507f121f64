#ifndef HYDRA_WORKER_DEVICE_CUDA_MODULE_CUDA_MODULE_H_
#define HYDRA_WORKER_DEVICE_CUDA_MODULE_CUDA_MODULE_H_

#include <cstddef>

namespace hydra {

// What libhydra_cuda.so is to hydra-worker: the only code that is compiled with
// CUDA's headers and linked with its libraries. It is loaded when a GPU is
// asked for, so that one hydra-worker serves machines with a GPU and without.
// Plain functions, since the two share LibTorch, but no other library of ours.
//
// Of another format, nothing but `format` may be looked at.
constexpr int kCudaModuleFormat = 4;

// CUDA's runtime, each function as the one that its name is taken from; what
// they return is a cudaError_t. Thread-safe. A call that fails leaves no error
// behind for cudaGetLastError, which LibTorch asks, unless it stays anyway.
struct CudaRuntimeTable {
  const char* (*error_name)(int error);
  const char* (*error_string)(int error);
  int (*get_device_count)(int* count);
  int (*set_device)(int ordinal);
  // "0000:3B:00.0", with its end.
  int (*device_get_pci_bus_id)(char* id, int bytes, int ordinal);
  int (*mem_get_info)(size_t* free_bytes, size_t* total_bytes);
  int (*malloc)(void** memory, size_t bytes);
  int (*free)(void* memory);
  // Does not wait for the default stream.
  int (*stream_create)(void** stream);
  int (*stream_destroy)(void* stream);
  int (*stream_synchronize)(void* stream);
  int (*stream_wait_event)(void* stream, void* event);
  int (*device_synchronize)();
  // Without times; waiting for it leaves the processor to others.
  int (*event_create)(void** event);
  // With times.
  int (*event_create_timed)(void** event);
  int (*event_destroy)(void* event);
  int (*event_record)(void* event, void* stream);
  // 600, cudaErrorNotReady: it is not done.
  int (*event_query)(void* event);
  int (*event_synchronize)(void* event);
  int (*event_elapsed_time)(float* milliseconds, void* begin, void* end);
  int (*memcpy_to_device)(void* to, const void* from, size_t bytes,
                          void* stream);
  int (*memcpy_to_host)(void* to, const void* from, size_t bytes, void* stream);
  int (*host_register)(void* begin, size_t bytes);
  int (*host_unregister)(void* begin);
  int (*host_alloc)(void** memory, size_t bytes);
  int (*free_host)(void* memory);
};

struct CudaModule {
  // kCudaModuleFormat of its build.
  int format;
  CudaRuntimeTable runtime;

  // From now on LibTorch's CUDA tensors have memory that `allocate` returns,
  // null for no bytes, and `free` gets back; `allocate` may throw c10::Error.
  // Requires, once in a process, that LibTorch has not used CUDA yet.
  void (*use_allocator)(void* (*allocate)(size_t bytes), void (*free)(void*));
};

// What the library exports, as a C function of this name.
constexpr char kCudaModuleSymbol[] = "hydra_cuda_module";
using GetCudaModule = const CudaModule* (*)();

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_CUDA_MODULE_CUDA_MODULE_H_
