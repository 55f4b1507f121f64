#include "common/jobfile/job_file_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> FieldsOf(const absl::Status& status) {
  std::vector<std::string> fields;
  for (const Mistake& mistake : MistakesOf(status)) {
    fields.push_back(mistake.field());
  }
  return fields;
}

TEST(JobFileCheckTest, AFileWithoutMistakesIsReadAsItIs) {
  const auto read = ReadJobFileToCheck(
      "name: a\n"
      "train: {max_steps: 3}\n"
      "data: {train_files: here.txt}\n"
      "sweep: {grid: {train.learning_rate: [0.1, 0.2]}}\n");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_THAT(read->known.mistakes, IsEmpty());
  EXPECT_EQ(read->file.job.train().max_steps(), 3);
  EXPECT_EQ(read->file.job.data().train_files(0), "here.txt");
  ASSERT_EQ(read->file.grid.size(), 1);
  EXPECT_TRUE(AllMistakes(read->known, {}).ok());
}

TEST(JobFileCheckTest, MistakesOfBothComeInTheOrderOfTheFile) {
  const auto read = ReadJobFileToCheck(
      "model: {path: /nowhere}\n"
      "train:\n"
      "  max_steps: many\n"
      "  learning_rate: -1\n");
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->known.mistakes.size(), 1);
  Mistakes theirs;
  AddMistake("train.learning_rate", "found -1", &theirs);
  // Follows from what could not be read.
  AddMistake("train.max_steps", "is needed", &theirs);
  AddMistake("model.path", "does not exist", &theirs);
  EXPECT_THAT(
      FieldsOf(AllMistakes(read->known, theirs)),
      ElementsAre("model.path", "train.max_steps", "train.learning_rate"));
}

TEST(JobFileCheckTest, WhatIsNoYamlIsRefusedWithItsLine) {
  const auto read = ReadJobFileToCheck("name: a\ntrain: [\n");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(read.status().message().rfind("line ", 0), 0u)
      << read.status().message();
  // Nor is one whose text unfolds to more than it has.
  EXPECT_FALSE(ReadJobFileToCheck("a: &x [1, 2]\nb: [*x, *x]\n").ok());
  EXPECT_FALSE(ReadJobFileToCheck(std::string(40, '[')).ok());
  EXPECT_FALSE(
      ReadJobFileToCheck(absl::StrCat("name: ", std::string(1 << 20, 'a')))
          .ok());
}

}  // namespace
}  // namespace hydra
