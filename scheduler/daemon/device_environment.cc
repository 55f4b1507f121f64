#include "scheduler/daemon/device_environment.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace hydra {
namespace {

constexpr char kVisible[] = "CUDA_VISIBLE_DEVICES";
constexpr char kOrder[] = "CUDA_DEVICE_ORDER";

// Of the list, the entry; empty, and so no GPU, if it has not so many.
std::string Entry(const std::string& list, uint32_t number) {
  const std::vector<std::string> entries = absl::StrSplit(list, ',');
  return number < entries.size() ? entries[number] : "";
}

}  // namespace

std::vector<std::string> DeviceEnvironment(
    const DeviceName& device,
    const std::function<std::optional<std::string>(const char* name)>& own) {
  if (device.kind != DeviceKind::kCuda) return {};
  const std::optional<std::string> visible = own(kVisible);
  std::vector<std::string> variables = {
      absl::StrCat(kVisible, "=",
                   visible.has_value() ? Entry(*visible, device.number)
                                       : absl::StrCat(device.number))};
  // CUDA's own order is another one: the fastest first.
  if (!own(kOrder).has_value()) {
    variables.push_back(absl::StrCat(kOrder, "=PCI_BUS_ID"));
  }
  return variables;
}

}  // namespace hydra
