#include "common/failpoint/fail_point.h"

#include <cstdlib>

#include "common/failpoint/fail_point_rules.h"
#include "glog/logging.h"

namespace hydra {
namespace {

// Null: no place fails. Never freed, since threads pass places until the end.
FailPointRules* RulesOfEnvironment() {
  const char* const text = std::getenv("HYDRA_FAIL_POINTS");
  if (text == nullptr) return nullptr;
  auto rules = FailPointRules::Parse(text);
  CHECK(rules.ok()) << "HYDRA_FAIL_POINTS: " << rules.status().message();
  return new FailPointRules(*std::move(rules));
}

}  // namespace

void FailPoint(const char* name, uint64_t job) {
  static FailPointRules* const rules = RulesOfEnvironment();
  if (rules != nullptr) rules->Pass(name, job);
}

}  // namespace hydra
