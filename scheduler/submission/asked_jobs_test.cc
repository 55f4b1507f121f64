#include "scheduler/submission/asked_jobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/jobfile/job_file.h"
#include "common/jobfile/mistakes.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kText[] =
    "name: a\n"
    "model: {path: models/tiny}\n"
    "data: {train_files: [/data/a.txt, b.txt]}\n"
    "train: {max_steps: 3, per_device_train_batch_size: 2}\n"
    "sweep:\n"
    "  grid:\n"
    "    train.learning_rate: [1e-3, 3e-4]\n"
    "    model.path: [c.txt]\n";

absl::StatusOr<std::vector<NewJob>> FindsNothing(const v1::SubmitRequest&) {
  return std::vector<NewJob>(1);
}

std::vector<std::string> FieldsOf(const absl::Status& status) {
  std::vector<std::string> fields;
  for (const Mistake& mistake : MistakesOf(status)) {
    fields.push_back(mistake.field());
  }
  return fields;
}

TEST(AskedJobsTest, AJobFileAsksForWhatItsMessagesAskFor) {
  JobFile file = *ParseJobFile(kText);
  MakePathsAbsolute("/home/ann", &file);
  v1::SubmitRequest by_messages;
  *by_messages.mutable_job() = file.job;
  by_messages.mutable_grid()->Assign(file.grid.begin(), file.grid.end());
  by_messages.set_request_id("r");
  v1::SubmitRequest by_text;
  by_text.set_job_file(kText);
  by_text.set_base_dir("/home/ann");
  by_text.set_request_id("r");
  const auto asked = AskedJobs::Of(by_text);
  ASSERT_TRUE(asked.ok()) << asked.status();
  EXPECT_EQ(asked->messages().SerializeAsString(),
            AskedJobs::Of(by_messages)->messages().SerializeAsString());
  EXPECT_EQ(asked->messages().job().model().path(), "/home/ann/models/tiny");
  EXPECT_EQ(asked->messages().job().data().train_files(1), "/home/ann/b.txt");
  EXPECT_EQ(asked->messages().grid(1).values(0), "/home/ann/c.txt");
  EXPECT_TRUE(asked->is_whole());
  EXPECT_EQ(asked->Checked(FindsNothing)->size(), 1);
  v1::PlanRequest plan;
  plan.set_job_file(kText);
  plan.set_base_dir("/home/ann");
  by_messages.clear_request_id();
  EXPECT_EQ(AskedJobs::Of(plan)->messages().SerializeAsString(),
            by_messages.SerializeAsString());
}

TEST(AskedJobsTest, WithoutABaseDirectoryPathsStayAsTheyAre) {
  v1::SubmitRequest request;
  request.set_job_file(kText);
  EXPECT_EQ(AskedJobs::Of(request)->messages().job().model().path(),
            "models/tiny");
}

TEST(AskedJobsTest, RefusesWhatDoesNotGoTogether) {
  v1::SubmitRequest both;
  both.set_job_file(kText);
  both.mutable_job();
  EXPECT_THAT(FieldsOf(AskedJobs::Of(both).status()), ElementsAre("job_file"));
  v1::SubmitRequest here;
  here.set_job_file(kText);
  here.set_base_dir("here");
  EXPECT_THAT(FieldsOf(AskedJobs::Of(here).status()), ElementsAre("base_dir"));
  here.set_base_dir("/" + std::string(5000, 'a'));
  EXPECT_THAT(FieldsOf(AskedJobs::Of(here).status()), ElementsAre("base_dir"));
  v1::PlanRequest lone;
  lone.set_base_dir("/here");
  EXPECT_THAT(FieldsOf(AskedJobs::Of(lone).status()), ElementsAre("base_dir"));
}

TEST(AskedJobsTest, TellsTheFilesMistakesWithTheOthers) {
  v1::SubmitRequest request;
  request.set_job_file(
      "model: {path: /nowhere}\n"
      "train:\n"
      "  max_steps: many\n"
      "  learning_rat: 1\n");
  const auto asked = AskedJobs::Of(request);
  ASSERT_TRUE(asked.ok()) << asked.status();
  EXPECT_FALSE(asked->is_whole());
  const absl::Status status =
      asked
          ->Checked([](const v1::SubmitRequest& checked)
                        -> absl::StatusOr<std::vector<NewJob>> {
            EXPECT_EQ(checked.job().model().path(), "/nowhere");
            Mistakes mistakes;
            AddMistake("train.max_steps", "is needed", &mistakes);
            AddMistake("model.path", "does not exist", &mistakes);
            return ToStatus(mistakes);
          })
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(FieldsOf(status), ElementsAre("model.path", "train.max_steps",
                                            "train.learning_rat"));
  EXPECT_THAT(status.message(), HasSubstr("line 3: "));
  // What is not whole is never queued.
  EXPECT_FALSE(asked->Checked(FindsNothing).ok());
}

TEST(AskedJobsTest, OtherErrorsOfTheCheckStayAsTheyAre) {
  v1::SubmitRequest request;
  request.set_job_file(kText);
  const absl::Status why = absl::ResourceExhaustedError("no room");
  EXPECT_EQ(
      AskedJobs::Of(request)
          ->Checked([&](const v1::SubmitRequest&)
                        -> absl::StatusOr<std::vector<NewJob>> { return why; })
          .status(),
      why);
}

}  // namespace
}  // namespace hydra
