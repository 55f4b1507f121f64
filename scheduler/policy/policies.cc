#include "scheduler/policy/policies.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "scheduler/policy/fifo.h"
#include "scheduler/policy/sharded_lrtf.h"

namespace hydra {
namespace {

struct Entry {
  absl::string_view name;
  std::unique_ptr<Policy> (*make)();
};

template <typename Made>
std::unique_ptr<Policy> Make() {
  return std::make_unique<Made>();
}

constexpr Entry kPolicies[] = {
    {kDefaultPolicy, &Make<ShardedLrtf>},
    {"fifo", &Make<Fifo>},
};

}  // namespace

std::vector<std::string> PolicyNames() {
  std::vector<std::string> names;
  for (const Entry& entry : kPolicies) names.emplace_back(entry.name);
  return names;
}

absl::StatusOr<std::unique_ptr<Policy>> MakePolicy(absl::string_view name) {
  if (name.empty()) name = kDefaultPolicy;
  for (const Entry& entry : kPolicies) {
    if (entry.name == name) return entry.make();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("found \"", name, "\"; one of ",
                   absl::StrJoin(PolicyNames(), ", "), " is needed"));
}

}  // namespace hydra
