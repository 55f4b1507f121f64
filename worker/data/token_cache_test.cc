#include "worker/data/token_cache.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/file/file.h"
#include "common/file/scratch_directory.h"
#include "common/gzip/testing/gzip.h"
#include "common/tokenizer/tokenizer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/data/posix_file.h"
#include "worker/data/prepare_progress.h"
#include "worker/data/token_file.h"
#include "worker/data/token_header.h"
#include "worker/task/task_control.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kVocabulary[] = "examples/gpt2_wikitext2/gpt2/vocab.json";
constexpr char kMerges[] = "examples/gpt2_wikitext2/gpt2/merges.txt";
constexpr char kText[] = "examples/gpt2_wikitext2/data/wiki.valid.tokens";

class TokenCacheTest : public ::testing::Test {
 protected:
  TokenCacheTest()
      : root_(absl::StrCat(
            ::testing::TempDir(), "/",
            ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }

  std::string WriteFile(absl::string_view name, absl::string_view content) {
    const std::string path = absl::StrCat(root_, "/", name);
    PosixFile file = *PosixFile::Open(path, O_RDWR | O_CREAT | O_TRUNC);
    EXPECT_TRUE(file.Write(content).ok());
    return path;
  }

  PrepareRequest BinaryRequest(std::vector<std::string> files) {
    PrepareRequest request;
    request.cache_dir = absl::StrCat(root_, "/cache");
    request.files = std::move(files);
    request.format = v1::DATA_FORMAT_TOKENS_U16;
    return request;
  }

  PrepareRequest TextRequest(std::vector<std::string> files) {
    PrepareRequest request = BinaryRequest(std::move(files));
    request.format = v1::DATA_FORMAT_TEXT;
    request.vocabulary_path = kVocabulary;
    request.merges_path = kMerges;
    return request;
  }

  std::vector<std::string> CachedFiles() {
    std::vector<std::string> names;
    for (const auto& entry :
         std::filesystem::directory_iterator(absl::StrCat(root_, "/cache"))) {
      names.push_back(entry.path());
    }
    return names;
  }

  const std::string root_;
};

absl::StatusOr<PreparedData> PrepareAll(const PrepareRequest& request) {
  TaskControl control;
  return Prepare(request, control);
}

std::vector<uint32_t> Tokens(const PreparedData& data) {
  const auto file = TokenFile::Open(data.path);
  EXPECT_TRUE(file.ok()) << file.status();
  std::vector<uint32_t> ids(file->token_count());
  EXPECT_TRUE(file->Read(0, absl::MakeSpan(ids)).ok());
  return ids;
}

TEST_F(TokenCacheTest, TheTokensOfAllFilesFollowEachOther) {
  const auto data = PrepareAll(BinaryRequest(
      {WriteFile("a", "\x01\x01\x02\x02"), WriteFile("b", "\x03\x03")}));
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(Tokens(*data), ElementsAre(0x0101, 0x0202, 0x0303));
  EXPECT_EQ(data->token_count, 3);
  EXPECT_EQ(data->max_token_id, 0x0303);
  EXPECT_FALSE(data->reused);
  EXPECT_THAT(CachedFiles(), ElementsAre(data->path));
}

TEST_F(TokenCacheTest, TextHasHuggingFacesIds) {
  const auto data = PrepareAll(TextRequest({kText}));
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->token_count, 258659);
  EXPECT_EQ(data->content_hash,
            "9c87f1a0a64b3a69ad7f2f71b97326a29db8035b6a1ffb4147dabde3709ef775");
}

TEST_F(TokenCacheTest, EachTextFileIsTokenizedByItself) {
  const auto data = PrepareAll(TextRequest(
      {WriteFile("a", "Hello wor"), WriteFile("b", "ld<|endoftext|>")}));
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(Tokens(*data), ElementsAre(15496, 476, 335, 50256));
}

