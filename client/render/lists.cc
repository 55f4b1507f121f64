#include "client/render/lists.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/render/format.h"
#include "client/render/job_cells.h"
#include "client/render/table.h"
#include "client/render/worker_cells.h"
#include "common/status/proto_time.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

std::string BusyText(const v1::WorkerStatus& worker) {
  const absl::Duration attached = FromProto(worker.attached());
  if (attached <= absl::ZeroDuration()) return "-";
  return absl::StrFormat(
      "%.0f%%", 100 * absl::FDivDuration(FromProto(worker.busy()), attached));
}

// What it does, or why it does nothing.
std::string TaskText(const v1::WorkerStatus& worker) {
  if (!worker.task().empty()) return worker.task();
  return worker.reason().empty() ? "-" : worker.reason();
}

}  // namespace

std::string RenderSubmitted(const v1::SubmitResponse& response, int width,
                            bool color) {
  std::string text;
  Table table({{"JOB"}, {"NAME"}, {"PARAMETERS", false, /*flexible=*/true}});
  for (const v1::JobStatus& job : response.jobs()) {
    table.AddRow({job.job_id().empty() ? "-" : job.job_id(), job.name(),
                  absl::StrJoin(job.parameters(), " ")});
  }
  if (response.sweep_id().empty()) {
    absl::StrAppend(&text, "valid: ", response.jobs_size(), " job(s)");
    if (response.has_largest_pool_demand()) {
      absl::StrAppend(&text, "; the largest takes at least ",
                      BytesText(response.largest_pool_demand().total_bytes()),
                      " of the pool");
    }
    absl::StrAppend(&text, "\n");
  } else {
    absl::StrAppend(&text, Printable(response.sweep_id()), "\n");
  }
  return text + table.Render(width, color);
}

std::string RenderRoom(const v1::SubmitResponse& response,
                       const v1::GetServerInfoResponse& server) {
  // The rest is for fragmentation (docs/daemon.md, "Memory").
  const int64_t promised = server.pool_bytes() / 10 * 9;
  const int64_t free =
      std::max<int64_t>(promised - server.pool_reserved_bytes(), 0);
  const int64_t need = response.largest_pool_demand().total_bytes();
  const int64_t jobs = response.jobs_size();
  if (need <= 0 || jobs == 0) return "";
  const int64_t at_once = std::min(free / need, jobs);
  std::string room;
  if (at_once < jobs) {
    room = at_once == 0 ? "none has room yet"
                        : absl::StrCat("room for about ", at_once,
                                       " at once; the others wait for them");
  } else {
    room = jobs == 1 ? "it can start at once" : "all can start at once";
  }
  return absl::StrCat("of the pool ", BytesText(free), " are free now: ", room,
                      "\n");
}

std::string RenderJobs(const v1::ListJobsResponse& response, int width,
                       bool color, absl::TimeZone zone, absl::Time now) {
  const QualityColumns quality(response.jobs());
  const RateColumn rate(response.jobs());
  const OwnerColumn owner(response.jobs());
  std::vector<Column> columns = {{"JOB"}, {"SWEEP"}};
  owner.Add(columns);
  columns.insert(columns.end(), {{"NAME", false, /*flexible=*/true},
                                 {"STATE"},
                                 {"PHASE"},
                                 {"STEP", true},
                                 {"ENDS", true},
                                 {"LOSS", true}});
  quality.AddValidation(columns);
  columns.insert(columns.end(), {rate.Title(), {"SUBMITTED"}, {"REASON"}});
  Table table(columns);
  for (const v1::JobStatus& job : response.jobs()) {
    std::vector<Cell> row = {job.job_id(), job.sweep_id()};
    owner.Add(job, row);
    row.insert(row.end(),
               {NameText(job), StateCell(job), PhaseText(job), StepText(job),
                EndsText(job, now, zone), TrainLossText(job)});
    quality.AddValidation(job, row);
    row.insert(
        row.end(),
        {rate.Of(job),
         job.has_submitted_at() ? TimeText(job.submitted_at(), zone) : "-",
         job.reason()});
    table.AddRow(std::move(row));
  }
  return table.Render(width, color);
}

std::string RenderWorkers(const v1::ListWorkersResponse& response, int width,
                          bool color) {
  const bool shows_gpus = std::any_of(
      response.workers().begin(), response.workers().end(),
      [](const v1::WorkerStatus& worker) { return worker.has_gpu(); });
  std::vector<Column> columns = {
      {"DEVICE"},     {"STATE"},           {"PID", true},     {"THREADS", true},
      {"BUSY", true}, {"COMPUTING", true}, {"IN", true},      {"OUT", true},
      {"PEAK", true}, {"LIMIT", true},     {"OUTSIDE", true}, {"DONE", true},
      {"HELD", true}, {"RESTARTS", true}};
  if (shows_gpus) {
    columns.push_back({"GPU", true});
    columns.push_back({"GPU MEMORY", true});
  }
  columns.push_back({"TASK", false, /*flexible=*/true});
  Table table(columns);
  for (const v1::WorkerStatus& worker : response.workers()) {
    const bool ready = worker.state() == v1::WORKER_STATE_READY;
    std::vector<Cell> row = {
        worker.device(),
        Cell(StateName(worker.state()), ready ? Style::kGreen : Style::kYellow),
        absl::StrCat(worker.pid()),
        absl::StrCat(worker.threads()),
        BusyText(worker),
        ComputingText(worker),
        PromotingText(worker),
        DemotingText(worker),
        BytesText(worker.peak_bytes()),
        BytesText(worker.memory_limit_bytes()),
        BytesText(worker.outside_bytes()),
        absl::StrCat(worker.finished_tasks()),
        absl::StrCat(worker.held_tasks()),
        absl::StrCat(worker.restarts())};
    if (shows_gpus) {
      row.push_back(GpuUseText(worker));
      row.push_back(GpuMemoryText(worker));
    }
    row.push_back(TaskText(worker));
    table.AddRow(std::move(row));
  }
  return table.Render(width, color);
}

std::string RenderServerInfo(const v1::GetServerInfoResponse& info,
                             absl::TimeZone zone) {
  return absl::StrCat(
      "version         ", Printable(info.version()), "\n", "started         ",
      info.has_started_at() ? TimeText(info.started_at(), zone) : "-", "\n",
      "pool            ", Printable(info.pool_path()), "\n", "pool size       ",
      BytesText(info.pool_bytes()), "\n", "pool used       ",
      BytesText(info.pool_used_bytes()), "\n", "pool promised   ",
      BytesText(info.pool_reserved_bytes()), "\n",
      info.http_socket().empty()
          ? ""
          : absl::StrCat("page            unix:", Printable(info.http_socket()),
                         ", see hydra ui\n"),
      info.http_address().empty()
          ? ""
          : absl::StrCat("metrics         http://",
                         Printable(info.http_address()), "/metrics\n"));
}

}  // namespace hydra
