#include "common/jobfile/import_ledger.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Fate = ImportedKey::Fate;

TEST(ImportLedgerTest, AFieldKeepsItsFirstValue) {
  ImportLedger ledger;
  ledger.Set("train.seed", {"seed", 3}, "7", "as there");
  EXPECT_EQ(ledger.FirstOf("train.seed"), "7");
  EXPECT_EQ(ledger.keys().back().what, "'7'; as there");
  EXPECT_EQ(ledger.keys().back().field, "train.seed");
  ledger.Set("train.seed", {"random_seed", 4}, "7", "");
  EXPECT_EQ(ledger.keys().back().fate, Fate::kTaken);
  ledger.Set("train.seed", {"data_seed", 5}, "8", "");
  EXPECT_EQ(ledger.FirstOf("train.seed"), "7");
  EXPECT_EQ(ledger.keys().back().fate, Fate::kLost);
  EXPECT_EQ(ledger.keys().back().what, "'8'; it is '7' already");
}

TEST(ImportLedgerTest, WhatAFieldDoesNotTakeIsLostWhereTheResultNeedsIt) {
  ImportLedger ledger;
  ledger.Set("train.seed", {"seed", 1}, "many", "");
  EXPECT_EQ(ledger.keys().back().fate, Fate::kLost);
  EXPECT_THAT(ledger.keys().back().what, HasSubstr("expected a whole number"));
  ledger.Set("checkpoint.every_steps", {"save_steps", 2}, "0.5", "");
  EXPECT_EQ(ledger.keys().back().fate, Fate::kLeftOut);
  EXPECT_EQ(ledger.field_count(), 0);
}

TEST(ImportLedgerTest, WhatTheToolDoesUnaskedIsAssumed) {
  ImportLedger ledger;
  ledger.Set("train.max_grad_norm", {"max_grad_norm", 0}, "1.0", "");
  EXPECT_EQ(ledger.keys().back().fate, Fate::kAssumed);
  ledger.LoseLast("not here");
  EXPECT_EQ(ledger.keys().back().fate, Fate::kLost);
  EXPECT_EQ(ledger.keys().back().what, "'1.0'; not here");
}

TEST(ImportLedgerTest, AFieldThatIsDroppedIsToldForAllKeysThatGaveIt) {
  ImportLedger ledger;
  ledger.Give("data.train_files", {"a", 1}, {"/a"}, "'/a'");
  ledger.Tell(Fate::kLeftOut, {"b", 2}, "nothing");
  ledger.Give("data.train_files", {"c", 3}, {"/a", "/c"}, "'/c'");
  EXPECT_THAT(ledger.TextsOf("data.train_files"), ElementsAre("/a", "/c"));
  ledger.JudgeGivers("data.train_files", Fate::kLost, "no");
  EXPECT_TRUE(ledger.Has("data.train_files"));
  ledger.Drop("data.train_files", Fate::kLeftOut, "never");
  EXPECT_FALSE(ledger.Has("data.train_files"));
  EXPECT_EQ(ledger.keys()[0].fate, Fate::kLeftOut);
  EXPECT_EQ(ledger.keys()[0].what, "'/a'; no; never");
  EXPECT_EQ(ledger.keys()[1].what, "nothing");
  EXPECT_EQ(ledger.keys()[2].what, "'/c'; no; never");
  ledger.Drop("data.train_files", Fate::kLost, "again");
  EXPECT_EQ(ledger.keys()[0].what, "'/a'; no; never");
}

TEST(ImportLedgerTest, WhatIsSetUntoldNamesNoKey) {
  ImportLedger ledger;
  ledger.SetUntold("data.format", "jsonl");
  EXPECT_EQ(ledger.Fields().at("data.format"),
            std::vector<std::string>{"jsonl"});
  EXPECT_TRUE(ledger.keys().empty());
  EXPECT_EQ(ledger.FirstOf("data.text_field"), "");
  const size_t next = ledger.next_key();
  ledger.Tell(Fate::kTaken, {"stage", 1}, "'pt'");
  ledger.Judge(next, Fate::kLeftOut, "it is that anyway");
  EXPECT_EQ(ledger.keys()[next].what, "it is that anyway");
}

}  // namespace
}  // namespace hydra
