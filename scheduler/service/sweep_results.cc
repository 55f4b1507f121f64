#include "scheduler/service/sweep_results.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "scheduler/core/task_cost.h"

namespace hydra {
namespace {

// Lower is better; what was not measured comes last.
double Rank(const v1::JobStatus& job) {
  constexpr double kWorst = std::numeric_limits<double>::infinity();
  const double loss = job.has_validation_loss() ? job.validation_loss()
                      : job.has_train_loss()    ? job.train_loss()
                                                : kWorst;
  return std::isnan(loss) ? kWorst : loss;
}

}  // namespace

void FillResults(std::vector<JobReader::Summary> jobs,
                 v1::GetResultsResponse* response) {
  std::stable_sort(
      jobs.begin(), jobs.end(),
      [](const JobReader::Summary& a, const JobReader::Summary& b) {
        return Rank(a.status) < Rank(b.status);
      });
  for (JobReader::Summary& job : jobs) {
    AddTotals(job.totals, *response->mutable_totals());
    *response->add_jobs() = std::move(job.status);
  }
}

absl::Status ReadResults(const JobReader& reader, const Caller& caller,
                         SweepId sweep, v1::GetResultsResponse* response) {
  const absl::StatusOr<std::vector<JobId>> jobs =
      reader.JobsOf(caller, sweep, Right::kRead);
  if (!jobs.ok()) return jobs.status();
  std::vector<JobReader::Summary> summaries;
  for (JobId job : *jobs) {
    absl::StatusOr<JobReader::Summary> summary = reader.SummaryOf(caller, job);
    if (!summary.ok()) return summary.status();
    summaries.push_back(*std::move(summary));
  }
  FillResults(std::move(summaries), response);
  return absl::OkStatus();
}

}  // namespace hydra
