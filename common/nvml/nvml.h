#ifndef HYDRA_COMMON_NVML_NVML_H_
#define HYDRA_COMMON_NVML_NVML_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/nvml/nvml_table.h"

namespace hydra {

// What the driver says of a GPU at one moment, whoever uses it. Absent what it
// does not say: not every card has all of it.
struct GpuReading {
  // The part of the driver's last sample, of up to a second, in which something
  // ran: 0 to 1.
  std::optional<double> use;
  std::optional<int64_t> memory_used_bytes;
  std::optional<int64_t> memory_total_bytes;
  std::optional<double> watts;
  // Since the driver was loaded.
  std::optional<double> joules;
};

// The driver's word on the machine's GPUs. Thread-safe. A call may take some
// milliseconds, and longer where the driver is busy.
class Nvml {
 public:
  // FAILED_PRECONDITION: what NVML says against it.
  static absl::StatusOr<std::unique_ptr<Nvml>> Open(const NvmlTable& table);
  ~Nvml();

  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  // Of the machine, whatever CUDA_VISIBLE_DEVICES says.
  absl::StatusOr<int> DeviceCount() const;

  // By its place on the bus, which does not depend on CUDA_VISIBLE_DEVICES.
  // NOT_FOUND: it knows none there.
  absl::StatusOr<NvmlDevice> Find(const std::string& pci_bus_id) const;

  // By an entry of CUDA_VISIBLE_DEVICES: a number in the order of nvidia-smi,
  // or a card's id. NOT_FOUND: it knows none of that name.
  absl::StatusOr<NvmlDevice> FindVisible(const std::string& entry) const;

  GpuReading Read(NvmlDevice device) const;
  // "NVIDIA A100-SXM4-40GB"; empty: it does not say.
  std::string NameOf(NvmlDevice device) const;

 private:
  explicit Nvml(const NvmlTable& table) : table_(table) {}

  std::string ErrorText(absl::string_view call, int error) const;

  const NvmlTable table_;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_NVML_NVML_H_