class ChatTokenCacheTest : public TokenCacheTest {
 protected:
  PrepareRequest ChatRequest(const std::string& chat_template) {
    PrepareRequest request = TextRequest({WriteFile(
        "rows", R"({"messages": [{"role": "user", "content": "How?"}, )"
                R"({"role": "assistant", "content": "So."}]})"
                "\n")});
    request.format = v1::DATA_FORMAT_CHAT;
    request.chat_template = chat_template;
    request.chat_template_path = "/no/such/file";
    request.train_on_prompt = true;
    request.context_length = 64;
    request.day = "2026-11-29";
    return request;
  }
};

TEST_F(ChatTokenCacheTest, ADayIsPartOfTheContentWhereTheTemplateAsksForIt) {
  PrepareRequest request =
      ChatRequest("{{ strftime_now('%d') }} {{ messages[1].content }}");
  const auto first = PrepareAll(request);
  ASSERT_TRUE(first.ok()) << first.status();
  request.day = "2026-11-30";
  const auto second = PrepareAll(request);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_FALSE(second->reused);
  EXPECT_NE(second->path, first->path);
  EXPECT_NE(second->content_hash, first->content_hash);
  request.day = "2026-11-29";
  const auto again = PrepareAll(request);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->reused);
  EXPECT_EQ(again->path, first->path);
}

TEST_F(ChatTokenCacheTest, AFileOfWhiteSpaceHasNoRows) {
  PrepareRequest request = ChatRequest("{{ messages[1].content }}");
  request.files = {WriteFile("blank", "\n \n\t\n")};
  const auto data = PrepareAll(request);
  EXPECT_EQ(data.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(data.status().message()),
              HasSubstr(request.files.front() + " has no rows"));
}

TEST_F(ChatTokenCacheTest, ForAnyOtherTemplateADayIsAsAnother) {
  PrepareRequest request = ChatRequest("{{ messages[1].content }}");
  const auto first = PrepareAll(request);
  ASSERT_TRUE(first.ok()) << first.status();
  request.day = "2026-11-30";
  const auto second = PrepareAll(request);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(second->reused);
  EXPECT_EQ(second->path, first->path);
}

TEST_F(TokenCacheTest, TheSameContentIsReusedWhereverItLies) {
  const auto first = PrepareAll(BinaryRequest({WriteFile("a", "abcd")}));
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = PrepareAll(BinaryRequest({WriteFile("b", "abcd")}));
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(second->reused);
  EXPECT_EQ(second->path, first->path);
  EXPECT_EQ(second->token_count, first->token_count);
  EXPECT_EQ(second->max_token_id, first->max_token_id);
  EXPECT_EQ(second->content_hash, first->content_hash);
}

TEST_F(TokenCacheTest, WhetherATextIsPackedDoesNotMatter) {
  const std::string text = "Some text, packed and not.\n";
  const auto packed = PrepareAll(TextRequest({WriteFile("a.gz", Gzip(text))}));
  ASSERT_TRUE(packed.ok()) << packed.status();
  const auto plain = PrepareAll(TextRequest({WriteFile("b", text)}));
  ASSERT_TRUE(plain.ok()) << plain.status();
  EXPECT_EQ(plain->path, packed->path);
  EXPECT_TRUE(plain->reused);
  EXPECT_EQ(Tokens(*packed), Tokens(*plain));
}

TEST_F(TokenCacheTest, OtherContentOrderFormatOrTokenizerIsNotReused) {
  const std::string a = WriteFile("a", "abcd");
  const std::string b = WriteFile("b", "efgh");
  std::vector<PrepareRequest> requests = {
      BinaryRequest({a}), BinaryRequest({a, b}), BinaryRequest({b, a}),
      BinaryRequest({WriteFile("ab", "abcdefgh")}), TextRequest({a})};
  requests.push_back(BinaryRequest({a}));
  requests.back().format = v1::DATA_FORMAT_TOKENS_U32;
  requests.push_back(TextRequest({a}));
  requests.back().merges_path = WriteFile("merges", "#version\n");
  for (const PrepareRequest& request : requests) {
    const auto data = PrepareAll(request);
    ASSERT_TRUE(data.ok()) << data.status();
    EXPECT_FALSE(data->reused);
  }
  EXPECT_EQ(CachedFiles().size(), requests.size());
}

