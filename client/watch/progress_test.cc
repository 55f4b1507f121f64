#include "client/watch/progress.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/render/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

v1::JobStatus Job(const std::string& id, v1::JobState state,
                  v1::JobPhase phase) {
  v1::JobStatus job;
  job.set_job_id(id);
  job.set_name("gpt2");
  job.set_state(state);
  job.set_phase(phase);
  return job;
}

WatchModel Model(const std::vector<v1::JobStatus>& jobs) {
  v1::WatchResponse response;
  for (const v1::JobStatus& job : jobs) *response.add_jobs() = job;
  v1::WorkerStatus* worker = response.add_workers();
  worker->set_device("cpu:0");
  worker->set_state(v1::WORKER_STATE_READY);
  worker->set_task("j2 BACKWARD shard 2 step 17");
  worker->set_peak_bytes(512 << 20);
  worker->set_memory_limit_bytes(1 << 30);
  worker->set_computing(0.84);
  worker->set_promoting(0.31);
  worker->set_demoting(0.22);
  WatchModel model;
  model.Apply(response, /*first=*/true);
  return model;
}

v1::JobStatus Training() {
  v1::JobStatus job = Job("j2", v1::JOB_STATE_RUNNING, v1::JOB_PHASE_TRAIN);
  job.set_step(17);
  job.set_total_steps(120);
  job.set_train_loss(3.5);
  job.set_tokens_per_second(2468.4);
  job.set_overall_tokens_per_second(1234.4);
  job.mutable_remaining()->set_seconds(185);
  return job;
}

TEST(RenderProgressTest, ShowsRunningJobsFirstThenDevices) {
  const WatchModel model = Model(
      {Job("j1", v1::JOB_STATE_PENDING, v1::JOB_PHASE_ADMISSION), Training()});
  const std::vector<std::string> lines = RenderProgress(model, {}, false);
  ASSERT_THAT(lines, SizeIs(6));
  EXPECT_EQ(lines[0],
            "1 running, 1 pending; 17 of 120 steps (14%), 1234 tokens/s")
      << "the other job does not know its time yet";
  EXPECT_THAT(lines[2],
              ContainsRegex("j2 +gpt2 +train +17/120 +3.5000 +- +2468 +3m05s"));
  EXPECT_THAT(lines[3], ContainsRegex("j1 +gpt2 +admission"));
  EXPECT_THAT(lines[5],
              ContainsRegex("cpu:0 +84% +31% +22% +j2 BACKWARD shard 2 step 17"
                            " +512.0 MiB / 1.0 GiB"));
  EXPECT_THAT(RenderProgress(model, {/*width=*/60, /*height=*/20}, false)[5],
              HasSubstr("22%  j2 BACKWARD shard 2 step 17"))
      << "the memory is cut off first";
}

// Steps that a job shall not make any more are none of the sweep's.
TEST(RenderProgressTest, AJobThatStoppedEarlyIsDone) {
  v1::JobStatus stopped =
      Job("j1", v1::JOB_STATE_COMPLETED, v1::JOB_PHASE_ENDED);
  stopped.set_step(30);
  stopped.set_total_steps(100);
  stopped.set_reason("stopped after step 30: validation loss not below 3");
  const std::vector<std::string> lines =
      RenderProgress(Model({stopped, Training()}), {}, false);
  EXPECT_THAT(lines[0], HasSubstr("; 47 of 150 steps (31%)"));
  EXPECT_THAT(lines[3], AllOf(HasSubstr("30/100"),
                              HasSubstr("stopped after step 30: validation")));
}

TEST(RenderProgressTest, ShowsTheAccuracyOfAClassification) {
  v1::JobStatus job = Training();
  job.set_validation_accuracy(0.875);
  const std::vector<std::string> lines =
      RenderProgress(Model({job}), {}, false);
  EXPECT_THAT(lines[1], HasSubstr("VAL ACC"));
  EXPECT_THAT(lines[2], ContainsRegex("17/120 +3.5000 +0.8750 +2468"));
}

TEST(RenderProgressTest, RatesOfTokensAndOfExamplesAreNotAdded) {
  v1::JobStatus images = Training();
  images.set_job_id("j3");
  images.set_counts_examples(true);
  const auto lines =
      RenderProgress(Model({Training(), images, images}), {}, false);
  EXPECT_THAT(lines[0], HasSubstr(", 1234 examples/s, 1234 tokens/s"));
  EXPECT_THAT(lines[1], HasSubstr("RATE"));
  EXPECT_THAT(lines[2], HasSubstr("2468 tokens/s"));
  EXPECT_THAT(lines[3], HasSubstr("2468 examples/s"));
  EXPECT_THAT(RenderProgress(Model({images}), {}, false)[1],
              HasSubstr("EXAMPLES/S"));
}

