#include "common/jobfile/expand.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;

v1::GridAxis Axis(absl::string_view field,
                  const std::vector<std::string>& values) {
  v1::GridAxis axis;
  axis.set_field(std::string(field));
  for (const std::string& value : values) axis.add_values(value);
  return axis;
}

v1::GridAxis AxisOfSeeds(int count) {
  v1::GridAxis axis;
  axis.set_field("train.seed");
  for (int i = 0; i < count; ++i) axis.add_values(absl::StrCat(i));
  return axis;
}

std::string MessageOf(const std::vector<v1::GridAxis>& grid) {
  return std::string(ToStatus(CheckGrid(grid)).message());
}

TEST(ExpandGridTest, WithoutAGridIsTheJobItself) {
  v1::JobSpec base;
  base.mutable_train()->set_learning_rate(0.1);
  const auto jobs = ExpandGrid(base, {});
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  ASSERT_EQ(jobs->size(), 1);
  EXPECT_EQ((*jobs)[0].spec.SerializeAsString(), base.SerializeAsString());
  EXPECT_TRUE((*jobs)[0].parameters.empty());
}

TEST(ExpandGridTest, VariesTheFirstAxisSlowest) {
  v1::JobSpec base;
  base.set_name("gpt2");
  base.mutable_train()->set_learning_rate(9);
  const auto jobs =
      ExpandGrid(base, {Axis("train.optim", {"sgd", "adamw"}),
                        Axis("train.learning_rate", {"1e-3", "0.5"})});
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  ASSERT_EQ(jobs->size(), 4);
  EXPECT_THAT((*jobs)[0].parameters,
              ElementsAre("optim=sgd", "learning_rate=1e-3"));
  EXPECT_THAT((*jobs)[1].parameters,
              ElementsAre("optim=sgd", "learning_rate=0.5"));
  EXPECT_THAT((*jobs)[2].parameters,
              ElementsAre("optim=adamw", "learning_rate=1e-3"));
  EXPECT_EQ((*jobs)[1].spec.train().optim(), v1::OPTIMIZER_SGD);
  EXPECT_EQ((*jobs)[1].spec.train().learning_rate(), 0.5);
  EXPECT_EQ((*jobs)[2].spec.train().learning_rate(), 1e-3);
  EXPECT_EQ((*jobs)[0].spec.name(), "gpt2-01");
  EXPECT_EQ((*jobs)[3].spec.name(), "gpt2-04");
}

TEST(ExpandGridTest, NumbersNamesWithEqualWidth) {
  const auto jobs = ExpandGrid(v1::JobSpec(), {AxisOfSeeds(100)});
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  EXPECT_EQ(jobs->front().spec.name(), "job-001");
  EXPECT_EQ(jobs->back().spec.name(), "job-100");
}

TEST(ExpandGridTest, AGridOfOneJobKeepsTheName) {
  v1::JobSpec base;
  base.set_name("a");
  const auto jobs = ExpandGrid(base, {Axis("train.seed", {"1"})});
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  EXPECT_EQ(jobs->front().spec.name(), "a");
}

TEST(ExpandGridTest, MakesAsManyJobsAsAllowedAndNoMore) {
  EXPECT_EQ(ExpandGrid({}, {AxisOfSeeds(kMaxJobsPerSweep)})->size(),
            kMaxJobsPerSweep);
  EXPECT_EQ(
      MessageOf({AxisOfSeeds(5001), Axis("train.optim", {"sgd", "adam"})}),
      "sweep.grid: the grid makes more than 10000 jobs; remove values or "
      "split the sweep");
}

TEST(ExpandGridTest, CountsHugeGridsWithoutOverflow) {
  std::vector<v1::GridAxis> grid(40, AxisOfSeeds(10'000));
  EXPECT_THAT(MessageOf(grid), ::testing::HasSubstr("more than 10000 jobs"));
}

TEST(ExpandGridTest, RefusesALongValueWhichEachJobWouldShow) {
  EXPECT_EQ(MessageOf({Axis("train.learning_rate",
                            {"0.1", "0.1" + std::string(2000, '0')})}),
            "train.learning_rate: value 2 has 2003 bytes; at most 1024 are "
            "possible");
}

TEST(ExpandGridTest, RefusesManyCopiesOfALargeJob) {
  v1::JobSpec base;
  base.mutable_data()->add_train_files(std::string(1'000'000, 'a'));
  const auto jobs = ExpandGrid(base, {AxisOfSeeds(1000)});
  EXPECT_EQ(jobs.status().message(),
            "sweep.grid: the grid makes 1000 jobs of 1000008 bytes each; "
            "together at most 268435456 are allowed");
}

TEST(ExpandGridTest, ARankOfTheGridMakesAdapters) {
  const auto jobs =
      ExpandGrid({}, std::vector<v1::GridAxis>{Axis("lora.r", {"4", "16"})});
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  ASSERT_EQ(jobs->size(), 2);
  EXPECT_EQ((*jobs)[0].spec.lora().r(), 4);
  EXPECT_EQ((*jobs)[1].spec.lora().r(), 16);
  EXPECT_EQ((*jobs)[1].parameters.front(), "r=16");
}

TEST(CheckGridTest, TellsEveryMistake) {
  EXPECT_EQ(
      MessageOf({Axis("train.lr", {"1"}), Axis("train.optim", {"adm", "sgd"}),
                 Axis("train.seed", {}), Axis("data.train_files", {"a"}),
                 Axis("train", {"a"}), Axis("x", {"a"}),
                 Axis("train.learning_rate", {"1e-3", "0.001"}),
                 Axis("train.momentum", {"0"}), Axis("train.momentum", {"0"})}),
      "train.lr: no such field in a job; did you mean "
      "'train.learning_rate'?\n"
      "train.optim: expected one of sgd, adam, adamw, lion, adafactor, found "
      "'adm'; did "
      "you "
      "mean 'adam'?\n"
      "train.seed: expected at least one value, found none\n"
      "data.train_files: this field is a list; a grid varies single values "
      "only\n"
      "train: this is a section; name one of its fields, such as "
      "'train.learning_rate'\n"
      "x: no such field in a job; write its path, such as "
      "'train.learning_rate'\n"
      "train.learning_rate: the values '1e-3' and '0.001' are the same; "
      "remove one\n"
      "train.momentum: this field has two axes; join their values");
}

}  // namespace
}  // namespace hydra
