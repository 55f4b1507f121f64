#include "common/jobfile/job_changes.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

JobFile File() {
  JobFile file;
  file.job.set_name("tiny");
  file.job.mutable_data()->add_train_files("/a");
  file.job.mutable_data()->add_train_files("/b");
  file.job.mutable_train()->set_learning_rate(0.5);
  file.job.mutable_train()->set_num_train_epochs(3);
  file.job.mutable_lora()->set_r(4);
  file.job.mutable_lora()->add_target_modules("c_proj");
  return file;
}

// "path: what is wrong", for each.
std::vector<std::string> MistakesIn(const std::vector<std::string>& changes) {
  JobFile file = File();
  Mistakes mistakes;
  ChangeJob(changes, &file, &mistakes);
  std::vector<std::string> lines;
  for (const Mistake& mistake : mistakes) {
    lines.push_back(absl::StrCat(mistake.field(), ": ", mistake.description()));
  }
  return lines;
}

JobFile Changed(const std::vector<std::string>& changes) {
  JobFile file = File();
  Mistakes mistakes;
  ChangeJob(changes, &file, &mistakes);
  EXPECT_THAT(mistakes, IsEmpty());
  return file;
}

TEST(ChangeJobTest, ValuesAreThoseOfAJobFile) {
  const JobFile file =
      Changed({"train.learning_rate=3e-4", "name='x=y'", "train.optim=sgd",
               "data.shuffle=false", "evaluation.eval_steps= 7 # a remark",
               "data.train_files=[/c, '/d e']"});
  EXPECT_EQ(file.job.train().learning_rate(), 3e-4);
  EXPECT_EQ(file.job.name(), "x=y");
  EXPECT_EQ(file.job.train().optim(), v1::OPTIMIZER_SGD);
  EXPECT_TRUE(file.job.data().has_shuffle());
  EXPECT_FALSE(file.job.data().shuffle());
  EXPECT_EQ(file.job.evaluation().eval_steps(), 7);
  EXPECT_THAT(file.job.data().train_files(), ElementsAre("/c", "/d e"));
  // All else is as it was.
  EXPECT_EQ(file.job.train().num_train_epochs(), 3);
  EXPECT_EQ(file.job.lora().r(), 4);
  EXPECT_THAT(file.grid, IsEmpty());
}

TEST(ChangeJobTest, OneValueTakesTheWholeListsPlace) {
  EXPECT_THAT(Changed({"data.train_files=/c"}).job.data().train_files(),
              ElementsAre("/c"));
}

TEST(ChangeJobTest, WithoutAValueAFieldOrSectionHasNeverBeenWritten) {
  const JobFile file =
      Changed({"train.num_train_epochs=", "train.max_steps=9",
               "lora=", "data.train_files=null", "partition.shards="});
  EXPECT_FALSE(file.job.train().has_num_train_epochs());
  EXPECT_EQ(file.job.train().max_steps(), 9);
  EXPECT_FALSE(file.job.has_lora());
  EXPECT_THAT(file.job.data().train_files(), IsEmpty());
  EXPECT_FALSE(file.job.has_partition());
}

TEST(ChangeJobTest, SeveralKeysOfASectionMayBeOneValue) {
  const JobFile file = Changed({"lora={r: 16, target_modules: [c_attn]}"});
  EXPECT_EQ(file.job.lora().r(), 16);
  EXPECT_THAT(file.job.lora().target_modules(), ElementsAre("c_attn"));
  EXPECT_THAT(MistakesIn({"lora={rank: 16}"}),
              ElementsAre(HasSubstr("lora.rank: unknown key 'rank'")));
  EXPECT_THAT(MistakesIn({"lora.r=1", "lora={r: 2}"}),
              ElementsAre("lora.r: this key is given twice"));
}

TEST(ChangeJobTest, SeveralValuesOfOneFieldAreAnAxis) {
  const JobFile file =
      Changed({"train.learning_rate=[1e-4, 3e-4]", "train.seed=[1,2,3]"});
  ASSERT_EQ(file.grid.size(), 2);
  EXPECT_EQ(file.grid[0].field(), "train.learning_rate");
  EXPECT_THAT(file.grid[0].values(), ElementsAre("1e-4", "3e-4"));
  EXPECT_THAT(file.grid[1].values(), ElementsAre("1", "2", "3"));
  EXPECT_THAT(MistakesIn({"train.seed=[1, 01]"}),
              ElementsAre(HasSubstr("are the same")));
  EXPECT_THAT(MistakesIn({"train.seed=[[1], 2]"}),
              ElementsAre("train.seed: expected single values in the list"));
  EXPECT_THAT(MistakesIn({"train.seed=[]"}),
              ElementsAre(HasSubstr("at least one value")));
}

TEST(ChangeJobTest, TellsEveryMistakeWithItsKey) {
  EXPECT_THAT(
      MistakesIn({"train.lerning_rate=1", "train.max_steps=many", "seed=3",
                  "train=7", "nothing", "=3", "train.optim=[sgd, fast]"}),
      ElementsAre(AllOf(HasSubstr("train.lerning_rate: unknown key "
                                  "'lerning_rate'; did you mean "
                                  "'learning_rate'?"),
                        Not(HasSubstr("line"))),
                  "train.max_steps: expected a whole number, found 'many'",
                  HasSubstr("seed: unknown key 'seed'; did you mean 'seed' "
                            "under 'train'?"),
                  HasSubstr("train: expected a section of keys, found '7'"),
                  HasSubstr("expected KEY=VALUE, such as "
                            "train.learning_rate=3e-4, found 'nothing'"),
                  HasSubstr("found '=3'"),
                  HasSubstr("train.optim: expected one of")));
}

TEST(ChangeJobTest, AnUnknownKeyWithoutAValueIsUnknown) {
  EXPECT_THAT(MistakesIn({"trian="}),
              ElementsAre(HasSubstr("unknown key 'trian'")));
  EXPECT_THAT(MistakesIn({"train.seed.x=1"}),
              ElementsAre(HasSubstr("train.seed: expected a whole number")));
}

TEST(ChangeJobTest, AKeyIsGivenOnce) {
  EXPECT_THAT(MistakesIn({"train.seed=1", "train.seed=2"}),
              ElementsAre("train.seed: this key is given twice"));
}

TEST(ChangeJobTest, WhatIsNoYamlIsToldWithTheKey) {
  EXPECT_THAT(MistakesIn({"model.frozen=[a"}),
              ElementsAre(HasSubstr("model.frozen: ")));
}

TEST(ChangeJobTest, TooManyJobsAreRefused) {
  std::string seeds = "train.seed=[0";
  for (int i = 1; i < 200; ++i) absl::StrAppend(&seeds, ",", i);
  std::string rates = "train.learning_rate=[1";
  for (int i = 2; i <= 200; ++i) absl::StrAppend(&rates, ",", i);
  EXPECT_THAT(MistakesIn({seeds + "]", rates + "]"}),
              ElementsAre(HasSubstr("sweep.grid: the grid makes more than")));
}

}  // namespace
}  // namespace hydra
