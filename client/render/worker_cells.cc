#include "client/render/worker_cells.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/render/format.h"

namespace hydra {
namespace {

std::string ShareText(bool known, double share) {
  return known ? absl::StrFormat("%.0f%%", 100 * share) : "-";
}

}  // namespace

std::string WorkerStateText(const v1::WorkerStatus& worker) {
  if (!worker.draining()) return StateName(worker.state());
  const std::string drained = HasTasks(worker) ? "draining" : "drained";
  if (worker.state() == v1::WORKER_STATE_READY) return drained;
  return absl::StrCat(StateName(worker.state()), ", ", drained);
}

bool HasTasks(const v1::WorkerStatus& worker) {
  return !worker.task().empty() || worker.held_tasks() > 0;
}

std::string ComputingText(const v1::WorkerStatus& worker) {
  return ShareText(worker.has_computing(), worker.computing());
}

std::string PromotingText(const v1::WorkerStatus& worker) {
  return ShareText(worker.has_promoting(), worker.promoting());
}

std::string DemotingText(const v1::WorkerStatus& worker) {
  return ShareText(worker.has_demoting(), worker.demoting());
}

std::string GpuUseText(const v1::WorkerStatus& worker) {
  const v1::GpuStatus& gpu = worker.gpu();
  std::vector<std::string> parts;
  if (gpu.has_use()) parts.push_back(ShareText(true, gpu.use()));
  if (gpu.has_power_watts()) {
    parts.push_back(absl::StrFormat("%.0f W", gpu.power_watts()));
  }
  return parts.empty() ? "-" : absl::StrJoin(parts, ", ");
}

std::string GpuMemoryText(const v1::WorkerStatus& worker) {
  const v1::GpuStatus& gpu = worker.gpu();
  if (!gpu.has_memory_used_bytes()) return "-";
  return absl::StrCat(BytesText(gpu.memory_used_bytes()), " of ",
                      BytesText(gpu.memory_total_bytes()));
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