TEST(RenderProgressTest, CountsPausedJobsAndShowsTheirState) {
  v1::JobStatus paused = Training();
  paused.set_job_id("j1");
  paused.set_state(v1::JOB_STATE_PAUSED);
  const std::vector<std::string> lines =
      RenderProgress(Model({paused, Training()}), {}, false);
  ASSERT_THAT(lines, SizeIs(6));
  EXPECT_EQ(lines[0],
            "1 running, 1 paused; 34 of 240 steps (14%), 1234 tokens/s, 3m05s "
            "left");
  EXPECT_THAT(lines[2], ContainsRegex("j2 +gpt2 +train"));
  EXPECT_THAT(lines[3], ContainsRegex("j1 +gpt2 +paused +17/120"));
}

TEST(RenderProgressTest, NotesWhyAJobWaitsElseItsParameters) {
  v1::JobStatus job = Training();
  job.add_parameters("seed=7");
  const auto note = [&] { return RenderProgress(Model({job}), {}, false)[2]; };
  EXPECT_THAT(note(), HasSubstr("seed=7"));
  job.set_state(v1::JOB_STATE_PAUSED);
  job.set_reason("the disk is full");
  EXPECT_THAT(note(), HasSubstr("the disk is full"));
  job.set_state(v1::JOB_STATE_CANCELLED);
  job.set_reason("cancelled");
  EXPECT_THAT(note(), HasSubstr("seed=7"));
}

TEST(RenderProgressTest, FitsEveryTerminal) {
  std::vector<v1::JobStatus> jobs;
  for (int i = 0; i < 30; ++i) {
    jobs.push_back(Job(absl::StrCat("j", i), v1::JOB_STATE_PENDING,
                       v1::JOB_PHASE_ADMISSION));
  }
  const WatchModel model = Model(jobs);
  for (int height = 2; height < 50; ++height) {
    for (const int width : {10, 40, 80}) {
      const auto lines = RenderProgress(model, {width, height}, false);
      EXPECT_LT(lines.size(), height);
      for (const std::string& line : lines) {
        EXPECT_LE(DisplayWidth(line), width);
      }
    }
  }
}

TEST(RenderProgressTest, CountsTheJobsThatFoundNoRoom) {
  std::vector<v1::JobStatus> jobs(
      10, Job("", v1::JOB_STATE_PENDING, v1::JOB_PHASE_ADMISSION));
  for (size_t i = 0; i < jobs.size(); ++i) {
    jobs[i].set_job_id(absl::StrCat("j", i));
  }
  const auto lines =
      RenderProgress(Model(jobs), {/*width=*/80, /*height=*/10}, false);
  EXPECT_THAT(lines, SizeIs(9));
  EXPECT_EQ(lines[6], "... and 6 more");
}

TEST(PlainProgressTest, ReportsPhaseChangesOnce) {
  PlainProgress progress;
  const absl::Time now = absl::FromUnixSeconds(1000);
  const auto pilot =
      Model({Job("j1", v1::JOB_STATE_RUNNING, v1::JOB_PHASE_PILOT)});
  EXPECT_THAT(progress.Update(pilot, now), ElementsAre("j1 gpt2: pilot"));
  EXPECT_THAT(progress.Update(pilot, now), IsEmpty());
  v1::JobStatus failed = Job("j1", v1::JOB_STATE_FAILED, v1::JOB_PHASE_ENDED);
  failed.set_reason("no such file");
  EXPECT_THAT(progress.Update(Model({failed}), now),
              ElementsAre("j1 gpt2: failed: no such file"));
}

TEST(PlainProgressTest, ReportsAPauseAndItsEnd) {
  PlainProgress progress;
  const absl::Time now = absl::FromUnixSeconds(1000);
  v1::JobStatus job = Training();
  progress.Update(Model({job}), now);
  job.set_state(v1::JOB_STATE_PAUSED);
  EXPECT_THAT(progress.Update(Model({job}), now),
              ElementsAre("j2 gpt2: paused"));
  job.set_state(v1::JOB_STATE_RUNNING);
  EXPECT_THAT(progress.Update(Model({job}), now),
              ElementsAre("j2 gpt2: train"));
}

TEST(PlainProgressTest, ReportsAnEvaluation) {
  PlainProgress progress;
  v1::JobStatus job = Training();
  progress.Update(Model({job}), absl::FromUnixSeconds(1000));
  job.set_validation_loss(3.44);
  job.set_validation_perplexity(31.25);
  EXPECT_THAT(progress.Update(Model({job}), absl::FromUnixSeconds(1001)),
              ElementsAre("j2 gpt2: step 17/120 validation loss 3.4400 "
                          "perplexity 31.25"));
}

TEST(PlainProgressTest, SummarisesWhenNothingChangedForTenSeconds) {
  PlainProgress progress;
  const WatchModel model = Model({Training()});
  const absl::Time start = absl::FromUnixSeconds(1000);
  progress.Update(model, start);
  EXPECT_THAT(progress.Update(model, start + absl::Seconds(9)), IsEmpty());
  EXPECT_THAT(progress.Update(model, start + absl::Seconds(10)),
              ElementsAre("1 running; j2 17/120 loss 3.5000 2468 tokens/s",
                          "cpu:0: j2 BACKWARD shard 2 step 17; computing 84%, "
                          "in 31%, out 22%"));
  EXPECT_THAT(progress.Update(model, start + absl::Seconds(11)), IsEmpty());
}

}  // namespace
}  // namespace hydra
