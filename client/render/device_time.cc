#include "client/render/device_time.h"

#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "client/render/format.h"
#include "common/status/proto_time.h"

namespace hydra {
namespace {

std::string ShareText(absl::Duration part, absl::Duration whole) {
  const double percent = 100 * absl::FDivDuration(part, whole);
  if (percent > 0 && percent < 1) return "<1%";
  return absl::StrCat(std::lround(percent), "%");
}

}  // namespace

std::string DeviceTimeText(const v1::JobTotals& totals) {
  const absl::Duration device = FromProto(totals.device());
  const absl::Duration copy = FromProto(totals.copy());
  const std::vector<std::pair<std::string, absl::Duration>> parts = {
      {"computing", device - copy},
      {"copies", copy},
      {"waiting for hydrad", FromProto(totals.wait_for_server())},
      {"changing tasks", FromProto(totals.between_tasks())},
      {"idle", FromProto(totals.idle())}};
  absl::Duration whole;
  for (const auto& [name, part] : parts) whole += part;
  if (whole <= absl::ZeroDuration()) return "";
  std::vector<std::string> shares;
  for (const auto& [name, part] : parts) {
    shares.push_back(absl::StrCat(ShareText(part, whole), " ", name));
  }
  return absl::StrCat(DurationText(whole), ": ", absl::StrJoin(shares, ", "));
}

std::string EnergyText(const v1::JobTotals& totals) {
  if (!totals.has_energy_joules()) return "";
  constexpr double kJoulesOfWattHour = 3600;
  return absl::StrFormat("%.1f kJ (%.1f Wh)", totals.energy_joules() / 1000,
                         totals.energy_joules() / kJoulesOfWattHour);
}

}  // namespace hydra
