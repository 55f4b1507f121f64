#include "client/render/leaderboard.h"

#include "absl/strings/str_cat.h"
#include "client/render/job_cells.h"
#include "client/render/table.h"

namespace hydra {

std::string RenderLeaderboard(
    const google::protobuf::RepeatedPtrField<v1::JobStatus>& jobs, int width,
    bool color) {
  Table table({{"RANK", true},
               {"JOB"},
               {"PARAMETERS", false, /*flexible=*/true},
               {"TRAIN LOSS", true},
               {"VAL LOSS", true},
               {"VAL PPL", true},
               {"TEST PPL", true},
               {"STATE"}});
  int rank = 0;
  for (const v1::JobStatus& job : jobs) {
    const bool measured = job.has_validation_loss() || job.has_train_loss();
    table.AddRow({measured ? absl::StrCat(++rank) : "-", job.job_id(),
                  ParametersText(job), TrainLossText(job),
                  ValidationLossText(job), ValidationPerplexityText(job),
                  TestPerplexityText(job), StateCell(job)});
  }
  return table.Render(width, color);
}

}  // namespace hydra
