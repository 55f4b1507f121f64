#include "client/render/worker_cells.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace hydra {
namespace {

std::string ShareText(bool known, double share) {
  return known ? absl::StrFormat("%.0f%%", 100 * share) : "-";
}

}  // namespace

std::string ComputingText(const v1::WorkerStatus& worker) {
  return ShareText(worker.has_computing(), worker.computing());
}

std::string PromotingText(const v1::WorkerStatus& worker) {
  return ShareText(worker.has_promoting(), worker.promoting());
}

std::string DemotingText(const v1::WorkerStatus& worker) {
  return ShareText(worker.has_demoting(), worker.demoting());
}

std::string LanesText(const v1::WorkerStatus& worker) {
  std::vector<std::string> parts;
  if (worker.has_computing()) {
    parts.push_back(absl::StrCat("computing ", ComputingText(worker)));
  }
  if (worker.has_promoting()) {
    parts.push_back(absl::StrCat("in ", PromotingText(worker)));
  }
  if (worker.has_demoting()) {
    parts.push_back(absl::StrCat("out ", DemotingText(worker)));
  }
  return absl::StrJoin(parts, ", ");
}

}  // namespace hydra
