#ifndef HYDRA_SCHEDULER_DAEMON_DEVICE_ENVIRONMENT_H_
#define HYDRA_SCHEDULER_DAEMON_DEVICE_ENVIRONMENT_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/device/device_name.h"

namespace hydra {

// A variable of this process's environment.
std::optional<std::string> OwnVariable(const char* name);

// What a worker's CUDA_VISIBLE_DEVICES says, so that CUDA shows it `device`, a
// GPU, alone; empty, and so no GPU, if hydrad's own names too few. Pure.
std::string VisibleEntry(
    const DeviceName& device,
    const std::function<std::optional<std::string>(const char* name)>& own);

// What a worker's environment says beside hydrad's own, so that CUDA shows it
// its device alone: variables, each "NAME=value". "cuda:1" is the second GPU of
// those that hydrad's CUDA_VISIBLE_DEVICES names, or else of the machine's, in
// the order of nvidia-smi. Nothing for a CPU device.
//
// `own` finds a variable of hydrad's. Pure.
std::vector<std::string> DeviceEnvironment(
    const DeviceName& device,
    const std::function<std::optional<std::string>(const char* name)>& own);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_DEVICE_ENVIRONMENT_H_
