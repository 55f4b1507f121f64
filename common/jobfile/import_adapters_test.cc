#include "common/jobfile/import_adapters.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Fate = ImportedKey::Fate;

YamlNode Scalar(const std::string& text) {
  YamlNode node;
  node.kind = YamlNode::Kind::kScalar;
  node.text = text;
  return node;
}

std::vector<std::string> Modules(const ImportLedger& ledger) {
  return ledger.TextsOf("lora.target_modules");
}

TEST(ImportAdaptersTest, KnowsKeysOfAdapters) {
  for (const char* key : {"lora_r", "loraplus_lr_ratio", "peft_use_dora",
                          "use_rslora", "use_dora"}) {
    EXPECT_TRUE(IsOfAdapters(key)) << key;
  }
  for (const char* key : {"lora", "adapter", "use_peft", "learning_rate"}) {
    EXPECT_FALSE(IsOfAdapters(key)) << key;
  }
}

TEST(ImportAdaptersTest, NamesOfModulesAreAListOrHaveCommas) {
  ImportLedger ledger;
  TakeModules({"lora_target", 1}, Scalar("q_proj, v_proj"), &ledger);
  EXPECT_THAT(Modules(ledger), ElementsAre("q_proj", "v_proj"));
  YamlNode list;
  list.kind = YamlNode::Kind::kSequence;
  list.items = {Scalar("k_proj")};
  TakeModules({"target_modules", 2}, list, &ledger);
  EXPECT_THAT(Modules(ledger), ElementsAre("k_proj"));
}

TEST(ImportAdaptersTest, AllOfThemAreTheOthersToo) {
  ImportLedger ledger;
  TakeModules({"lora_target_linear", 1}, Scalar("yes"), &ledger);
  TakeModules({"target_modules", 2}, Scalar("q_proj"), &ledger);
  TakeModules({"lora_target_linear", 3}, Scalar("false"), &ledger);
  EXPECT_THAT(Modules(ledger), ElementsAre("all-linear"));
  EXPECT_EQ(ledger.keys().back().fate, Fate::kLeftOut);
}

TEST(ImportAdaptersTest, RegularExpressionsAreRefused) {
  ImportLedger ledger;
  TakeModules({"target_modules", 1}, Scalar(".*(q|v)_proj"), &ledger);
  EXPECT_THAT(Modules(ledger), IsEmpty());
  EXPECT_EQ(ledger.keys().back().fate, Fate::kLost);
  EXPECT_THAT(ledger.keys().back().what, HasSubstr("such as q_proj"));
}

TEST(ImportAdaptersTest, AlphaIsTwiceTheRankThatThereIs) {
  ImportLedger ledger;
  AssumeAlpha(&ledger);
  EXPECT_FALSE(ledger.Has("lora.lora_alpha"));
  ledger.Set("lora.r", {"lora_rank", 1}, "4", "");
  AssumeAlpha(&ledger);
  EXPECT_EQ(ledger.FirstOf("lora.lora_alpha"), "8");
  EXPECT_EQ(ledger.keys().back().fate, Fate::kAssumed);
}

}  // namespace
}  // namespace hydra
