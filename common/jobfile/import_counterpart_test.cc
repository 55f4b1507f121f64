#include "common/jobfile/import_counterpart.h"

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(ImportCounterpartTest, AFieldIsFoundByItsNameOrItsPath) {
  EXPECT_EQ(FieldNamed("learning_rate"), "train.learning_rate");
  EXPECT_EQ(FieldNamed("train.learning_rate"), "train.learning_rate");
  EXPECT_EQ(FieldNamed("r"), "lora.r");
  // A section, a word that is only near, one that is none.
  EXPECT_EQ(FieldNamed("train"), "");
  EXPECT_EQ(FieldNamed("learning_rat"), "");
  EXPECT_EQ(FieldNamed("what_is_this"), "");
}

TEST(ImportCounterpartTest, AWordIsSoughtInItsOwnSectionAlone) {
  ASSERT_NE(CounterpartIn("", "template"), nullptr);
  EXPECT_EQ(CounterpartIn("datasets", "template"), nullptr);
  const Alias* const path = CounterpartIn("datasets", "path");
  ASSERT_NE(path, nullptr);
  EXPECT_EQ(path->word, "datasets.path");
  EXPECT_EQ(CounterpartIn("", "what_is_this"), nullptr);
}

TEST(ImportCounterpartTest, WhatIsMeasuredAloneIsNoPartOfTheResult) {
  for (const char* path :
       {"model.path", "train.seed", "lora.r", "data.train_files",
        "data.packing", "evaluation.early_stopping_patience"}) {
    EXPECT_TRUE(IsPartOfTheResult(path)) << path;
  }
  for (const char* path : {"data.validation_files", "data.test_files", "name",
                           "evaluation.eval_steps", "checkpoint.keep_last"}) {
    EXPECT_FALSE(IsPartOfTheResult(path)) << path;
  }
  EXPECT_TRUE(IsFilesField("data.test_files"));
  EXPECT_FALSE(IsFilesField("data.format"));
}

}  // namespace
}  // namespace hydra
