#include "common/jobfile/dataset_index.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

constexpr absl::string_view kIndex = R"({
  "wiki": {
    "file_name": "wiki.txt",
    "columns": {"prompt": "text"}
  },
  "part": {
    "file_name": "part.jsonl",
    "num_samples": 9,
    "columns": {"prompt": "body"}
  },
  "alpaca": {"file_name": "alpaca.json"},
  "pairs": {
    "file_name": "pairs.json",
    "columns": {"prompt": "a", "response": "b"}
  },
  "hub": {"hf_hub_url": "org/name"}
})";

std::string Refusal(absl::string_view index, absl::string_view name) {
  return std::string(FindDataset(index, name).status().message());
}

TEST(DatasetIndexTest, ANameIsAFileAndAField) {
  const absl::StatusOr<IndexedDataset> wiki = FindDataset(kIndex, "wiki");
  ASSERT_TRUE(wiki.ok()) << wiki.status();
  EXPECT_EQ(wiki->file, "wiki.txt");
  EXPECT_EQ(wiki->text_field, "text");
  EXPECT_EQ(wiki->difference, "");
}

TEST(DatasetIndexTest, RowsThatAreMoreThanAFieldAreToldSo) {
  EXPECT_EQ(FindDataset(kIndex, "part")->difference,
            "'num_samples' in line 8 of dataset_info.json has no counterpart");
  EXPECT_THAT(FindDataset(kIndex, "alpaca")->difference,
              HasSubstr("instructions with answers"));
  EXPECT_EQ(FindDataset(kIndex, "alpaca")->text_field, "");
  EXPECT_THAT(FindDataset(kIndex, "pairs")->difference,
              HasSubstr("'response' too"));
}

TEST(DatasetIndexTest, WhatIsNoFileSaysWhatToDo) {
  EXPECT_THAT(Refusal(kIndex, "hub"), HasSubstr("download it"));
  EXPECT_THAT(Refusal(kIndex, "none"), HasSubstr("'none' is not in dataset"));
  EXPECT_EQ(Refusal("[1]", "wiki"),
            "line 1: expected names of data sets, found a list");
  EXPECT_THAT(Refusal("{\n\"a\": {]", "wiki"), HasSubstr("line 2"));
  EXPECT_THAT(Refusal("wiki: text", "wiki"), HasSubstr("is no file"));
}

}  // namespace
}  // namespace hydra
