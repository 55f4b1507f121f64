#include "scheduler/service/sweep_results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace hydra {
namespace {

using ::testing::ElementsAre;

TEST(SweepResultsTest, TheBestComesFirstAndWhatWasNotMeasuredLast) {
  std::vector<JobReader::Summary> jobs(5);
  for (int i = 0; i < 5; ++i) {
    jobs[i].status.set_job_id("j" + std::to_string(i));
    jobs[i].totals.set_tasks(i);
  }
  jobs[1].status.set_train_loss(std::numeric_limits<double>::quiet_NaN());
  jobs[2].status.set_train_loss(2);
  // It counts more than the loss in training.
  jobs[3].status.set_train_loss(1);
  jobs[3].status.set_validation_loss(3);
  jobs[4].status.set_validation_loss(1.5);
  v1::GetResultsResponse response;
  FillResults(jobs, &response);
  std::vector<std::string> ids;
  for (const v1::JobStatus& job : response.jobs()) ids.push_back(job.job_id());
  EXPECT_THAT(ids, ElementsAre("j4", "j2", "j3", "j0", "j1"));
  EXPECT_EQ(response.totals().tasks(), 10);
}

}  // namespace
}  // namespace hydra
