#ifndef HYDRA_WORKER_DEVICE_GPU_STATUS_H_
#define HYDRA_WORKER_DEVICE_GPU_STATUS_H_

#include <optional>

#include "hydra/v1/status.pb.h"
#include "hydra/worker/v1/worker.pb.h"
#include "worker/device/gpu_meter.h"

namespace hydra {

// What a worker reports of its GPU. Thread-safe.
v1::GpuStatus GpuStatusOf(GpuMeter& meter);

// The energy of one task: what the card uses from the construction to Read. One
// task computes at a time, so the tasks of all jobs share what a card uses
// while it is not idle.
class TaskEnergy {
 public:
  // Null: there is nothing to read. Outlives this.
  explicit TaskEnergy(GpuMeter* meter);

  // Leaves `cost` as it is where the energy is not known.
  void Read(worker::v1::TaskCost& cost) const;

 private:
  GpuMeter* const meter_;
  const std::optional<double> begin_joules_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_GPU_STATUS_H_
