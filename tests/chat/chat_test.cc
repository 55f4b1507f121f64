// Compares what becomes of conversations with what transformers makes of them,
// with the templates of many families: make_chat.py made testdata.

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hydra/v1/job.pb.h"
#include "worker/data/posix_file.h"
#include "worker/data/token_cache.h"
#include "worker/data/token_file.h"
#include "worker/task/task_control.h"

namespace hydra {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

constexpr char kFolder[] = "tests/chat/testdata";

std::string ReadText(const std::string& name) {
  const auto text = ReadWholeFile(absl::StrCat(kFolder, "/", name));
  EXPECT_TRUE(text.ok()) << text.status();
  return text.ok() ? *text : "";
}

struct Row {
  std::vector<uint32_t> ids;
  std::vector<bool> trained;

  bool operator==(const Row& other) const {
    return ids == other.ids && trained == other.trained;
  }
};

void PrintTo(const Row& row, std::ostream* out) {
  for (size_t i = 0; i < row.ids.size(); ++i) {
    *out << row.ids[i] << (row.trained[i] ? "* " : " ");
  }
}

Row ToRow(const std::vector<uint32_t>& marked) {
  Row row;
  for (uint32_t id : marked) {
    row.ids.push_back(id & ~kUntrainedMark);
    row.trained.push_back((id & kUntrainedMark) == 0);
  }
  return row;
}

class ChatTest : public testing::TestWithParam<const char*> {
 protected:
  ChatTest() {
    std::vector<std::string> lines =
        absl::StrSplit(ReadText("rows.jsonl"), '\n', absl::SkipEmpty());
    rows_ = std::move(lines);
    expected_ =
        Json::parse(ReadText(absl::StrCat(GetParam(), "/expected.json")));
    EXPECT_EQ(expected_.size(), rows_.size());
  }

  // What becomes of a file with these rows.
  absl::StatusOr<PreparedData> PrepareRows(const std::vector<std::string>& rows,
                                           bool packing) {
    PrepareRequest request;
    request.cache_dir = scratch_.path() + "/cache";
    request.files = {scratch_.path() + "/rows.jsonl"};
    std::ofstream file(request.files[0]);
    for (const std::string& row : rows) file << row << "\n";
    file.close();
    request.format = hydra::v1::DATA_FORMAT_CHAT;
    request.tokenizer_dir = absl::StrCat(kFolder, "/", GetParam());
    request.packing = packing;
    request.train_on_prompt = train_on_prompt_;
    request.context_length = context_length_;
    TaskControl control;
    return Prepare(request, control);
  }

  ScratchDirectory scratch_;
  int64_t context_length_ = 1000;
  bool train_on_prompt_ = false;
  std::vector<std::string> rows_;
  Json expected_;
};

INSTANTIATE_TEST_SUITE_P(All, ChatTest,
                         ::testing::Values("qwen2_5", "qwen3", "qwen3_training",
                                           "llama3", "llama3_generation",
                                           "mistral", "zephyr", "smollm",
                                           "chatml", "edges"),
                         [](const auto& info) {
                           return std::string(info.param);
                         });

TEST_P(ChatTest, IdsAndWhatIsTrainedOnAreThoseOfTransformers) {
  std::vector<std::string> rows;
  std::vector<Row> expected;
  std::vector<uint32_t> all_ids;
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (expected_[i].contains("error")) continue;
    Row row{expected_[i]["ids"].get<std::vector<uint32_t>>(), {}};
    for (const Json& trained : expected_[i]["trained"]) {
      row.trained.push_back(trained.get<int>() == 1);
    }
    all_ids.insert(all_ids.end(), row.ids.begin(), row.ids.end());
    rows.push_back(rows_[i]);
    expected.push_back(std::move(row));
  }
  const auto prepared = PrepareRows(rows, /*packing=*/false);
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  const TokenFile file = *TokenFile::Open(prepared->path);
  ASSERT_EQ(file.row_count(), static_cast<int64_t>(rows.size()));
  for (size_t i = 0; i < rows.size(); ++i) {
    const TokenFile::Row place = *file.FindRow(i);
    std::vector<uint32_t> ids(place.end - place.begin);
    ASSERT_TRUE(file.Read(place.begin, absl::MakeSpan(ids)).ok());
    EXPECT_EQ(ToRow(ids), expected[i]) << rows[i];
  }
  // Packed, the same rows follow each other.
  const auto packed = PrepareRows(rows, /*packing=*/true);
  ASSERT_TRUE(packed.ok()) << packed.status();
  const TokenFile one_row = *TokenFile::Open(packed->path);
  EXPECT_EQ(one_row.row_count(), 0);
  ASSERT_EQ(one_row.token_count(), static_cast<int64_t>(all_ids.size()));
  std::vector<uint32_t> ids(all_ids.size());
  ASSERT_TRUE(one_row.Read(0, absl::MakeSpan(ids)).ok());
  EXPECT_EQ(ToRow(ids).ids, all_ids);
}

