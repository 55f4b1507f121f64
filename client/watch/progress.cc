#include "client/watch/progress.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <utility>

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

constexpr absl::Duration kSummaryInterval = absl::Seconds(10);

// "2 running, 3 pending"
std::string CountsText(const std::vector<v1::JobStatus>& jobs) {
  static constexpr std::array<v1::JobState, 6> kOrder = {
      v1::JOB_STATE_RUNNING,   v1::JOB_STATE_PENDING, v1::JOB_STATE_PAUSED,
      v1::JOB_STATE_COMPLETED, v1::JOB_STATE_FAILED,  v1::JOB_STATE_CANCELLED};
  std::vector<std::string> parts;
  for (const v1::JobState state : kOrder) {
    const auto count = std::count_if(
        jobs.begin(), jobs.end(),
        [state](const v1::JobStatus& job) { return job.state() == state; });
    if (count > 0) parts.push_back(absl::StrCat(count, " ", StateName(state)));
  }
  return parts.empty() ? "no jobs" : absl::StrJoin(parts, ", ");
}

// What is left of all jobs together, but for those that rest: each needs its
// time on one device, and all share those that are there. Infinite if a job
// does not know its own.
absl::Duration TimeLeft(const WatchModel& model,
                        const std::vector<v1::JobStatus>& jobs) {
  const auto devices =
      std::count_if(model.workers().begin(), model.workers().end(),
                    [](const v1::WorkerStatus& worker) {
                      return worker.state() == v1::WORKER_STATE_READY;
                    });
  absl::Duration longest, sum;
  for (const v1::JobStatus& job : jobs) {
    if (HasEnded(job) || job.state() == v1::JOB_STATE_PAUSED) continue;
    if (!job.has_remaining()) return absl::InfiniteDuration();
    longest = std::max(longest, FromProto(job.remaining()));
    sum += FromProto(job.remaining());
  }
  return std::max(longest, sum / std::max<int64_t>(devices, 1));
}

// "2 running, 3 pending; 340 of 1200 steps (28%), 12300 tokens/s, 1h20m left":
// of a single job, its own line says it.
std::string WholeText(const WatchModel& model,
                      const std::vector<v1::JobStatus>& jobs) {
  std::string text = CountsText(jobs);
  int64_t done = 0, all = 0;
  // By unit.
  std::map<std::string, double> rates;
  for (const v1::JobStatus& job : jobs) {
    const bool given_up = job.state() == v1::JOB_STATE_FAILED ||
                          job.state() == v1::JOB_STATE_CANCELLED;
    if (given_up) continue;
    done += job.step();
    // It may have stopped early.
    const bool is_done = job.state() == v1::JOB_STATE_COMPLETED;
    all += is_done ? job.step() : job.total_steps();
    if (job.state() == v1::JOB_STATE_RUNNING) {
      rates[RateUnit(job)] += job.overall_tokens_per_second();
    }
  }
  if (jobs.size() < 2 || all == 0) return text;
  absl::StrAppend(&text, "; ", done, " of ", all, " steps (", 100 * done / all,
                  "%)");
  for (const auto& [unit, rate] : rates) {
    if (rate > 0) absl::StrAppendFormat(&text, ", %.0f %s", rate, unit);
  }
  const absl::Duration left = TimeLeft(model, jobs);
  if (left > absl::ZeroDuration() && left < absl::InfiniteDuration()) {
    absl::StrAppend(&text, ", ", DurationText(left), " left");
  }
  return text;
}

int DisplayRank(const v1::JobStatus& job) {
  if (job.state() == v1::JOB_STATE_RUNNING) return 0;
  if (job.state() == v1::JOB_STATE_FAILED) return 1;
  return HasEnded(job) ? 3 : 2;
}

std::string NoteText(const v1::JobStatus& job) {
  // A cancelled job's reason says no more than its state.
  const bool explains =
      !job.reason().empty() && job.state() != v1::JOB_STATE_CANCELLED;
  return explains ? job.reason() : absl::StrJoin(job.parameters(), " ");
}

Table JobTable(const std::vector<v1::JobStatus>& jobs, size_t count) {
  const QualityColumns quality(jobs);
  const RateColumn rate(jobs);
  std::vector<Column> columns = {{"JOB"},
                                 {"NAME", false, /*flexible=*/true},
                                 {"PHASE"},
                                 {"STEP", true},
                                 {"LOSS", true}};
  quality.AddValidation(columns);
  columns.insert(columns.end(), {rate.Title(), {"LEFT", true}, {"NOTE"}});
  Table table(columns);
  for (size_t i = 0; i < count; ++i) {
    const v1::JobStatus& job = jobs[i];
    std::vector<Cell> row = {job.job_id(), NameText(job), PhaseCell(job),
                             StepText(job), TrainLossText(job)};
    quality.AddValidation(job, row);
    row.insert(row.end(), {rate.Of(job), RemainingText(job), NoteText(job)});
    table.AddRow(std::move(row));
  }
  return table;
}

Table DeviceTable(const WatchModel& model) {
  // What a narrow terminal cuts off comes last.
  Table table({{"DEVICE"},
               {"COMPUTING", true},
               {"IN", true},
               {"OUT", true},
               {"TASK"},
               {"MEMORY PEAK/LIMIT"}});
  for (const v1::WorkerStatus& worker : model.workers()) {
    const bool ready = worker.state() == v1::WORKER_STATE_READY;
    const std::string idle =
        ready && !worker.draining() ? "-" : WorkerStateText(worker);
    table.AddRow({worker.device(), ComputingText(worker), PromotingText(worker),
                  DemotingText(worker),
                  worker.task().empty() ? idle : worker.task(),
                  absl::StrCat(BytesText(worker.peak_bytes()), " / ",
                               BytesText(worker.memory_limit_bytes()))});
  }
  return table;
}