TEST_F(TokenCacheTest, ATokenizerJsonSaysWhichIdsATextHas) {
  std::filesystem::create_directories(absl::StrCat(root_, "/tokenizer"));
  PrepareRequest request = TextRequest({WriteFile("a", "One, o\xcc\x88ne")});
  request.tokenizer_dir = absl::StrCat(root_, "/tokenizer");
  const auto prepare = [&](absl::string_view normalizer) {
    WriteFile("tokenizer/tokenizer.json",
              absl::StrCat(R"({"normalizer": )", normalizer,
                           R"(, "pre_tokenizer": {"type": "BertPreTokenizer"},
                               "model": {"type": "WordPiece",
                                         "unk_token": "[UNK]",
                                         "vocab": {"[UNK]": 0, "one": 1,
                                                   ",": 2}}})"));
    return PrepareAll(request);
  };
  const auto plain = prepare("null");
  ASSERT_TRUE(plain.ok()) << plain.status();
  EXPECT_THAT(Tokens(*plain), ElementsAre(0, 2, 0));
  const auto bert = prepare(R"({"type": "BertNormalizer"})");
  ASSERT_TRUE(bert.ok()) << bert.status();
  EXPECT_FALSE(bert->reused);
  EXPECT_THAT(Tokens(*bert), ElementsAre(1, 2, 1));
  EXPECT_TRUE(prepare("null")->reused);
}

// What a key tells of added tokens may be anybody's data file too.
TEST_F(TokenCacheTest, AFileThatReadsLikeAddedTokensIsAFile) {
  const std::string folder = absl::StrCat(root_, "/tokenizer");
  std::filesystem::create_directories(folder);
  std::filesystem::copy(kVocabulary, folder + "/vocab.json");
  std::filesystem::copy(kMerges, folder + "/merges.txt");
  const std::string text = WriteFile("text", "one");
  TokenizerFiles files;
  files.vocab_json = {"vocab.json", ReadFile(kVocabulary)};
  files.merges_txt = {"merges.txt", ReadFile(kMerges)};
  files.added_tokens_json = {"added_tokens.json", R"({"<x>": 50257})"};
  WriteFile("tokenizer/added_tokens.json", files.added_tokens_json->text);
  const auto tokenizer = ParseTokenizer(files);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  std::string added;
  for (const AddedToken& token : tokenizer->added) {
    absl::StrAppend(&added, token.id, token.first ? " first " : " ",
                    token.text.size(), " ", token.text);
  }
  ASSERT_THAT(added, HasSubstr("<x>"));

  const auto two = PrepareAll(TextRequest({WriteFile("added", added), text}));
  ASSERT_TRUE(two.ok()) << two.status();
  PrepareRequest request = TextRequest({text});
  request.tokenizer_dir = folder;
  const auto one = PrepareAll(request);
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_FALSE(one->reused);
  EXPECT_NE(one->path, two->path);
}

TEST_F(TokenCacheTest, BytesThatNoTextHasAreCountedEachTime) {
  const std::string latin1 = WriteFile("latin1", "caf\xe9 d\xe9j\xe0 vu");
  const std::string utf16 =
      WriteFile("utf16", absl::string_view("\xff\xfeh\0i\0", 6));
  const PrepareRequest request =
      TextRequest({WriteFile("plain", "plain text"), latin1, utf16});
  // The first time the file is made, the second time it is found.
  for (int time = 0; time < 2; ++time) {
    const auto data = PrepareAll(request);
    ASSERT_TRUE(data.ok()) << data.status();
    EXPECT_THAT(
        data->warnings,
        ElementsAre(absl::StrCat(latin1,
                                 ": of 12 bytes, 3 are no UTF-8, the first one "
                                 "at offset 3; is it UTF-8 text?"),
                    absl::StrCat(utf16,
                                 ": of 6 bytes, 2 are no UTF-8, the first one "
                                 "at offset 0; 2 are NUL, the first one at "
                                 "offset 3; is it UTF-8 text?")));
  }
}

