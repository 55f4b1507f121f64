#include "common/jobfile/unread_fields.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/jobfile/job_file.h"
#include "common/jobfile/validate.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The fields in which a server finds mistakes, after `text` was read.
std::vector<std::string> FoundBeside(const std::string& text) {
  const absl::StatusOr<JobFileDraft> draft = ReadJobFile(text);
  EXPECT_TRUE(draft.ok()) << draft.status();
  EXPECT_FALSE(draft->mistakes.empty()) << text;
  v1::JobSpec job = draft->file.job;
  const std::vector<std::string> unread = UnreadFields(draft->mistakes, job);
  FillUnread(unread, &job);
  Mistakes found;
  ValidateJob(job, &found);
  std::vector<std::string> fields;
  for (const auto& mistake : WithoutConsequences(unread, found)) {
    fields.push_back(mistake.field());
  }
  return fields;
}

// A job that is right but for what `train` and `more` bring.
std::string Job(const std::string& train, const std::string& more = "") {
  return absl::StrCat(
      "model: {path: /m}\ndata: {train_files: [/t]}\n"
      "train: {per_device_train_batch_size: 1, ",
      train, "}\n", more);
}

TEST(UnreadFieldsTest, NothingIsSaidOfWhatFollows) {
  for (const std::string& text : {
           // What is given but not read is not missing.
           Job("max_steps: 1, learning_rate: fast"),
           Job("num_train_epochs: few, learning_rate: 1"),
           Job("max_steps: [1], learning_rate: 1"),
           std::string("model: {path: [a]}\ndata: {train_files: {a: b}}\n"
                       "train: fast\n"),
           // Nor is what an unknown key probably means.
           Job("max_steps: 1, lr: 1"),
           Job("epochs: 1, learning_rate: 1"),
           Job("max_steps:1, learning_rate: 1"),
           std::string("modle: {path: /m}\ndata: {train_files: [/t]}\n"
                       "trian: {max_steps: 1}\n"),
           // Other fields depend on it.
           Job("max_steps: 1, learning_rate: 1, momentum: 0.9, optim: [x]"),
           Job("max_steps: 1, learning_rate: 1, momentum: 0.9, optimizer: sgd"),
           std::string("model: {path: /m}\n"
                       "data: {train_files: [/t], validation_file: /v}\n"
                       "train: {per_device_train_batch_size: 1, max_steps: 1, "
                       "learning_rate: 1}\nevaluation: {eval_steps: 2}\n"),
           // A sweep may set it.
           Job("max_steps: 1", "sweep: {grid: {train.learning_rate: [x]}}\n"),
           Job("max_steps: 1", "sweep: [train.learning_rate]\n"),
           Job("max_steps: 1", "swep: {grid: {train.learning_rate: [1]}}\n"),
           Job("learning_rate: 1", "sweep: {gird: {train.max_steps: [1]}}\n"),
           // There are no fields at all.
           std::string("[1, 2]\n"),
           std::string("a text\n"),
           // A field may be given twice.
           Job("max_steps: 1, learning_rate: 1, learning_rate: 2"),
       }) {
    EXPECT_THAT(FoundBeside(text), IsEmpty()) << text;
  }
}

TEST(UnreadFieldsTest, TheRestIsStillChecked) {
  EXPECT_THAT(FoundBeside(Job("max_steps: -1, learning_rate: fast")),
              ElementsAre("train.max_steps"));
  EXPECT_THAT(FoundBeside(Job("learning_rate: fast, foo: 1")),
              ElementsAre("train.max_steps"));
  EXPECT_THAT(FoundBeside(Job("max_steps: 2, num_train_epochs: few, "
                              "learning_rate: 1")),
              ElementsAre("train.max_steps"));
  EXPECT_THAT(FoundBeside("model: {pth: x}\ntrain: fast\n"),
              ElementsAre("data.train_files"));
  // A key without a name stands for no field, nor for the whole file.
  EXPECT_THAT(
      FoundBeside(Job("max_steps: -1, learning_rate: 1", "'': {path: 1}\n")),
      ElementsAre("train.max_steps"));
  // The other axes are there.
  EXPECT_THAT(FoundBeside(Job("max_steps: 1, learning_rate: 1",
                              "sweep: [1]\nevaluation: {eval_steps: -1}\n")),
              ElementsAre("evaluation.eval_steps"));
}

TEST(UnreadFieldsTest, ItemsOfAListKeepTheirNumbers) {
  EXPECT_THAT(FoundBeside(Job("max_steps: 1, learning_rate: 1",
                              "partition: {cut_points: [x, 3, 2]}\n")),
              ElementsAre("partition.cut_points[2]"));
  EXPECT_THAT(FoundBeside("model: {path: /m}\n"
                          "data: {train_files: [[x], relative]}\n"
                          "train: {per_device_train_batch_size: 1, "
                          "max_steps: 1, learning_rate: 1}\n"),
              ElementsAre("data.train_files[1]"));
}

TEST(UnreadFieldsTest, AxesThatAreRightStay) {
  const absl::StatusOr<JobFileDraft> draft = ReadJobFile(
      "sweep: {grid: {train.lr: [1], train.seed: [1, x], "
      "train.momentum: [0.5, 2]}}\n");
  ASSERT_TRUE(draft.ok());
  EXPECT_EQ(draft->mistakes.size(), 2);
  ASSERT_EQ(draft->file.grid.size(), 1);
  EXPECT_EQ(draft->file.grid[0].field(), "train.momentum");
  EXPECT_THAT(UnreadFields(draft->mistakes, draft->file.job),
              ElementsAre("train.lr", "train.learning_rate", "train.seed"));
}

}  // namespace
}  // namespace hydra
