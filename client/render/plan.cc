#include "client/render/plan.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/render/format.h"
#include "client/render/table.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

// "6.7 B", "124.4 M", "9.6 K".
std::string CountText(int64_t count) {
  const std::pair<double, const char*> units[] = {
      {1e9, " B"}, {1e6, " M"}, {1e3, " K"}};
  for (const auto& [size, name] : units) {
    if (count >= size) return absl::StrFormat("%.1f%s", count / size, name);
  }
  return absl::StrCat(count);
}

int64_t Sum(const v1::KindBytes& bytes) {
  return bytes.parameters() + bytes.optimizer_state() + bytes.activations() +
         bytes.activation_gradients() + bytes.parameter_gradients();
}

std::string CutsText(const v1::DevicePlan& device) {
  if (device.cut_points().empty()) return "1";
  return absl::StrCat(device.cut_points_size() + 1);
}

std::string NeedText(int64_t bytes) {
  return bytes == 0 ? "-" : BytesText(bytes);
}

// Of all jobs whose plans are `plan`.
std::string Heading(const std::vector<const v1::JobPlan*>& jobs, bool color) {
  const v1::JobPlan& plan = *jobs.front();
  std::string text = Styled(Printable(plan.name()), Style::kBold, color);
  if (!plan.parameters().empty()) {
    absl::StrAppend(&text, " ",
                    Printable(absl::StrJoin(plan.parameters(), " ")));
  }
  if (jobs.size() > 1) {
    absl::StrAppend(&text, " and ", jobs.size() - 1, " more alike");
  }
  absl::StrAppend(&text, ": ", CountText(plan.parameter_count()),
                  " parameters in ", plan.layers(), " layers");
  if (plan.trained_count() != plan.parameter_count()) {
    absl::StrAppend(&text, ", ", CountText(plan.trained_count()),
                    " of them trained");
  }
  return absl::StrCat(text, "; a device of ",
                      BytesText(plan.least_device_bytes()), " or more\n");
}

std::string Devices(const v1::JobPlan& plan, int width, bool color) {
  Table table({{"DEVICE", true},
               {"SHARDS", true},
               {"FORWARD", true},
               {"BACKWARD", true},
               {"EVALUATE", true},
               {"BASE", true},
               {"STATE", true},
               {"BOUNDARIES", true},
               {"GRADIENTS", true},
               {"WRITES", true},
               {"POOL", true},
               {"STEP IN", true},
               {"OUT", true}});
  std::vector<std::string> refusals;
  for (const v1::DevicePlan& device : plan.devices()) {
    const std::string limit = BytesText(device.memory_limit_bytes());
    if (!device.refusal().empty()) {
      refusals.push_back(absl::StrCat(limit, ": ", device.refusal()));
      continue;
    }
    const v1::PoolDemand& demand = device.pool_demand();
    table.AddRow(
        {limit, CutsText(device), NeedText(device.forward_bytes()),
         NeedText(device.backward_bytes()), NeedText(device.evaluate_bytes()),
         NeedText(demand.base_bytes()), BytesText(demand.committed_bytes()),
         NeedText(demand.boundary_bytes()), NeedText(demand.gradient_bytes()),
         BytesText(demand.largest_write_bytes()),
         BytesText(device.least_pool_bytes()),
         BytesText(Sum(device.promoted())), BytesText(Sum(device.demoted()))});
  }
  std::string text;
  if (refusals.size() < static_cast<size_t>(plan.devices_size())) {
    text = table.Render(width, color);
  }
  for (const std::string& refusal : refusals) {
    absl::StrAppend(&text, Styled(Printable(refusal), Style::kRed, color),
                    "\n");
  }
  return text;
}

// All that is shown of a job beside its name.
std::string ContentOf(v1::JobPlan plan) {
  plan.clear_name();
  plan.clear_parameters();
  return plan.SerializeAsString();
}

}  // namespace

std::string RenderPlan(const v1::PlanResponse& response, int width,
                       bool color) {
  // By content, in the order in which each comes first.
  std::vector<std::pair<std::string, std::vector<const v1::JobPlan*>>> alike;
  for (const v1::JobPlan& plan : response.jobs()) {
    const std::string content = ContentOf(plan);
    auto found =
        std::find_if(alike.begin(), alike.end(),
                     [&](const auto& group) { return group.first == content; });
    if (found == alike.end()) {
      found = alike.insert(alike.end(), {content, {}});
    }
    found->second.push_back(&plan);
  }
  std::string text;
  for (const auto& [content, jobs] : alike) {
    if (!text.empty()) absl::StrAppend(&text, "\n");
    absl::StrAppend(&text, Heading(jobs, color),
                    Devices(*jobs.front(), width, color));
  }
  return text;
}

}  // namespace hydra