TEST_F(TokenCacheTest, RowsAreCountedEachTime) {
  PrepareRequest request =
      TextRequest({WriteFile("a", "{\"text\": \"one\", \"body\": \"two\"}\n"),
                   WriteFile("b", "{\"text\": \"\", \"body\": \"two\"}\n")});
  request.format = v1::DATA_FORMAT_JSONL;
  for (bool reused : {false, true}) {
    const auto data = PrepareAll(request);
    ASSERT_TRUE(data.ok()) << data.status();
    EXPECT_EQ(data->reused, reused);
    EXPECT_THAT(Tokens(*data), ElementsAre(505, 50256));
    EXPECT_EQ(data->rows.rows, 2);
    EXPECT_THAT(data->warnings,
                ElementsAre(absl::StrCat(root_,
                                         "/b: of 1 rows, 1 have an empty text, "
                                         "and are left out")));
  }
  request.text_field = "body";
  const auto other = PrepareAll(request);
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_THAT(Tokens(*other), ElementsAre(11545, 50256, 11545, 50256));
}

TEST_F(TokenCacheTest, ADamagedFileIsMadeAnew) {
  const PrepareRequest request = BinaryRequest({WriteFile("a", "abcd")});
  const auto first = PrepareAll(request);
  ASSERT_TRUE(first.ok()) << first.status();
  const std::vector<uint32_t> tokens = Tokens(*first);
  {
    PosixFile file = *PosixFile::Open(first->path, O_RDWR);
    ASSERT_TRUE(file.WriteAt("!", TokenHeader::kBytes).ok());
  }
  const auto second = PrepareAll(request);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_FALSE(second->reused);
  EXPECT_EQ(Tokens(*second), tokens);
  ASSERT_EQ(truncate(first->path.c_str(), 70), 0);
  const auto third = PrepareAll(request);
  ASSERT_TRUE(third.ok()) << third.status();
  EXPECT_FALSE(third->reused);
  EXPECT_EQ(Tokens(*third), tokens);
}

TEST_F(TokenCacheTest, WhatAKilledProcessLeftIsReplaced) {
  const PrepareRequest request = BinaryRequest({WriteFile("a", "abcd")});
  const auto first = PrepareAll(request);
  ASSERT_TRUE(first.ok()) << first.status();
  const std::vector<uint32_t> tokens = Tokens(*first);
  std::filesystem::rename(first->path, absl::StrCat(first->path, ".tmp"));
  {
    PosixFile left = *PosixFile::Open(absl::StrCat(first->path, ".tmp"),
                                      O_WRONLY | O_APPEND);
    ASSERT_TRUE(left.Write("more than is needed").ok());
  }
  const auto second = PrepareAll(request);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(Tokens(*second), tokens);
  EXPECT_THAT(CachedFiles(), ElementsAre(first->path));
}

// A corpus that takes long enough to be interrupted, what its tokens are, and
// how a cache is left in which somebody began to make them.
class InterruptedTokenCacheTest : public TokenCacheTest {
 protected:
  InterruptedTokenCacheTest() {
    const std::string text = *ReadWholeFile(kText);
    std::string corpus;
    for (int i = 0; i < 20; ++i) absl::StrAppend(&corpus, text, i, "\n");
    request_ =
        TextRequest({WriteFile("first", text), WriteFile("second", corpus)});
    request_.save_bytes = 1 << 20;
    PrepareRequest in_one_go = request_;
    in_one_go.cache_dir = absl::StrCat(root_, "/whole");
    const auto whole = PrepareAll(in_one_go);
    EXPECT_TRUE(whole.ok()) << whole.status();
    EXPECT_EQ(whole->resumed_tokens, 0);
    whole_ = *ReadWholeFile(whole->path);
    unfinished_ = absl::StrCat(
        request_.cache_dir, "/",
        std::filesystem::path(whole->path).filename().string(), ".tmp");
  }

