#include "common/jobfile/suggest.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hydra/v1/job.pb.h"

namespace hydra {
namespace {

constexpr Alias kAliases[] = {
    {"lr", "learning_rate"}, {"base_model", "model.path"}, {"grid", "sweep"}};

std::string Suggest(absl::string_view section, absl::string_view key) {
  return SuggestField(*v1::JobSpec::descriptor(), section, key, kAliases);
}

TEST(SuggestFieldTest, FollowsAliasesToNamesPathsAndOtherWords) {
  EXPECT_EQ(Suggest("train", "lr"), "train.learning_rate");
  EXPECT_EQ(Suggest("", "LR"), "train.learning_rate");
  EXPECT_EQ(Suggest("train", "base_model"), "model.path");
  EXPECT_EQ(Suggest("", "grid"), "sweep");
}

TEST(SuggestFieldTest, FindsTheNameInAnotherSection) {
  EXPECT_EQ(Suggest("", "seed"), "train.seed");
  EXPECT_EQ(Suggest("model", "train_files"), "data.train_files");
  EXPECT_EQ(Suggest("train", "name"), "name");
}

TEST(SuggestFieldTest, FindsAPathWrittenAsOneKey) {
  EXPECT_EQ(Suggest("", "train.seed"), "train.seed");
  EXPECT_EQ(Suggest("", "train.lr"), "train.learning_rate");
}

TEST(SuggestFieldTest, FindsNamesSpelledAlike) {
  EXPECT_EQ(Suggest("train", "learningRate"), "train.learning_rate");
  EXPECT_EQ(Suggest("train", "weigth_decay"), "train.weight_decay");
  EXPECT_EQ(Suggest("", "modle"), "model");
}

TEST(SuggestFieldTest, SuggestsNothingForWhatIsFarFromEverything) {
  EXPECT_EQ(Suggest("train", "deepspeed"), "");
  EXPECT_EQ(Suggest("train", std::string(1'000'000, 'a')), "");
}

TEST(SuggestWordTest, PrefersAliasesToSpelling) {
  const std::vector<std::string> names = {"sgd", "adam", "adamw"};
  const Alias aliases[] = {{"adamx", "sgd"}};
  EXPECT_EQ(SuggestWord("adamx", names, aliases), "sgd");
  EXPECT_EQ(SuggestWord("adamx", names, {}), "adam");
  EXPECT_EQ(SuggestWord("AdamW", names, {}), "adamw");
  EXPECT_EQ(SuggestWord("lion", names, {}), "");
}

}  // namespace
}  // namespace hydra
