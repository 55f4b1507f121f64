// Sequences that are taken whole, from data files to the windows of a batch.

#include "worker/data/sequence_build.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/data/batch_plan.h"
#include "common/file/scratch_directory.h"
#include "common/tokenizer/testing/bert_tokenizer.h"
#include "hydra/v1/job.pb.h"
#include "worker/data/token_cache.h"
#include "worker/data/token_file.h"
#include "worker/data/token_header.h"
#include "worker/data/window_reader.h"
#include "worker/task/task_control.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Of the word "w<number>".
constexpr int64_t Word(int64_t number) { return kTestFirstWord + number; }
constexpr int64_t kCls = kTestCls;
constexpr int64_t kSep = kTestSep;

class SequenceBuildTest : public ::testing::Test {
 protected:
  SequenceBuildTest() {
    folder_.MakeDirectory("tokenizer");
    folder_.Write("tokenizer/tokenizer.json", BertTokenizerJson(50));
  }

  PrepareRequest Request(v1::DataFormat format,
                         const std::vector<std::string>& contents) {
    PrepareRequest request;
    request.cache_dir = folder_.PathOf("cache");
    for (const std::string& content : contents) {
      const std::string name = "data" + std::to_string(request.files.size());
      request.files.push_back(folder_.Write(name, content));
    }
    request.format = format;
    request.tokenizer_dir = folder_.PathOf("tokenizer");
    request.vocabulary_size = 50;
    request.context_length = 8;
    request.sequences.emplace().context_length = 8;
    return request;
  }

  PrepareRequest Labeled(v1::DataFormat format, const std::string& content) {
    PrepareRequest request = Request(format, {content});
    LabeledReading& labeled = request.sequences->labeled.emplace();
    labeled.format = format;
    labeled.class_count = 3;
    labeled.class_numbers = {{"good", 2}};
    return request;
  }

  static absl::StatusOr<PreparedData> PrepareAll(
      const PrepareRequest& request) {
    TaskControl control;
    return Prepare(request, control);
  }

  static std::string ErrorOf(const PrepareRequest& request) {
    const absl::Status status = PrepareAll(request).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  }

  // Of a context of eight tokens.
  static TokenWindows Windows(const PreparedData& data,
                              const std::vector<int64_t>& rows,
                              int64_t expected_context) {
    const auto file = TokenFile::Open(data.path);
    EXPECT_TRUE(file.ok()) << file.status();
    const auto context = ContextOf(*file, 8, rows);
    EXPECT_TRUE(context.ok()) << context.status();
    EXPECT_EQ(*context, expected_context);
    const auto windows = ReadWindows(*file, *context, rows);
    EXPECT_TRUE(windows.ok()) << windows.status();
    return *windows;
  }

  ScratchDirectory folder_;
};

TEST_F(SequenceBuildTest, TextIsCutIntoWindowsWithSpecialTokens) {
  const auto data = PrepareAll(
      Request(v1::DATA_FORMAT_TEXT, {"w0 w1 w2 w3", "w4 w5 w6 [SEP] w7"}));
  ASSERT_TRUE(data.ok()) << data.status();
  ASSERT_TRUE(data->marked.has_value());
  EXPECT_EQ(data->marked->row_count, 2);
  ASSERT_TRUE(data->marked->whole.has_value());
  EXPECT_EQ(data->marked->whole->class_count, 0);
  EXPECT_EQ(data->marked->whole->mask_id, kTestMask);
  EXPECT_EQ(data->token_count, 8 + 5);
  EXPECT_THAT(data->warnings, IsEmpty());
  const TokenWindows windows = Windows(*data, {0, 1}, 8);
  EXPECT_THAT(windows.tokens,
              ElementsAre(kCls, Word(0), Word(1), Word(2), Word(3), Word(4),
                          Word(5), kSep, kPadding,  //
                          kCls, Word(6), kSep, Word(7), kSep, kPadding,
                          kPadding, kPadding, kPadding));
  // Special tokens are not to be guessed.
  EXPECT_THAT(windows.targets,
              ElementsAre(kNoTarget, Word(0), Word(1), Word(2), Word(3),
                          Word(4), Word(5), kNoTarget,  //
                          kNoTarget, Word(6), kNoTarget, Word(7), kNoTarget,
                          kNoTarget, kNoTarget, kNoTarget));
  EXPECT_EQ(windows.untrained_targets, 8);
  EXPECT_THAT(windows.lengths, ElementsAre(8, 5));
  EXPECT_THAT(windows.token_types, IsEmpty());
}

