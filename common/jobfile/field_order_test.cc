#include "common/jobfile/field_order.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Sorted(const std::string& text,
                                const std::vector<std::string>& fields) {
  Mistakes mistakes;
  for (const std::string& field : fields) AddMistake(field, "", &mistakes);
  FieldOrder(*ParseYaml(text)).Sort(&mistakes);
  std::vector<std::string> sorted;
  for (const auto& mistake : mistakes) sorted.push_back(mistake.field());
  return sorted;
}

TEST(FieldOrderTest, IsThatOfTheFile) {
  EXPECT_THAT(
      Sorted("train: {seed: 1, optim: sgd}\n"
             "data: {train_files: [a, b]}\nname: x\n",
             {"name", "data.train_files[1]", "data.train_files[0]",
              "train.optim", "train.seed", ""}),
      ElementsAre("", "train.seed", "train.optim", "data.train_files[0]",
                  "data.train_files[1]", "name"));
}

TEST(FieldOrderTest, WhatIsNotThereStandsAtTheEndOfItsSection) {
  EXPECT_THAT(
      Sorted("train: {seed: 1}\ndata: {train_files: a}\n",
             {"model.path", "data.train_files[0]", "data.test_files",
              "train.max_steps", "train.seed"}),
      ElementsAre("train.seed", "train.max_steps", "data.train_files[0]",
                  "data.test_files", "model.path"));
}

TEST(FieldOrderTest, HowManyWereLeftOutStandsLast) {
  Mistakes mistakes;
  AddMistake("train.seed", "is x", &mistakes);
  mistakes.push_back(MoreMistakes(3));
  AddMistake("", "is no job", &mistakes);
  AddMistake("", "and 3 more mistakes of another kind", &mistakes);
  FieldOrder(*ParseYaml("train: {seed: x}\n")).Sort(&mistakes);
  EXPECT_EQ(ToStatus(mistakes).message(),
            "is no job\nand 3 more mistakes of another kind\n"
            "train.seed: is x\nand 3 more mistakes");
}

TEST(FieldOrderTest, AnAxisStandsWhereTheFieldDoesElseInTheGrid) {
  EXPECT_THAT(Sorted("sweep: {grid: {train.seed: [1], train.optim: [sgd]}}\n"
                     "name: x\ntrain: {seed: 1}\n",
                     {"train.seed", "name", "train.optim"}),
              ElementsAre("train.optim", "name", "train.seed"));
}

TEST(FieldOrderTest, OfVeryManyFieldsTheFirstOnesHaveTheirPlaces) {
  std::string text = "data: {train_files: [a";
  for (int i = 1; i < 30'000; ++i) text += ",a";
  EXPECT_THAT(
      Sorted(text + "]}\nname: x\n",
             {"name", "data.train_files[29999]", "data.train_files[0]"}),
      ElementsAre("data.train_files[0]", "data.train_files[29999]", "name"));
}

TEST(FieldOrderTest, AKeyThatIsNoFieldHasItsPlaceToo) {
  const std::string key(150, 'k');
  EXPECT_THAT(Sorted(key + ": 1\nname: x\n", {"name", key}),
              ElementsAre(FieldName(key), "name"));
}

}  // namespace
}  // namespace hydra
