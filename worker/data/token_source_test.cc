#include "worker/data/token_source.h"

#include <fcntl.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/gzip/testing/gzip.h"
#include "common/hash/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/data/posix_file.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string WriteFile(absl::string_view content) {
  const std::string path = absl::StrCat(
      ::testing::TempDir(), "/",
      ::testing::UnitTest::GetInstance()->current_test_info()->name());
  PosixFile file = *PosixFile::Open(path, O_RDWR | O_CREAT | O_TRUNC);
  EXPECT_TRUE(file.Write(content).ok());
  return path;
}

absl::StatusOr<FileDigest> ReadTokensOf(const std::string& path,
                                        v1::DataFormat format,
                                        TextTokenizer* tokenizer,
                                        TokenSink sink,
                                        const SourcePlace& start = {}) {
  PosixFile file = *PosixFile::Open(path, O_RDONLY);
  TaskControl control;
  return ReadTokens(&file, start, {format, tokenizer, "text"}, control, sink);
}

std::string Sha256Of(absl::string_view bytes) {
  Sha256 sha;
  sha.Update(bytes);
  return sha.Finish();
}

std::unique_ptr<TextTokenizer> LoadGpt2() {
  return *TextTokenizer::Load("examples/gpt2_wikitext2/gpt2");
}

// Keeps all tokens, how many came at once at most, and each place with the
// number of tokens before it.
struct Collected {
  absl::Status operator()(absl::Span<const uint32_t> ids, int64_t end_bytes,
                          absl::FunctionRef<SourcePlace()> place) {
    all.insert(all.end(), ids.begin(), ids.end());
    largest = std::max(largest, ids.size());
    places.push_back({place(), all.size()});
    EXPECT_EQ(places.back().first.end_bytes, end_bytes);
    return absl::OkStatus();
  }
  std::vector<uint32_t> all;
  size_t largest = 0;
  std::vector<std::pair<SourcePlace, size_t>> places;
};

// Reads `path` from each place that a reading came to, and expects the tokens
// that were left then.
void ExpectAllStartsToAgree(const std::string& path, v1::DataFormat format,
                            TextTokenizer* tokenizer) {
  Collected whole;
  const auto digest = ReadTokensOf(path, format, tokenizer, std::ref(whole));
  ASSERT_TRUE(digest.ok()) << digest.status();
  ASSERT_GT(whole.places.size(), 2);
  for (const auto& [place, done] : whole.places) {
    SCOPED_TRACE(place.end_bytes);
    Collected rest;
    const auto again =
        ReadTokensOf(path, format, tokenizer, std::ref(rest), place);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->sha256, digest->sha256);
    EXPECT_TRUE(rest.all == std::vector<uint32_t>(whole.all.begin() + done,
                                                  whole.all.end()));
  }
}

TEST(ReadTokensTest, ReadsLittleEndianIdsOfTwoBytes) {
  Collected tokens;
  const auto digest =
      ReadTokensOf(WriteFile(std::string("\x01\x02\xff\xff\0\0", 6)),
                   v1::DATA_FORMAT_TOKENS_U16, nullptr, std::ref(tokens));
  ASSERT_TRUE(digest.ok()) << digest.status();
  EXPECT_THAT(tokens.all, ElementsAre(0x0201, 0xffff, 0));
}

TEST(ReadTokensTest, ReadsLittleEndianIdsOfFourBytes) {
  Collected tokens;
  const std::string content("\x01\x02\x03\x04\xff\xff\xff\xff", 8);
  const auto digest =
      ReadTokensOf(WriteFile(content), v1::DATA_FORMAT_TOKENS_U32, nullptr,
                   std::ref(tokens));
  ASSERT_TRUE(digest.ok()) << digest.status();
  EXPECT_THAT(tokens.all, ElementsAre(0x04030201, 0xffffffff));
  EXPECT_EQ(digest->sha256, Sha256Of(content));
  EXPECT_EQ(digest->size_bytes, 8);
}

