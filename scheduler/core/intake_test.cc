#include "scheduler/core/intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/core/caller.h"
#include "scheduler/core/testing/small_job.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class IntakeTest : public ::testing::Test {
 protected:
  Submission Take(int jobs, const std::string& request_id = "") {
    std::vector<NewJob> submitted(jobs, SmallJob(/*steps=*/1));
    for (int i = 0; i < jobs; ++i) {
      submitted[i].spec.set_name(absl::StrCat("job-", i));
    }
    return intake_.Take(std::move(submitted), {request_id, "digest"}, now_);
  }

  const absl::Time now_ = absl::FromUnixSeconds(1000);
  Journal journal_;
  SharedModels models_;
  Intake intake_{/*first_job=*/5, &journal_, &models_};
};

TEST_F(IntakeTest, JobsComeOutTogetherWhenTheyAreRecorded) {
  const Submission first = Take(2);
  const Submission second = Take(1);
  EXPECT_THAT(intake_.Recorded(first.sequence - 1), IsEmpty());
  std::vector<Intake::Sweep> sweeps = intake_.Recorded(second.sequence);
  ASSERT_THAT(sweeps, SizeIs(2));
  EXPECT_EQ(sweeps[0].id, SweepId(1));
  ASSERT_THAT(sweeps[0].jobs, SizeIs(2));
  const Job& job = sweeps[0].jobs.at(JobId(6));
  EXPECT_EQ(job.id, JobId(6));
  EXPECT_EQ(job.sweep, SweepId(1));
  EXPECT_EQ(job.submitted.spec.name(), "job-1");
  EXPECT_EQ(job.submitted_at, now_);
  EXPECT_EQ(sweeps[1].jobs.begin()->first, JobId(7));
}

TEST_F(IntakeTest, JobsBelongToTheirCaller) {
  intake_.Take({SmallJob(/*steps=*/1)}, {"", "", Caller{1000}}, now_);
  intake_.Take({SmallJob(/*steps=*/1)}, {"", "", Caller{}}, now_);
  const Submission last = Take(1);
  const auto sweeps = intake_.Recorded(last.sequence);
  ASSERT_THAT(sweeps, SizeIs(3));
  const v1::JobStatus known = StatusOf(sweeps[0].jobs.begin()->second);
  EXPECT_EQ(known.owner_user(), 1000);
  EXPECT_FALSE(StatusOf(sweeps[1].jobs.begin()->second).has_owner_user());
  EXPECT_FALSE(StatusOf(sweeps[2].jobs.begin()->second).has_owner_user());
}

TEST_F(IntakeTest, JobsHaveTheirSubmissionsProject) {
  NewJob job = SmallJob(/*steps=*/1);
  job.spec.set_project("vision");
  job.project_group = 500;
  const Submission submission =
      intake_.Take({job, job}, {"", "", Caller{1000}}, now_);
  const auto sweeps = intake_.Recorded(submission.sequence);
  ASSERT_THAT(sweeps, SizeIs(1));
  for (const auto& [id, made] : sweeps[0].jobs) {
    EXPECT_EQ(StatusOf(made).project(), "vision");
    EXPECT_EQ(StatusOf(made).project_group(), 500);
  }
}

TEST_F(IntakeTest, ManyJobsAreMadeInSeveralGoes) {
  Take(1200);
  int goes = 0;
  for (; intake_.has_more_work(); ++goes) intake_.MakeSomeJobs();
  EXPECT_EQ(goes, 3);
}

TEST_F(IntakeTest, JobsOfOneModelShareIt) {
  const Submission submission = Take(2);
  const auto sweeps = intake_.Recorded(submission.sequence);
  const auto& jobs = sweeps[0].jobs;
  EXPECT_EQ(&*jobs.at(JobId(5)).shape.table, &*jobs.at(JobId(6)).shape.table);
  EXPECT_EQ(&*jobs.at(JobId(5)).submitted.model_config_json,
            &*jobs.at(JobId(6)).submitted.model_config_json);
}

TEST_F(IntakeTest, ARefusedSubmissionComesToNothingAndMayComeAgain) {
  const Submission submission = Take(1200, "once");
  intake_.MakeSomeJobs();
  EXPECT_TRUE(intake_.SubmissionOf({"once"}).has_value());
  intake_.Refused(submission.sequence);
  EXPECT_FALSE(intake_.has_more_work());
  EXPECT_FALSE(intake_.SubmissionOf({"once"}).has_value());
  EXPECT_THAT(intake_.Recorded(submission.sequence), IsEmpty());
}

TEST_F(IntakeTest, GivesNoIdsThatAnEarlierDaemonGave) {
  journal::v1::SweepRecord record;
  record.add_job_ids(41);
  record.set_request_id("earlier");
  intake_.Restore(SweepId(8), record);
  EXPECT_EQ(intake_.SubmissionOf({"earlier"})->sweep, SweepId(8));
  const Submission submission = Take(1);
  EXPECT_EQ(submission.sweep, SweepId(9));
  EXPECT_EQ(intake_.Recorded(submission.sequence)[0].jobs.begin()->first,
            JobId(42));
}

}  // namespace
}  // namespace hydra
