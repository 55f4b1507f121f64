#ifndef HYDRA_SCHEDULER_DAEMON_DEVICE_MODEL_H_
#define HYDRA_SCHEDULER_DAEMON_DEVICE_MODEL_H_

#include <functional>
#include <string>

#include "common/nvml/nvml.h"
#include "hydra/config/v1/daemon.pb.h"

namespace hydra {

// What a pilot's results are good for, beside the device's memory: the
// processor, which updates parameters, with a modelled link or a GPU. `gpu`
// says what that is, by its entry in its worker's CUDA_VISIBLE_DEVICES; asked
// for GPUs alone.
std::string DeviceModel(
    const config::v1::DeviceConfig& device, const std::string& cpu,
    const std::function<std::string(const std::string& entry)>& gpu);

// What the driver calls a GPU, with its memory: "NVIDIA A100, 40960 MiB".
// Empty: it does not say.
std::string GpuModel(const Nvml& nvml, const std::string& entry);

// The same of this machine's.
std::string GpuModelOfDriver(const std::string& entry);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_DEVICE_MODEL_H_
