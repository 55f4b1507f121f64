#ifndef HYDRA_WORKER_DEVICE_TESTING_TEST_DEVICE_H_
#define HYDRA_WORKER_DEVICE_TESTING_TEST_DEVICE_H_

#include <cstdint>
#include <memory>

#include "worker/device/device.h"

namespace hydra {

// What a test computes on, with one thread: more would only wait for each other
// on models this small. `device_tests` in device_tests.bzl runs a test on a
// CpuDevice, on a LateDevice, on a CudaDevice over a fake of CUDA, and on a
// LateDevice over a ForeignDevice.
std::unique_ptr<Device> NewTestDevice(int64_t limit_bytes);

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_TESTING_TEST_DEVICE_H_
