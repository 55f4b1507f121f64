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

}  // namespace hydra
