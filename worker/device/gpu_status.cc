#include "worker/device/gpu_status.h"

#include "common/clock/steady_time.h"

namespace hydra {
namespace {

std::optional<double> JoulesNow(GpuMeter* meter) {
  if (meter == nullptr) return std::nullopt;
  return meter->JoulesAt(SteadyNow());
}

}  // namespace

v1::GpuStatus GpuStatusOf(GpuMeter& meter) {
  v1::GpuStatus status;
  status.set_model(meter.model());
  const GpuReading reading = meter.newest().value_or(GpuReading());
  if (reading.use) status.set_use(*reading.use);
  if (reading.memory_used_bytes) {
    status.set_memory_used_bytes(*reading.memory_used_bytes);
  }
  if (reading.memory_total_bytes) {
    status.set_memory_total_bytes(*reading.memory_total_bytes);
  }
  if (reading.watts) status.set_power_watts(*reading.watts);
  if (const auto joules = JoulesNow(&meter)) status.set_energy_joules(*joules);
  return status;
}

TaskEnergy::TaskEnergy(GpuMeter* meter)
    : meter_(meter), begin_joules_(JoulesNow(meter)) {}

void TaskEnergy::Read(worker::v1::TaskCost& cost) const {
  const std::optional<double> joules = JoulesNow(meter_);
  if (!joules || !begin_joules_) return;
  cost.set_energy_joules(*joules - *begin_joules_);
}

}  // namespace hydra
