#include "worker/device/gpu_meter.h"

#include <utility>

#include "common/clock/steady_time.h"
#include "common/nvml/load_nvml.h"

namespace hydra {
namespace {

// Drivers renew what they say about as often.
constexpr absl::Duration kPeriod = absl::Milliseconds(250);

}  // namespace

GpuMeter::GpuMeter(std::string model, Read read, absl::Duration period)
    : model_(std::move(model)),
      read_(std::move(read)),
      period_(period),
      thread_([this] { Run(); }) {}

GpuMeter::~GpuMeter() {
  {
    absl::MutexLock lock(&mu_);
    ending_ = true;
  }
  thread_.join();
}

absl::StatusOr<std::unique_ptr<GpuMeter>> GpuMeter::OfDriver(
    const std::string& pci_bus_id) {
  const absl::StatusOr<NvmlTable> table = LoadNvml();
  if (!table.ok()) return table.status();
  auto opened = Nvml::Open(*table);
  if (!opened.ok()) return opened.status();
  const std::shared_ptr<Nvml> nvml = *std::move(opened);
  const absl::StatusOr<NvmlDevice> device = nvml->Find(pci_bus_id);
  if (!device.ok()) return device.status();
  return std::make_unique<GpuMeter>(
      nvml->NameOf(*device),
      [nvml, device = *device] { return nvml->Read(device); }, kPeriod);
}

std::optional<GpuReading> GpuMeter::newest() const {
  absl::MutexLock lock(&mu_);
  return newest_;
}

std::optional<double> GpuMeter::JoulesAt(absl::Time now) {
  absl::MutexLock lock(&mu_);
  return energy_.JoulesAt(now);
}

void GpuMeter::Run() {
  while (true) {
    const GpuReading reading = read_();
    const absl::Time at = SteadyNow();
    absl::MutexLock lock(&mu_);
    newest_ = reading;
    energy_.Add(at, reading.joules, reading.watts);
    if (mu_.AwaitWithTimeout(absl::Condition(&ending_), period_)) return;
  }
}

}  // namespace hydra
