#ifndef HYDRA_WORKER_DEVICE_GPU_METER_H_
#define HYDRA_WORKER_DEVICE_GPU_METER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/nvml/nvml.h"
#include "worker/device/energy_clock.h"

namespace hydra {

// What the driver says of a worker's GPU: how busy it is, its memory, its power
// and its energy. A thread of its own asks, now and then, since the driver may
// take its time; whoever wants to know gets the newest answer at once.
//
// Thread-safe.
class GpuMeter {
 public:
  using Read = std::function<GpuReading()>;

  // `read` is called by the thread alone, once at once.
  GpuMeter(std::string model, Read read, absl::Duration period);
  // Waits for a call under way.
  ~GpuMeter();

  GpuMeter(const GpuMeter&) = delete;
  GpuMeter& operator=(const GpuMeter&) = delete;

  // Of the GPU at this place on the bus, from the driver's library. The
  // library's or the driver's refusal where there is none.
  static absl::StatusOr<std::unique_ptr<GpuMeter>> OfDriver(
      const std::string& pci_bus_id);

  // "NVIDIA A100-SXM4-40GB"; empty where the driver does not say.
  const std::string& model() const { return model_; }

  // Absent before the first answer.
  std::optional<GpuReading> newest() const ABSL_LOCKS_EXCLUDED(mu_);

  // What the card has used since the first answer, see EnergyClock. Absent
  // where that is not known.
  std::optional<double> JoulesAt(absl::Time now) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mu_);

  const std::string model_;
  const Read read_;
  const absl::Duration period_;

  mutable absl::Mutex mu_;
  std::optional<GpuReading> newest_ ABSL_GUARDED_BY(mu_);
  EnergyClock energy_ ABSL_GUARDED_BY(mu_);
  bool ending_ ABSL_GUARDED_BY(mu_) = false;

  std::thread thread_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_GPU_METER_H_