TEST_F(SequenceBuildTest, RowsOfJsonlHaveASeparatorBetweenThem) {
  const auto data = PrepareAll(
      Request(v1::DATA_FORMAT_JSONL,
              {"{\"text\": \"w0 w1\"}\n{\"text\": \"\"}\n{\"text\": \"w2\"}"}));
  ASSERT_TRUE(data.ok()) << data.status();
  const TokenWindows windows = Windows(*data, {0}, 8);
  EXPECT_THAT(windows.tokens, ElementsAre(kCls, Word(0), Word(1), kSep, Word(2),
                                          kSep, kSep, kPadding, kPadding));
  EXPECT_THAT(data->warnings, ElementsAre(HasSubstr("1 have an empty text")));
}

TEST_F(SequenceBuildTest, LabeledRowsAreSequencesWithTheirClasses) {
  const auto data = PrepareAll(Labeled(
      v1::DATA_FORMAT_LABELED,
      "{\"text\": \"w1 w2\", \"label\": 1}\n"
      "{\"text\": \"\", \"label\": 0}\n"
      "{\"text\": \"w1 w2 w3 w4 w5 w6 w7 w8\", \"label\": \"good\"}\n"));
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->marked->row_count, 2);
  EXPECT_EQ(data->marked->whole->class_count, 3);
  EXPECT_EQ(data->rows.rows, 3);
  EXPECT_THAT(data->warnings,
              ElementsAre(HasSubstr("1 have an empty text"),
                          HasSubstr("1 are longer than train.context_length, 8 "
                                    "tokens, and are cut there: 2 tokens")));
  const TokenWindows windows = Windows(*data, {1, 0}, 8);
  EXPECT_THAT(windows.tokens,
              ElementsAre(kCls, Word(1), Word(2), Word(3), Word(4), Word(5),
                          Word(6), kSep, kPadding,  //
                          kCls, Word(1), Word(2), kSep, kPadding, kPadding,
                          kPadding, kPadding, kPadding));
  EXPECT_THAT(windows.targets, ElementsAre(2, 1));
  EXPECT_EQ(windows.untrained_targets, 0);
  EXPECT_THAT(windows.lengths, ElementsAre(8, 4));
}

TEST_F(SequenceBuildTest, TwoTextsAreOfTwoTypesAndTheLongerIsCut) {
  PrepareRequest request = Labeled(v1::DATA_FORMAT_CSV,
                                   "text,other,label\n"
                                   "w1 w2 w3 w4 w5,w6 w7,0\n"
                                   "w1,w2 w3 w4 w5 w6 w7,1\n"
                                   "w1 w2 w3 w4,w5 w6 w7 w8,2\n"
                                   "w1,w2,good\n");
  request.sequences->labeled->text_pair_field = "other";
  const auto data = PrepareAll(request);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->marked->cut_rows, 3);
  EXPECT_EQ(data->marked->cut_tokens, 2 + 2 + 3);
  const TokenWindows windows = Windows(*data, {0, 1, 2, 3}, 8);
  EXPECT_THAT(windows.tokens,
              ElementsAre(kCls, Word(1), Word(2), Word(3), kSep, Word(6),
                          Word(7), kSep, kPadding,  //
                          kCls, Word(1), kSep, Word(2), Word(3), Word(4),
                          Word(5), kSep, kPadding,  //
                          kCls, Word(1), Word(2), kSep, Word(5), Word(6),
                          Word(7), kSep, kPadding,  //
                          kCls, Word(1), kSep, Word(2), kSep, kPadding,
                          kPadding, kPadding, kPadding));
  EXPECT_THAT(windows.token_types, ElementsAre(0, 0, 0, 0, 0, 1, 1, 1,  //
                                               0, 0, 0, 1, 1, 1, 1, 1,  //
                                               0, 0, 0, 0, 1, 1, 1, 1,  //
                                               0, 0, 0, 1, 1, 0, 0, 0));
  EXPECT_THAT(windows.targets, ElementsAre(0, 1, 2, 2));
}

