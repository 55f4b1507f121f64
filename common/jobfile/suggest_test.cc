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

TEST(SuggestFieldTest, CountsSwappedLettersOnceAndStopsEarly) {
  EXPECT_EQ(Suggest("", "nmae"), "name");
  EXPECT_EQ(Suggest("", "do_train"), "") << "three letters more";
  EXPECT_EQ(Suggest("train", "max_samples"), "");
}

TEST(SuggestWordTest, AnAliasOfItsKindComesBeforeThatOfAny) {
  const Alias aliases[] = {
      {"half*", "", "nothing here"}, {"type.half", "two"}, {"some", "one"}};
  const std::vector<std::string> known = {"one", "two"};
  EXPECT_EQ(SuggestWord("half", known, aliases, "type"), "two");
  EXPECT_EQ(SuggestWord("half", known, aliases), "");
  EXPECT_EQ(SuggestWord("some", known, aliases, "type"), "one");
}

TEST(FindAliasTest, TakesSectionsBeginningsAndDashes) {
  const Alias aliases[] = {
      {"eval.size", "a"}, {"size", "b"}, {"wandb_*", "", "n"}};
  EXPECT_EQ(FindAlias("eval", "size", aliases)->meant, "a");
  EXPECT_EQ(FindAlias("train", "Size", aliases)->meant, "b");
  EXPECT_EQ(FindAlias("", "wandb-project", aliases)->note, "n");
  EXPECT_EQ(FindAlias("", "wand", aliases), nullptr);
}

TEST(KeyHintTest, KnowsTheNameTheReasonOrTheChoice) {
  const Alias aliases[] = {{"lr", "learning_rate", "it is constant"},
                           {"amp", "", "there is none"}};
  const auto hint = [&](absl::string_view section, absl::string_view key) {
    return KeyHint(*v1::JobSpec::descriptor(), section, key, {"sweep", "name"},
                   aliases);
  };
  EXPECT_EQ(hint("", "lr"),
            "did you mean 'learning_rate' under 'train'? it is constant");
  EXPECT_EQ(hint("train", "amp"), "there is none; remove it");
  EXPECT_EQ(hint("", "swep"), "did you mean 'sweep'?");
  EXPECT_EQ(hint("", "zzz"), "known here: sweep, name");
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