void Append(std::vector<std::string> more, std::vector<std::string>* lines) {
  lines->insert(lines->end(), std::make_move_iterator(more.begin()),
                std::make_move_iterator(more.end()));
}

std::string JobLabel(const v1::JobStatus& job) {
  return Printable(absl::StrCat(job.job_id(), " ", NameText(job)));
}

std::string ChangeLine(const v1::JobStatus& job) {
  const std::string reason =
      job.reason().empty() ? "" : absl::StrCat(": ", Printable(job.reason()));
  return absl::StrCat(JobLabel(job), ": ", PhaseCell(job).text, reason);
}

// `quality` is a perplexity, or an accuracy.
std::string EvaluationLine(const v1::JobStatus& job, absl::string_view split,
                           double loss, absl::string_view quality) {
  return absl::StrCat(JobLabel(job), ": step ", StepText(job), " ", split,
                      " loss ", LossText(loss),
                      IsClassification(job) ? " accuracy " : " perplexity ",
                      quality);
}

std::vector<std::string> ChangedLines(const v1::JobStatus& old,
                                      const v1::JobStatus& job) {
  std::vector<std::string> lines;
  const bool new_validation = job.has_validation_loss() &&
                              (!old.has_validation_loss() ||
                               old.validation_loss() != job.validation_loss());
  if (new_validation) {
    lines.push_back(EvaluationLine(job, "validation", job.validation_loss(),
                                   IsClassification(job)
                                       ? ValidationAccuracyText(job)
                                       : ValidationPerplexityText(job)));
  }
  const bool new_test =
      job.has_test_loss() &&
      (!old.has_test_loss() || old.test_loss() != job.test_loss());
  if (new_test) {
    lines.push_back(EvaluationLine(job, "test", job.test_loss(),
                                   IsClassification(job)
                                       ? TestAccuracyText(job)
                                       : TestPerplexityText(job)));
  }
  if (old.state() != job.state() || old.phase() != job.phase()) {
    lines.push_back(ChangeLine(job));
  }
  return lines;
}

std::string SummaryLine(const WatchModel& model,
                        const std::vector<v1::JobStatus>& jobs) {
  std::string line = WholeText(model, jobs);
  for (const v1::JobStatus& job : jobs) {
    if (job.state() != v1::JOB_STATE_RUNNING || !job.has_train_loss()) continue;
    absl::StrAppend(&line, "; ", Printable(job.job_id()), " ", StepText(job),
                    " loss ", TrainLossText(job), " ", RateText(job), " ",
                    RateUnit(job));
  }
  return line;
}

// "cpu:0: j3 BACKWARD shard 2 step 17; computing 84%, in 31%, out 22%", for
// each device of which that is known.
std::vector<std::string> DeviceLines(const WatchModel& model) {
  std::vector<std::string> lines;
  for (const v1::WorkerStatus& worker : model.workers()) {
    const std::string lanes = LanesText(worker);
    if (lanes.empty()) continue;
    lines.push_back(Printable(absl::StrCat(
        worker.device(), ": ",
        worker.task().empty() ? "no task" : worker.task(), "; ", lanes)));
  }
  return lines;
}

}  // namespace

std::vector<std::string> RenderProgress(const WatchModel& model,
                                        TerminalSize size, bool color) {
  std::vector<v1::JobStatus> jobs = model.Jobs();
  std::stable_sort(jobs.begin(), jobs.end(),
                   [](const v1::JobStatus& a, const v1::JobStatus& b) {
                     return DisplayRank(a) < DisplayRank(b);
                   });
  std::vector<std::string> devices =
      DeviceTable(model).Lines(size.width, color);
  // The counts, the jobs' titles, and the line on which the cursor rests.
  const int other_lines = static_cast<int>(devices.size()) + 3;
  size_t shown = jobs.size();
  if (size.height > 0) {
    const int room = std::max(size.height - other_lines, 0);
    if (shown > static_cast<size_t>(room)) shown = std::max(room - 1, 0);
  }

  std::vector<std::string> lines = {
      TruncateToWidth(WholeText(model, jobs), size.width)};
  Append(JobTable(jobs, shown).Lines(size.width, color), &lines);
  if (shown < jobs.size()) {
    lines.push_back(TruncateToWidth(
        absl::StrCat("... and ", jobs.size() - shown, " more"), size.width));
  }
  Append(std::move(devices), &lines);
  if (size.height > 0 && lines.size() >= static_cast<size_t>(size.height)) {
    lines.resize(std::max(size.height - 1, 1));
  }
  return lines;
}

std::vector<std::string> PlainProgress::Update(const WatchModel& model,
                                               absl::Time now) {
  const std::vector<v1::JobStatus> jobs = model.Jobs();
  std::vector<std::string> lines;
  for (const v1::JobStatus& job : jobs) {
    Append(ChangedLines(seen_[job.job_id()], job), &lines);
    seen_[job.job_id()] = job;
  }
  if (lines.empty() && now - last_line_ >= kSummaryInterval) {
    lines.push_back(SummaryLine(model, jobs));
    Append(DeviceLines(model), &lines);
  }
  if (!lines.empty()) last_line_ = now;
  return lines;
}

}  // namespace hydra
