#include "scheduler/daemon/all_gpus.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/nvml/load_nvml.h"
#include "common/nvml/nvml.h"
#include "scheduler/daemon/device_environment.h"

namespace hydra {
namespace {

using config::v1::DaemonConfig;
using config::v1::DeviceConfig;

constexpr char kAllGpus[] = "cuda:all";
constexpr char kVisible[] = "CUDA_VISIBLE_DEVICES";

absl::Status NoGpu(absl::string_view found) {
  return absl::FailedPreconditionError(absl::StrCat(
      kAllGpus, " stands for every GPU, and there is none: ", found,
      "; does nvidia-smi show one?"));
}

}  // namespace

absl::Status ExpandAllGpus(const std::function<absl::StatusOr<int>()>& count,
                           DaemonConfig* config) {
  const auto is_all = [](const DeviceConfig& device) {
    return device.name() == kAllGpus;
  };
  if (std::none_of(config->devices().begin(), config->devices().end(),
                   is_all)) {
    return absl::OkStatus();
  }
  const absl::StatusOr<int> gpus = count();
  if (!gpus.ok()) return NoGpu(gpus.status().message());
  if (*gpus == 0) {
    const std::optional<std::string> visible = OwnVariable(kVisible);
    return NoGpu(visible.has_value()
                     ? absl::StrCat(kVisible, " is \"", *visible, "\"")
                     : "the driver knows of no GPU");
  }
  DaemonConfig expanded;
  for (const DeviceConfig& device : config->devices()) {
    for (int i = 0; i < (is_all(device) ? *gpus : 1); ++i) {
      DeviceConfig& copy = *expanded.add_devices();
      copy = device;
      if (is_all(device)) copy.set_name(absl::StrCat("cuda:", i));
    }
  }
  config->mutable_devices()->Swap(expanded.mutable_devices());
  return absl::OkStatus();
}

int VisibleGpus(int count, const std::optional<std::string>& visible) {
  if (!visible.has_value()) return count;
  int gpus = 0;
  for (absl::string_view entry : absl::StrSplit(*visible, ',')) {
    entry = absl::StripAsciiWhitespace(entry);
    int number = 0;
    // Others are ids of cards, which only CUDA can tell.
    const bool is_number = absl::SimpleAtoi(entry, &number);
    if (entry.empty() || (is_number && (number < 0 || number >= count))) break;
    ++gpus;
  }
  return gpus;
}

absl::StatusOr<int> CountGpus() {
  const absl::StatusOr<NvmlTable> table = LoadNvml();
  if (!table.ok()) return table.status();
  const auto nvml = Nvml::Open(*table);
  if (!nvml.ok()) return nvml.status();
  const absl::StatusOr<int> count = (*nvml)->DeviceCount();
  if (!count.ok()) return count.status();
  return VisibleGpus(*count, OwnVariable(kVisible));
}

}  // namespace hydra
