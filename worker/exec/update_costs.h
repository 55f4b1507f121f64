#ifndef HYDRA_WORKER_EXEC_UPDATE_COSTS_H_
#define HYDRA_WORKER_EXEC_UPDATE_COSTS_H_

#include <cstdint>

#include "absl/time/time.h"
#include "hydra/v1/job.pb.h"
#include "hydra/v1/status.pb.h"
#include "worker/device/device.h"

namespace hydra {

// How fast a device's link is each way, in bytes a second.
struct CopyRates {
  double to_device = 0;
  double to_host = 0;
};

// And the host's processor.
struct UpdateRates {
  CopyRates copies;
  // Of the bytes that an update reads and writes.
  double host_update = 0;
};

// How long the busiest of the link's directions and the host's processor would
// be busy with a step's updates.
struct UpdateCosts {
  absl::Duration on_host;
  absl::Duration on_device;
};

// What is updated.
struct UpdatedParameters {
  int64_t count = 0;
  // Of each.
  int moments = 0;
  // They are bfloat16, each with a master; else they are fp32.
  bool have_masters = false;
};

// On the device, state comes, and state and parameters go; on the host,
// gradients go, and the new parameters, which were on the device already, come.
// Pure.
UpdateCosts CostsOfUpdates(const UpdateRates& rates,
                           const UpdatedParameters& parameters);

// Copies some megabytes each way, in the thread that issues the device's
// operations; nothing else may use the device meanwhile. LibTorch's exceptions
// pass through.
CopyRates MeasureCopyRates(Device& device);

// Updates some megabytes.
double MeasureHostUpdateRate();

// Whether updates can be made on the device: their arithmetic is the host's.
inline bool CanUpdate(const Device& device) {
  return device.torch_device().is_cpu();
}

// Where to update, for what the job asks for. Measures the host if there is a
// choice.
hydra::v1::UpdatePlan PlanUpdates(hydra::v1::UpdatePlace asked,
                                  const UpdatedParameters& parameters,
                                  bool device_can_update,
                                  const CopyRates& copies);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_UPDATE_COSTS_H_
