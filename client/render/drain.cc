#include "client/render/drain.h"

#include "absl/strings/str_cat.h"
#include "client/render/worker_cells.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

std::string AfterColon(const std::string& reason) {
  return reason.empty() ? "" : absl::StrCat(": ", Printable(reason));
}

}  // namespace

std::string RenderDrained(const v1::DrainResponse& response) {
  std::string text;
  if (response.has_maintenance()) {
    absl::StrAppend(&text, "the server is in maintenance",
                    AfterColon(response.maintenance()), "\n");
  }
  for (const v1::WorkerStatus& worker : response.workers()) {
    if (!worker.draining()) continue;
    absl::StrAppend(&text, Printable(worker.device()), " is ",
                    WorkerStateText(worker), AfterColon(worker.drain_reason()));
    if (!worker.task().empty()) {
      absl::StrAppend(&text, " (computes ", Printable(worker.task()), ")");
    }
    absl::StrAppend(&text, "\n");
  }
  return text.empty() ? "all devices take tasks\n" : text;
}

}  // namespace hydra
