#include "client/render/leaderboard.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/render/job_cells.h"
#include "client/render/table.h"

namespace hydra {

std::string RenderLeaderboard(
    const google::protobuf::RepeatedPtrField<v1::JobStatus>& jobs, int width,
    bool color) {
  const QualityColumns quality(jobs);
  std::vector<Column> columns = {{"RANK", true},
                                 {"JOB"},
                                 {"PARAMETERS", false, /*flexible=*/true},
                                 {"TRAIN LOSS", true},
                                 {"VAL LOSS", true}};
  quality.AddValidation(columns);
  quality.AddTest(columns);
  columns.push_back({"STATE"});
  Table table(columns);
  int rank = 0;
  for (const v1::JobStatus& job : jobs) {
    const bool measured = job.has_validation_loss() || job.has_train_loss();
    std::vector<Cell> row = {measured ? absl::StrCat(++rank) : "-",
                             job.job_id(), ParametersText(job),
                             TrainLossText(job), ValidationLossText(job)};
    quality.AddValidation(job, row);
    quality.AddTest(job, row);
    row.push_back(StateCell(job));
    table.AddRow(std::move(row));
  }
  return table.Render(width, color);
}

}  // namespace hydra