TEST(ReadTokensTest, AFileOfManyPiecesComesInOrder) {
  std::vector<uint32_t> ids(1 << 20);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = i * 2654435761u;
  const absl::string_view bytes(reinterpret_cast<const char*>(ids.data()),
                                ids.size() * sizeof(uint32_t));
  Collected tokens;
  ASSERT_TRUE(ReadTokensOf(WriteFile(bytes), v1::DATA_FORMAT_TOKENS_U32,
                           nullptr, std::ref(tokens))
                  .ok());
  EXPECT_TRUE(tokens.all == ids);
  EXPECT_LT(tokens.largest, ids.size());
}

TEST(ReadTokensTest, TextInPiecesHasTheIdsOfTheWholeText) {
  const auto tokenizer = LoadGpt2();
  const std::string path = "examples/gpt2_wikitext2/data/wiki.test.tokens";
  const std::string text = *ReadWholeFile(path);
  std::vector<uint32_t> whole;
  tokenizer->Encode(text, &whole);
  Collected tokens;
  const auto digest = ReadTokensOf(path, v1::DATA_FORMAT_TEXT, tokenizer.get(),
                                   std::ref(tokens));
  ASSERT_TRUE(digest.ok()) << digest.status();
  EXPECT_TRUE(tokens.all == whole);
  EXPECT_LT(tokens.largest, whole.size());
  EXPECT_EQ(digest->sha256, Sha256Of(text));
}

TEST(ReadTokensTest, AWordAcrossPiecesIsNotCut) {
  const auto tokenizer = LoadGpt2();
  const std::string text =
      absl::StrCat("start ", std::string(3 << 19, 'a'), " end  \n");
  std::vector<uint32_t> whole;
  tokenizer->Encode(text, &whole);
  Collected tokens;
  ASSERT_TRUE(ReadTokensOf(WriteFile(text), v1::DATA_FORMAT_TEXT,
                           tokenizer.get(), std::ref(tokens))
                  .ok());
  EXPECT_TRUE(tokens.all == whole);
}

TEST(ReadTokensTest, GoesOnFromEachPlaceThatItCameTo) {
  const auto tokenizer = LoadGpt2();
  ExpectAllStartsToAgree("examples/gpt2_wikitext2/data/wiki.test.tokens",
                         v1::DATA_FORMAT_TEXT, tokenizer.get());
  std::string long_words;
  for (int i = 0; i < 3; ++i) {
    absl::StrAppend(&long_words, "words between ", std::string(3 << 19, 'a'));
  }
  ExpectAllStartsToAgree(WriteFile(long_words), v1::DATA_FORMAT_TEXT,
                         tokenizer.get());
  ExpectAllStartsToAgree(WriteFile(std::string((2 << 20) + 12, 'b')),
                         v1::DATA_FORMAT_TOKENS_U32, nullptr);
}

TEST(ReadTokensTest, DoesNotGoOnInContentThatIsAnother) {
  std::string content(3 << 20, 'c');
  Collected before;
  const std::string path = WriteFile(content);
  ASSERT_TRUE(
      ReadTokensOf(path, v1::DATA_FORMAT_TOKENS_U16, nullptr, std::ref(before))
          .ok());
  content[5] = 'd';
  WriteFile(content);
  Collected after;
  const absl::Status status =
      ReadTokensOf(path, v1::DATA_FORMAT_TOKENS_U16, nullptr, std::ref(after),
                   before.places[1].first)
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(status.message(), HasSubstr(path));
  EXPECT_TRUE(after.all.empty());
}