  bool HasSaved() const {
    std::error_code error;
    const auto size = std::filesystem::file_size(
        absl::StrCat(unfinished_, ".progress"), error);
    return !error && size > 0;
  }

  // By a process that is killed once it has saved some of its work.
  void LeaveKilled() {
    const pid_t child = fork();
    if (child == 0) {
      PrepareAll(request_).IgnoreError();
      _exit(0);
    }
    while (!HasSaved() && waitpid(child, nullptr, WNOHANG) == 0) {
      absl::SleepFor(absl::Milliseconds(1));
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    ASSERT_TRUE(HasSaved()) << "it was done before it was killed";
  }

  // By a call that is stopped then.
  void LeaveStopped() {
    TaskControl control;
    std::thread stopper([&] {
      while (!HasSaved()) absl::SleepFor(absl::Milliseconds(1));
      control.Stop();
    });
    EXPECT_EQ(Prepare(request_, control).status().code(),
              absl::StatusCode::kAborted);
    stopper.join();
    ASSERT_TRUE(HasSaved());
  }

  // Makes the file and returns how many of its tokens were there.
  int64_t Resume() {
    const auto data = PrepareAll(request_);
    EXPECT_TRUE(data.ok()) << data.status();
    if (!data.ok()) return -1;
    EXPECT_FALSE(data->reused);
    EXPECT_LT(data->resumed_tokens, data->token_count);
    EXPECT_TRUE(*ReadWholeFile(data->path) == whole_);
    EXPECT_THAT(CachedFiles(), ElementsAre(data->path));
    return data->resumed_tokens;
  }

  PrepareRequest request_;
  // The token file's bytes.
  std::string whole_;
  std::string unfinished_;
};

TEST_F(InterruptedTokenCacheTest, GoesOnWhereAKilledProcessWas) {
  LeaveKilled();
  EXPECT_GT(Resume(), 0);
}

TEST_F(InterruptedTokenCacheTest, GoesOnWhereAStoppedCallWas) {
  LeaveStopped();
  EXPECT_GT(Resume(), 0);
}

TEST_F(InterruptedTokenCacheTest, WhatIsDamagedMeanwhileIsMadeAnew) {
  LeaveStopped();
  {
    PosixFile file = *PosixFile::Open(unfinished_, O_RDWR);
    ASSERT_TRUE(file.WriteAt("!", TokenHeader::kBytes + 77).ok());
  }
  EXPECT_EQ(Resume(), 0);
  std::filesystem::remove_all(request_.cache_dir);
  LeaveStopped();
  {
    PosixFile file =
        *PosixFile::Open(absl::StrCat(unfinished_, ".progress"), O_RDWR);
    ASSERT_TRUE(file.WriteAt("!", 20).ok());
  }
  EXPECT_EQ(Resume(), 0);
}

TEST_F(InterruptedTokenCacheTest, WhatAFileHeldForAWhileIsMadeAnew) {
  LeaveStopped();
  // It is the same again when the name is found, but not what was tokenized.
  PosixFile progress =
      *PosixFile::Open(absl::StrCat(unfinished_, ".progress"), O_RDWR);
  auto saved = LoadProgress(&progress);
  ASSERT_TRUE(saved.ok()) << saved.status();
  saved->place.read_sha256[0] ^= 1;
  ASSERT_TRUE(SaveProgress(*saved, &progress).ok());
  EXPECT_EQ(Resume(), 0);
}

TEST_F(TokenCacheTest, ManyAtOnceMakeTheFileOnce) {
  constexpr int kThreads = 8;
  const PrepareRequest request = TextRequest({kText});
  std::vector<absl::StatusOr<PreparedData>> results(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] { results[i] = PrepareAll(request); });
  }
  for (std::thread& thread : threads) thread.join();
  int made = 0;
  for (const auto& result : results) {
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->token_count, 258659);
    if (!result->reused) ++made;
  }
  EXPECT_EQ(made, 1);
  EXPECT_THAT(CachedFiles(), ElementsAre(results[0]->path));
}

