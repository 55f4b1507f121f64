#ifndef HYDRA_WORKER_EXEC_RESERVATION_H_
#define HYDRA_WORKER_EXEC_RESERVATION_H_

#include <cstdint>

#include "c10/util/Exception.h"
#include "worker/device/device_arena.h"

namespace hydra {

// A piece of the device that nothing else gets while this lives. Throws
// c10::OutOfMemoryError if there is none.
class Reservation {
 public:
  Reservation(DeviceArena& arena, int64_t bytes) : arena_(arena) {
    if (bytes == 0) return;
    memory_ = arena.Allocate(bytes);
    TORCH_CHECK_WITH(OutOfMemoryError, memory_ != nullptr, "the device has no ",
                     bytes, " bytes to keep free");
  }
  ~Reservation() {
    if (memory_ != nullptr) arena_.Free(memory_);
  }

  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;

 private:
  DeviceArena& arena_;
  void* memory_ = nullptr;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_RESERVATION_H_
