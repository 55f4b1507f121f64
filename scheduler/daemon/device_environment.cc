#include "scheduler/daemon/device_environment.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace hydra {
namespace {

constexpr char kVisible[] = "CUDA_VISIBLE_DEVICES";
constexpr char kOrder[] = "CUDA_DEVICE_ORDER";

}  // namespace

std::optional<std::string> OwnVariable(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  return value;
}

std::string VisibleEntry(
    const DeviceName& device,
    const std::function<std::optional<std::string>(const char* name)>& own) {
  const std::optional<std::string> visible = own(kVisible);
  if (!visible.has_value()) return absl::StrCat(device.number);
  const std::vector<std::string> entries = absl::StrSplit(*visible, ',');
  return device.number < entries.size() ? entries[device.number] : "";
}

std::vector<std::string> DeviceEnvironment(
    const DeviceName& device,
    const std::function<std::optional<std::string>(const char* name)>& own) {
  if (device.kind != DeviceKind::kCuda) return {};
  std::vector<std::string> variables = {
      absl::StrCat(kVisible, "=", VisibleEntry(device, own))};
  // CUDA's own order is another one: the fastest first.
  if (!own(kOrder).has_value()) {
    variables.push_back(absl::StrCat(kOrder, "=PCI_BUS_ID"));
  }
  return variables;
}

}  // namespace hydra
