#include "client/render/top.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/render/format.h"
#include "client/render/job_cells.h"
#include "client/render/table.h"
#include "client/render/worker_cells.h"

namespace hydra {
namespace {

using Lines = std::vector<std::string>;

// Of one user.
struct Use {
  int devices = 0;
  int running = 0;
  int waiting = 0;
  int paused = 0;
};
// With their names.
using UseList = std::vector<std::pair<std::string, Use>>;

const v1::JobStatus* Find(const v1::ListJobsResponse& jobs,
                          const std::string& id) {
  for (const v1::JobStatus& job : jobs.jobs()) {
    if (job.job_id() == id) return &job;
  }
  return nullptr;
}

std::string OwnerText(const v1::JobStatus& job) {
  return job.owner().empty() ? "-" : job.owner();
}

std::map<std::string, Use> UsesOf(const v1::ListWorkersResponse& workers,
                                  const v1::ListJobsResponse& jobs) {
  std::map<std::string, Use> uses;
  for (const v1::JobStatus& job : jobs.jobs()) {
    Use& use = uses[OwnerText(job)];
    switch (job.state()) {
      case v1::JOB_STATE_RUNNING:
        ++use.running;
        break;
      case v1::JOB_STATE_PAUSED:
        ++use.paused;
        break;
      default:
        ++use.waiting;
        break;
    }
  }
  for (const v1::WorkerStatus& worker : workers.workers()) {
    // The list may be a moment older, and others' jobs may be hidden.
    const v1::JobStatus* const job = Find(jobs, worker.task_job_id());
    if (job != nullptr) ++uses[OwnerText(*job)].devices;
  }
  return uses;
}

std::string Summary(const v1::ListWorkersResponse& workers,
                    const std::map<std::string, Use>& uses) {
  const auto computing = std::count_if(
      workers.workers().begin(), workers.workers().end(),
      [](const v1::WorkerStatus& worker) { return !worker.task().empty(); });
  Use all;
  for (const auto& [owner, use] : uses) {
    all.running += use.running;
    all.waiting += use.waiting;
    all.paused += use.paused;
  }
  return absl::StrCat(computing, " of ", workers.workers_size(),
                      " devices compute; jobs: ", all.running, " running, ",
                      all.waiting, " waiting, ", all.paused, " paused");
}

Table DeviceTable(const v1::ListWorkersResponse& workers) {
  Table table({{"DEVICE"},
               {"STATE"},
               {"COMPUTING", true},
               {"IN", true},
               {"OUT", true},
               {"TASK", false, /*flexible=*/true}});
  for (const v1::WorkerStatus& worker : workers.workers()) {
    const bool ready =
        worker.state() == v1::WORKER_STATE_READY && !worker.draining();
    const std::string& idle =
        worker.reason().empty() ? worker.drain_reason() : worker.reason();
    table.AddRow(
        {worker.device(),
         Cell(WorkerStateText(worker), ready ? Style::kGreen : Style::kYellow),
         ComputingText(worker), PromotingText(worker), DemotingText(worker),
         !worker.task().empty() ? worker.task()
         : idle.empty()         ? "-"
                                : idle});
  }
  return table;
}

// At most so many of them; those whose jobs run come first then. 0: all.
UseList FirstOf(const std::map<std::string, Use>& uses, size_t most) {
  UseList list(uses.begin(), uses.end());
  if (most == 0 || list.size() <= most) return list;
  std::stable_partition(list.begin(), list.end(), [](const auto& named) {
    return named.second.running > 0;
  });
  list.resize(most);
  return list;
}

Table UserTable(const UseList& uses, int devices) {
  Table table({{"USER", false, /*flexible=*/true},
               {"DEVICES", true},
               {"RUNNING", true},
               {"WAITING", true},
               {"PAUSED", true}});
  for (const auto& [owner, use] : uses) {
    table.AddRow({owner, absl::StrCat(use.devices, " of ", devices),
                  absl::StrCat(use.running), absl::StrCat(use.waiting),
                  absl::StrCat(use.paused)});
  }
  return table;
}

Table JobTable(const std::vector<v1::JobStatus>& jobs, size_t shown) {
  const RateColumn rate(jobs);
  Table table({{"JOB"},
               {"USER"},
               {"NAME", false, /*flexible=*/true},
               {"STEP", true},
               {"LOSS", true},
               rate.Title(),
               {"LEFT", true}});
  for (size_t i = 0; i < shown; ++i) {
    const v1::JobStatus& job = jobs[i];
    table.AddRow({job.job_id(), OwnerText(job),
                  job.name().empty() ? "-" : job.name(), StepText(job),
                  TrainLossText(job), rate.Of(job), RemainingText(job)});
  }
  return table;
}

void Append(Lines more, Lines* lines) {
  lines->insert(lines->end(), std::make_move_iterator(more.begin()),
                std::make_move_iterator(more.end()));
}

}  // namespace

std::vector<std::string> RenderTop(const v1::ListWorkersResponse& workers,
                                   const v1::ListJobsResponse& jobs,
                                   TerminalSize size, bool color) {
  const std::map<std::string, Use> uses = UsesOf(workers, jobs);
  std::vector<v1::JobStatus> running;
  for (const v1::JobStatus& job : jobs.jobs()) {
    if (job.state() == v1::JOB_STATE_RUNNING) running.push_back(job);
  }
  Lines lines = {TruncateToWidth(Summary(workers, uses), size.width), ""};
  Append(DeviceTable(workers).Lines(size.width, color), &lines);
  if (!uses.empty()) {
    lines.push_back("");
    // The jobs need room, too.
    const UseList users = FirstOf(uses, size.height / 3);
    Append(UserTable(users, workers.workers_size()).Lines(size.width, color),
           &lines);
    if (users.size() < uses.size()) {
      lines.push_back(TruncateToWidth(
          absl::StrCat("... and ", uses.size() - users.size(), " more users"),
          size.width));
    }
  }
  size_t shown = running.size();
  if (size.height > 0) {
    // A blank line, the titles, and the line on which the cursor rests.
    const int room =
        std::max(size.height - static_cast<int>(lines.size()) - 3, 0);
    // One of them for the rest's number.
    if (shown > static_cast<size_t>(room)) shown = std::max(room - 1, 0);
  }
  if (!running.empty()) {
    lines.push_back("");
    Append(JobTable(running, shown).Lines(size.width, color), &lines);
    if (shown < running.size()) {
      lines.push_back(TruncateToWidth(
          absl::StrCat("... and ", running.size() - shown, " more run"),
          size.width));
    }
  }
  if (size.height > 0 && lines.size() >= static_cast<size_t>(size.height)) {
    lines.resize(std::max(size.height - 1, 1));
  }
  return lines;
}

}  // namespace hydra
