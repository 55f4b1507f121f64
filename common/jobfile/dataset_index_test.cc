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
  "talks": {"file_name": "talks.json", "formatting": "sharegpt"},
  "chats": {
    "file_name": "chats.json",
    "formatting": "sharegpt",
    "columns": {"messages": "messages"},
    "tags": {"role_tag": "role", "content_tag": "content",
             "user_tag": "user", "assistant_tag": "assistant"}
  },
  "bots": {
    "file_name": "bots.json",
    "formatting": "sharegpt",
    "tags": {"assistant_tag": "bot"}
  },
  "tools": {
    "file_name": "tools.json",
    "formatting": "sharegpt",
    "columns": {"messages": "conversations", "tools": "tools"}
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
  EXPECT_THAT(FindDataset(kIndex, "pairs")->difference,
              HasSubstr("'prompt: a', which has no counterpart"));
}

TEST(DatasetIndexTest, RowsMayBeConversations) {
  EXPECT_EQ(FindDataset(kIndex, "wiki")->format, "jsonl");
  EXPECT_EQ(FindDataset(kIndex, "alpaca")->format, "instruction");
  EXPECT_EQ(FindDataset(kIndex, "alpaca")->text_field, "");
  for (const char* name : {"alpaca", "talks", "chats"}) {
    EXPECT_EQ(FindDataset(kIndex, name)->difference, "") << name;
  }
  EXPECT_EQ(FindDataset(kIndex, "talks")->format, "chat");
  EXPECT_EQ(FindDataset(kIndex, "chats")->format, "chat");
  EXPECT_THAT(FindDataset(kIndex, "bots")->difference,
              HasSubstr("'assistant_tag: bot'"));
  EXPECT_THAT(FindDataset(kIndex, "tools")->difference, HasSubstr("tools"));
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