TEST(ReadTokensTest, RefusesTextThatNeverEndsAWord) {
  Collected tokens;
  const std::string path = WriteFile(std::string((64 << 20) + (2 << 20), 'a'));
  const auto digest = ReadTokensOf(path, v1::DATA_FORMAT_TEXT, LoadGpt2().get(),
                                   std::ref(tokens));
  EXPECT_EQ(digest.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(digest.status().message(),
              AllOf(HasSubstr(path), HasSubstr("67108864 bytes")));
}

TEST(ReadTokensTest, RefusesAnEmptyFile) {
  const auto tokenizer = LoadGpt2();
  const std::string path = WriteFile("");
  for (const v1::DataFormat format :
       {v1::DATA_FORMAT_TEXT, v1::DATA_FORMAT_TOKENS_U16,
        v1::DATA_FORMAT_TOKENS_U32}) {
    Collected tokens;
    const auto digest =
        ReadTokensOf(path, format, tokenizer.get(), std::ref(tokens));
    EXPECT_EQ(digest.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(digest.status().message(), absl::StrCat(path, " has 0 tokens"));
  }
}

TEST(ReadTokensTest, RefusesASizeThatCutsAToken) {
  Collected tokens;
  const std::string path = WriteFile("12345");
  const auto digest =
      ReadTokensOf(path, v1::DATA_FORMAT_TOKENS_U16, nullptr, std::ref(tokens));
  EXPECT_EQ(digest.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(digest.status().message(),
              AllOf(HasSubstr(path),
                    HasSubstr("has 5 bytes, not a multiple of the 2")));
}

TEST(ReadTokensTest, AnErrorOfTheSinkEndsTheReading) {
  int calls = 0;
  const auto digest = ReadTokensOf(
      WriteFile(std::string(3 << 20, 'x')), v1::DATA_FORMAT_TOKENS_U16, nullptr,
      [&calls](absl::Span<const uint32_t>, int64_t,
               absl::FunctionRef<SourcePlace()>) {
        ++calls;
        return absl::ResourceExhaustedError("full");
      });
  EXPECT_EQ(digest.status(), absl::ResourceExhaustedError("full"));
  EXPECT_EQ(calls, 1);
}

// Rows of some hundred bytes, of a few pieces.
std::string ManyRows() {
  std::string rows;
  for (int i = 0; rows.size() < (size_t{5} << 19); ++i) {
    absl::StrAppend(&rows, "{\"id\": ", i, ", \"text\": \"row ", i, " \\u00e9",
                    std::string(i % 500, 'x'), "\"}\n");
    if (i % 7 == 0) absl::StrAppend(&rows, "\n");
  }
  return rows;
}

TEST(ReadTokensTest, EachRowIsTokenizedByItselfAndEnded) {
  const auto tokenizer = LoadGpt2();
  const std::string path = WriteFile(
      "{\"text\": \"one\\ntwo \"}\n{\"text\": \"\"}\n\n"
      "{\"text\": \" three\"}");
  Collected tokens;
  ASSERT_TRUE(ReadTokensOf(path, v1::DATA_FORMAT_JSONL, tokenizer.get(),
                           std::ref(tokens))
                  .ok());
  std::vector<uint32_t> expected;
  tokenizer->Encode("one\ntwo ", &expected);
  expected.push_back(50256);
  tokenizer->Encode(" three", &expected);
  expected.push_back(50256);
  EXPECT_EQ(tokens.all, expected);
}

TEST(ReadTokensTest, RowsGoOnFromEachPlaceThatTheyCameTo) {
  ExpectAllStartsToAgree(WriteFile(ManyRows()), v1::DATA_FORMAT_JSONL,
                         LoadGpt2().get());
}

TEST(DigestRowsTest, CountsRowsAndEmptyOnes) {
  const std::string content = absl::StrCat(ManyRows(), "{\"text\": \"\"}");
  PosixFile file = *PosixFile::Open(WriteFile(content), O_RDONLY);
  TaskControl control;
  const auto digest = DigestRows(&file, "text", control);
  ASSERT_TRUE(digest.ok()) << digest.status();
  EXPECT_EQ(digest->sha256, Sha256Of(content));
  EXPECT_EQ(digest->rows.rows, std::count(content.begin(), content.end(), '{'));
  EXPECT_EQ(digest->rows.empty, 1);
}

TEST(DigestRowsTest, ABadRowIsNamedByFileAndLine) {
  const std::string rows = ManyRows();
  const int64_t lines = std::count(rows.begin(), rows.end(), '\n');
  const std::string path =
      WriteFile(absl::StrCat(rows, "{\"text\": 3}\n", rows));
  PosixFile file = *PosixFile::Open(path, O_RDONLY);
  TaskControl control;
  const auto digest = DigestRows(&file, "text", control);
  EXPECT_EQ(digest.status().message(),
            absl::StrCat(path, ": line ", lines + 1,
                         " 'text': expected a text, found a number"));
}

TEST(DigestFileTest, SaysWhichContentAFileHas) {
  PosixFile file = *PosixFile::Open(WriteFile("content"), O_RDONLY);
  TaskControl control;
  const auto digest = DigestFile(&file, control);
  ASSERT_TRUE(digest.ok()) << digest.status();
  EXPECT_EQ(digest->sha256, Sha256Of("content"));
  EXPECT_EQ(digest->size_bytes, 7);
}

TEST(DigestFileTest, EndsAtTheNextPieceWhenItIsStopped) {
  PosixFile file = *PosixFile::Open(WriteFile("content"), O_RDONLY);
  TaskControl control;
  control.Stop();
  EXPECT_EQ(DigestFile(&file, control).status().code(),
            absl::StatusCode::kAborted);
}

// --- Packed ---

TEST(ReadTokensTest, PackedTextHasTheTokensAndTheDigestOfTheText) {
  const std::unique_ptr<TextTokenizer> tokenizer = LoadGpt2();
  std::string text;
  while (text.size() < size_t{3} << 20) {
    absl::StrAppend(&text, "Line ", text.size(), " of many, all alike.\n");
  }
  Collected plain;
  const auto expected = ReadTokensOf(WriteFile(text), v1::DATA_FORMAT_TEXT,
                                     tokenizer.get(), std::ref(plain));
  ASSERT_TRUE(expected.ok()) << expected.status();
  const std::string path = WriteFile(Gzip(text));
  Collected packed;
  const auto digest = ReadTokensOf(path, v1::DATA_FORMAT_TEXT, tokenizer.get(),
                                   std::ref(packed));
  ASSERT_TRUE(digest.ok()) << digest.status();
  EXPECT_TRUE(packed.all == plain.all);
  EXPECT_EQ(digest->sha256, expected->sha256);
  EXPECT_EQ(digest->size_bytes, text.size());
  ExpectAllStartsToAgree(path, v1::DATA_FORMAT_TEXT, tokenizer.get());
}

TEST(ReadTokensTest, IdsAreNeverUnpacked) {
  const std::string packed = Gzip("some text, and a little more");
  Collected ids;
  const auto digest =
      ReadTokensOf(WriteFile(packed.substr(0, packed.size() / 2 * 2)),
                   v1::DATA_FORMAT_TOKENS_U16, nullptr, std::ref(ids));
  ASSERT_TRUE(digest.ok()) << digest.status();
  EXPECT_EQ(ids.all.size(), packed.size() / 2);
  EXPECT_EQ(ids.all.front(), 0x8b1f);
}

TEST(DigestRowsTest, LinesOfPackedRowsAreThoseOfTheText) {
  const std::string good = "{\"text\": \"a\"}\n";
  TaskControl control;
  PosixFile rows = *PosixFile::Open(
      WriteFile(Gzip(good) + Gzip(good + "\n" + good + "oops\n")), O_RDONLY);
  EXPECT_THAT(
      std::string(DigestRows(&rows, "text", control).status().message()),
      HasSubstr(": line 5 is no JSON"));
  const std::string cut = Gzip(good + good);
  PosixFile half =
      *PosixFile::Open(WriteFile(cut.substr(0, cut.size() - 4)), O_RDONLY);
  const absl::Status status = DigestRows(&half, "text", control).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(half.path() + ": "),
                    HasSubstr(absl::StrCat("after ", cut.size() - 4, " bytes")),
                    HasSubstr("not whole")));
}

// Ten thousand times its own size in zeros, which can be cut nowhere.
TEST(ReadTokensTest, APackedFileThatGrowsWithoutEndIsRefusedInTime) {
  const std::unique_ptr<TextTokenizer> tokenizer = LoadGpt2();
  const std::string zeros = Gzip(std::string(size_t{16} << 20, '\0'));
  std::string bomb;
  for (int i = 0; i < 64; ++i) bomb += zeros;
  ASSERT_LT(bomb.size(), size_t{2} << 20);
  Collected none;
  const auto digest = ReadTokensOf(WriteFile(bomb), v1::DATA_FORMAT_TEXT,
                                   tokenizer.get(), std::ref(none));
  EXPECT_THAT(std::string(digest.status().message()),
              HasSubstr("has no place within"));
}

}  // namespace
}  // namespace hydra