TEST_F(SequenceBuildTest, WhatMakesOtherSequencesHasAnotherFile) {
  const std::string rows = "{\"text\": \"w1\", \"label\": 1, \"b\": \"w2\"}";
  const PrepareRequest labeled = Labeled(v1::DATA_FORMAT_LABELED, rows);
  const auto first = PrepareAll(labeled);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(PrepareAll(labeled)->reused);
  PrepareRequest longer = labeled;
  longer.sequences->context_length = 9;
  PrepareRequest named = labeled;
  named.sequences->labeled->class_numbers["bad"] = 0;
  PrepareRequest more = labeled;
  more.sequences->labeled->class_count = 4;
  PrepareRequest pair = labeled;
  pair.sequences->labeled->text_pair_field = "b";
  PrepareRequest other = labeled;
  other.sequences->labeled->text_field = "b";
  for (const PrepareRequest& request : {longer, named, more, pair, other}) {
    const auto data = PrepareAll(request);
    ASSERT_TRUE(data.ok()) << data.status();
    EXPECT_FALSE(data->reused);
    EXPECT_NE(data->path, first->path);
  }
}

TEST_F(SequenceBuildTest, WhatCannotBeDoneIsNamed) {
  EXPECT_THAT(ErrorOf(Labeled(v1::DATA_FORMAT_LABELED, "{\"text\": \"w1\"}")),
              HasSubstr("line 1 has no 'label'"));
  EXPECT_THAT(ErrorOf(Labeled(v1::DATA_FORMAT_CSV, "text,label\n")),
              HasSubstr("has no text to train on"));
  EXPECT_THAT(ErrorOf(Labeled(v1::DATA_FORMAT_JSONL, "{\"text\": \"w1\"}")),
              HasSubstr("has no classes, which the model learns"));
  EXPECT_THAT(ErrorOf(Request(v1::DATA_FORMAT_TOKENS_U16, {"12"})),
              HasSubstr("is not what the model learns from"));
  PrepareRequest request = Request(v1::DATA_FORMAT_TEXT, {"w1"});
  request.sequences->context_length = 4;
  EXPECT_THAT(ErrorOf(request), HasSubstr("at least 5 are needed"));
  request.sequences->context_length = 8;
  request.vocabulary_size = kTestMask;
  EXPECT_THAT(ErrorOf(request), HasSubstr("mask_token has id 4, vocab_size"));
  folder_.Write("tokenizer/tokenizer_config.json", R"({"mask_token": null})");
  EXPECT_THAT(ErrorOf(request), HasSubstr("names no mask_token"));
  folder_.Write("tokenizer/tokenizer_config.json", R"({"cls_token": null})");
  EXPECT_THAT(ErrorOf(request), HasSubstr("names no cls_token and sep_token"));
}

TEST_F(SequenceBuildTest, ADamagedHeaderIsNoHeader) {
  TokenHeader header;
  header.token_count = 5;
  header.content_hash = std::string(32, 'x');
  MarkedTokens& marked = header.marked.emplace();
  marked.row_count = 2;
  marked.whole = WholeRows{3, 7};
  const auto read = DecodeTokenHeader(EncodeTokenHeader(header));
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_TRUE(read->marked.has_value() && read->marked->whole.has_value());
  EXPECT_EQ(read->marked->whole->class_count, 3);
  EXPECT_EQ(read->marked->whole->mask_id, 7);
  marked.whole->class_count = -1;
  EXPECT_EQ(DecodeTokenHeader(EncodeTokenHeader(header)).status().code(),
            absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace hydra
