#include "common/jobfile/import_data.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Fate = ImportedKey::Fate;
using Kind = YamlNode::Kind;

constexpr char kTrainFiles[] = "data.train_files";

YamlNode Scalar(const std::string& text) {
  YamlNode node;
  node.kind = Kind::kScalar;
  node.text = text;
  return node;
}

YamlEntry Entry(const std::string& key, const std::string& value) {
  YamlEntry entry;
  entry.key = key;
  entry.line = 1;
  entry.value = Scalar(value);
  return entry;
}

class ImportDataTest : public ::testing::Test {
 protected:
  ImportDataTest() {
    options_.base_dir = "/home/ann";
    options_.exists = [](const std::string&) { return false; };
    options_.read = [](const std::string& path) -> absl::StatusOr<std::string> {
      if (path != "/home/ann/data/dataset_info.json") {
        return absl::NotFoundError("there is no such file");
      }
      return R"({"wiki": {"file_name": "wiki.jsonl",
                          "columns": {"prompt": "body"}}})";
    };
  }

  ImportData Data() {
    return ImportData(
        tool_, options_,
        [this](absl::string_view section, absl::string_view files,
               const YamlEntry& entry) {
          read_.push_back(absl::StrCat(section, " ", files, " ", entry.key));
        },
        &ledger_);
  }

  void AddFile(const std::string& path, ImportData* data) {
    data->TakeFiles(kTrainFiles, {"file", 1}, Scalar(path));
  }

  TrainerTool tool_;
  ImportOptions options_;
  ImportLedger ledger_;
  std::vector<std::string> read_;
};

TEST_F(ImportDataTest, AFilesNameSaysItsFormat) {
  ImportData data = Data();
  AddFile("/a.jsonl.gz", &data);
  EXPECT_EQ(ledger_.FirstOf("data.format"), "jsonl");
  EXPECT_EQ(ledger_.keys().back().fate, Fate::kTaken);
  AddFile("/b.parquet", &data);
  EXPECT_THAT(ledger_.keys().back().what, HasSubstr("text and JSON Lines"));
  AddFile("/c.txt", &data);
  EXPECT_THAT(ledger_.keys().back().what, HasSubstr("have one format"));
  EXPECT_THAT(ledger_.TextsOf(kTrainFiles),
              ElementsAre("/a.jsonl.gz", "/b.parquet", "/c.txt"));
}

TEST_F(ImportDataTest, LinesOfTextAreRowsWhereTheToolSaysSo) {
  ImportData data = Data();
  AddFile("/c.txt", &data);
  EXPECT_EQ(ledger_.keys().back().fate, Fate::kLost);
  tool_.reads_whole_text = true;
  AddFile("/d.txt", &data);
  EXPECT_EQ(ledger_.keys().back().fate, Fate::kTaken);
}

TEST_F(ImportDataTest, ANameIsThatOfTheIndexWhereThereIsOne) {
  tool_.has_dataset_index = true;
  ImportData data = Data();
  AddFile("wiki, other", &data);
  EXPECT_THAT(ledger_.TextsOf(kTrainFiles),
              ElementsAre("/home/ann/data/wiki.jsonl"));
  EXPECT_EQ(ledger_.FirstOf("data.text_field"), "body");
  EXPECT_THAT(ledger_.keys().back().what, HasSubstr("'other' is not in"));
  data.set_dataset_dir("sets");
  AddFile("wiki", &data);
  EXPECT_THAT(ledger_.keys().back().what,
              HasSubstr("cannot be read: there is no such file"));
}

TEST_F(ImportDataTest, KeysOfADataSetAreReadOneByOne) {
  ImportData data = Data();
  YamlNode dataset;
  dataset.kind = Kind::kMap;
  dataset.entries = {Entry("path", "json"), Entry("data_files", "/a.jsonl")};
  data.TakeFiles(kTrainFiles, {"datasets", 1}, dataset);
  EXPECT_THAT(read_, ElementsAre("datasets data.train_files data_files"));
  EXPECT_EQ(ledger_.keys().back().key, "datasets.path");
  EXPECT_THAT(ledger_.keys().back().what, HasSubstr("data_files says it"));
}

TEST_F(ImportDataTest, ATextFieldThatIsNotEachDataSetsIsLost) {
  ImportData data = Data();
  AddFile("/a.jsonl", &data);
  YamlNode dataset;
  dataset.kind = Kind::kMap;
  dataset.entries = {Entry("path", "/b.jsonl")};
  data.TakeFiles(kTrainFiles, {"datasets", 1}, dataset);
  ledger_.Set("data.text_field", {"field", 2}, "body", "");
  data.Judge();
  EXPECT_EQ(ledger_.keys().back().fate, Fate::kLost);
  EXPECT_EQ(ledger_.FirstOf("data.text_field"), "body");
}

TEST_F(ImportDataTest, ConversationsAreNoTexts) {
  ImportData data = Data();
  AddFile("/a.jsonl", &data);
  ledger_.Set("data.text_field", {"field", 1}, "body", "");
  const YamlEntry stage = Entry("stage", "sft");
  EXPECT_FALSE(data.TakeRows("", {"stage", 2}, stage));
  const size_t told = ledger_.next_key();
  ledger_.Tell(Fate::kLost, {"stage", 2}, "'sft'");
  EXPECT_TRUE(data.TakeRows("datasets", {"datasets.type", 3},
                            Entry("type", "chat_template")));
  EXPECT_TRUE(
      data.TakeRows("datasets", {"datasets.type", 4}, Entry("type", "alpaca")));
  EXPECT_THAT(ledger_.keys().back().what,
              HasSubstr("those of another data set are chat"));
  data.Judge();
  EXPECT_EQ(ledger_.FirstOf("data.format"), "chat");
  EXPECT_FALSE(ledger_.Has("data.text_field"));
  EXPECT_EQ(ledger_.keys()[told].fate, Fate::kLeftOut);
  EXPECT_EQ(ledger_.keys()[told].what, "answers are what is trained on");
}

TEST_F(ImportDataTest, TextIsTrainedOnAsAWhole) {
  ImportData data = Data();
  ledger_.Set("data.train_on_prompt", {"train_on_inputs", 1}, "false", "");
  data.Judge();
  EXPECT_EQ(ledger_.keys().back().fate, Fate::kLost);
  EXPECT_FALSE(ledger_.Has("data.train_on_prompt"));
}

}  // namespace
}  // namespace hydra