TEST_P(ChatTest, ARowThatCannotBeRenderedIsNamedByFileAndLine) {
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (!expected_[i].contains("error")) continue;
    const auto prepared = PrepareRows({rows_[0], "", rows_[i]}, false);
    EXPECT_EQ(prepared.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(prepared.status().message(), HasSubstr("rows.jsonl: line 3 "));
    const auto why = expected_[i]["error"].get<std::string>();
    EXPECT_THAT(prepared.status().message(), HasSubstr(why)) << rows_[i];
  }
}

TEST_P(ChatTest, WhatIsCutOrLeftOutIsCounted) {
  context_length_ = 70;
  std::vector<std::string> rows;
  MarkedTokens expected;
  int64_t targets = 0;
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (expected_[i].contains("error")) continue;
    rows.push_back(rows_[i]);
    const Json& trained = expected_[i]["trained"];
    const int64_t size = trained.size();
    const int64_t kept = std::min(size, context_length_);
    int64_t kept_trained = 0;
    for (int64_t token = 1; token < kept; ++token) {
      kept_trained += trained[token].get<int>();
    }
    ++expected.read_rows;
    expected.cut_rows += size > kept ? 1 : 0;
    expected.cut_tokens += size - kept;
    expected.dropped_rows += kept_trained == 0 ? 1 : 0;
    expected.row_count += kept_trained == 0 ? 0 : 1;
    expected.trained_count += kept_trained;
    targets += kept - 1;
  }
  ASSERT_GT(expected.cut_rows, 0);
  const auto made = PrepareRows(rows, /*packing=*/false);
  ASSERT_TRUE(made.ok()) << made.status();
  // Also of those who find the file.
  const auto found = PrepareRows(rows, /*packing=*/false);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(found->reused);
  EXPECT_EQ(found->path, made->path);
  for (const PreparedData* data : {&*made, &*found}) {
    const MarkedTokens& marked = data->marked.value();
    EXPECT_EQ(marked.read_rows, expected.read_rows);
    EXPECT_EQ(marked.cut_rows, expected.cut_rows);
    EXPECT_EQ(marked.cut_tokens, expected.cut_tokens);
    EXPECT_EQ(marked.dropped_rows, expected.dropped_rows);
    EXPECT_EQ(marked.row_count, expected.row_count);
    EXPECT_EQ(marked.trained_count, expected.trained_count);
    EXPECT_EQ(data->warnings.size(), expected.dropped_rows > 0 ? 2 : 1);
  }
  train_on_prompt_ = true;
  const auto all = PrepareRows(rows, /*packing=*/false);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_NE(all->path, made->path);
  EXPECT_EQ(all->marked->dropped_rows, 0);
  EXPECT_EQ(all->marked->trained_count, targets);
  // Nothing is left of the answers.
  train_on_prompt_ = false;
  context_length_ = 1;
  EXPECT_EQ(PrepareRows(rows, false).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hydra