TEST_F(TokenCacheTest, AnIdTheModelLacksIsNamedWithItsPlace) {
  const std::string good = WriteFile("good", "\x01\x01\x02\x02");
  const std::string bad = WriteFile("bad", "\x01\x01\x05\x05");
  PrepareRequest request = BinaryRequest({good, bad});
  request.vocabulary_size = 0x0505;
  // The first time the file is made, the second time it is found.
  for (int time = 0; time < 2; ++time) {
    const auto data = PrepareAll(request);
    EXPECT_EQ(data.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(data.status().message(),
              absl::StrCat(bad, ": token 1 has id 1285, vocab_size is 1285"));
  }
  request.vocabulary_size = 0x0506;
  EXPECT_TRUE(PrepareAll(request).ok());
}

TEST_F(TokenCacheTest, ATokenizerLargerThanTheModelIsRefused) {
  PrepareRequest request = TextRequest({WriteFile("a", "Hello world")});
  request.vocabulary_size = 1000;
  EXPECT_THAT(PrepareAll(request).status().message(),
              HasSubstr("token 0 has id 15496, vocab_size is 1000"));
}

TEST_F(TokenCacheTest, BadFilesAreNamedAndLeaveNothingBehind) {
  const std::string good = WriteFile("good", "abcd");
  const auto odd = PrepareAll(BinaryRequest({good, WriteFile("odd", "abc")}));
  EXPECT_THAT(odd.status().message(),
              AllOf(HasSubstr("/odd"), HasSubstr("3 bytes")));
  const auto empty = PrepareAll(BinaryRequest({good, WriteFile("empty", "")}));
  EXPECT_THAT(empty.status().message(), HasSubstr("/empty has 0 tokens"));
  PrepareRequest no_merges = TextRequest({good});
  no_merges.merges_path = WriteFile("merges", "#version: 0.2\nq\n");
  EXPECT_THAT(PrepareAll(no_merges).status().message(),
              HasSubstr("/merges: line 2: "));
  EXPECT_THAT(CachedFiles(), ElementsAre());

  const auto missing = PrepareAll(BinaryRequest({good, "/no/file"}));
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(missing.status().message(), HasSubstr("/no/file"));
  EXPECT_EQ(PrepareAll(BinaryRequest({})).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(TokenCacheTest, FilesOutsideOfTheReadRootsAreRefused) {
  const std::string merges = WriteFile("merges", "a secret\n");
  std::filesystem::create_directories(absl::StrCat(root_, "/inside"));
  std::filesystem::create_symlink(merges,
                                  absl::StrCat(root_, "/inside/merges.txt"));
  PrepareRequest data = BinaryRequest({WriteFile("a", "abcd")});
  data.access = AccessBelow({absl::StrCat(root_, "/inside")});
  EXPECT_EQ(PrepareAll(data).status().code(),
            absl::StatusCode::kPermissionDenied);

  PrepareRequest text = TextRequest({WriteFile("inside/text", "Hello")});
  text.vocabulary_path = WriteFile("inside/vocab.json", "{\"a\": 0}");
  text.merges_path = absl::StrCat(root_, "/inside/merges.txt");
  text.access = data.access;
  const absl::Status status = PrepareAll(text).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(status.message(), Not(HasSubstr("secret")));
}

TEST_F(TokenCacheTest, AHugeTokenizerFileIsRefused) {
  PrepareRequest request = TextRequest({WriteFile("a", "Hello")});
  request.merges_path = WriteFile("merges", "");
  std::filesystem::resize_file(request.merges_path, int64_t{65} << 20);
  EXPECT_EQ(PrepareAll(request).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(TokenCacheTest, ACacheThatCannotBeMadeIsNamed) {
  PrepareRequest request = BinaryRequest({WriteFile("a", "abcd")});
  request.cache_dir = absl::StrCat(WriteFile("file", ""), "/cache");
  const auto data = PrepareAll(request);
  EXPECT_FALSE(data.ok());
  EXPECT_THAT(data.status().message(), HasSubstr(request.cache_dir));
}

}  // namespace
}  // namespace hydra
