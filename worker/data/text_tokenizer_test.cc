#include "worker/data/text_tokenizer.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/hash/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "worker/data/posix_file.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kExample[] = "examples/gpt2_wikitext2/";

std::unique_ptr<TextTokenizer> LoadGpt2() {
  auto tokenizer = TextTokenizer::Load(absl::StrCat(kExample, "gpt2"));
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
  return *std::move(tokenizer);
}

std::vector<uint32_t> Encode(TextTokenizer* tokenizer, absl::string_view text) {
  std::vector<uint32_t> ids;
  tokenizer->Encode(text, &ids);
  return ids;
}

std::string HashOfIds(const std::vector<uint32_t>& ids) {
  Sha256 sha;
  sha.Update({reinterpret_cast<const char*>(ids.data()),
              ids.size() * sizeof(uint32_t)});
  return absl::BytesToHexString(sha.Finish());
}

// "reaching behind" of each place.
std::string PlacesIn(TextTokenizer* tokenizer, absl::string_view text,
                     const std::vector<size_t>& places) {
  std::vector<uint32_t> ids;
  std::string found;
  for (const TokenPlace& place :
       tokenizer->EncodeWithPlaces(text, places, &ids)) {
    absl::StrAppend(&found, found.empty() ? "" : ", ", place.first_reaching,
                    " ", place.first_behind);
  }
  EXPECT_EQ(ids, Encode(tokenizer, text));
  return found;
}

TEST(TextTokenizerTest, TellsWhereTokensLie) {
  const auto tokenizer = LoadGpt2();
  EXPECT_EQ(PlacesIn(tokenizer.get(), "", {0}), "0 0");
  // Hello| world
  EXPECT_EQ(PlacesIn(tokenizer.get(), "Hello world", {0, 3, 5, 5, 7, 11}),
            "0 0, 0 1, 1 1, 1 1, 1 2, 2 2");
  // Hello|<|endoftext|>| world
  EXPECT_EQ(PlacesIn(tokenizer.get(), "Hello<|endoftext|> world",
                     {4, 5, 6, 18, 19, 24}),
            "0 1, 1 1, 1 2, 2 2, 2 3, 3 3");
  // A character of several tokens, and the one behind it.
  const std::string rocket = "a\xf0\x9f\x9a\x80z";
  const size_t count = Encode(tokenizer.get(), rocket).size();
  ASSERT_GT(count, 3);
  EXPECT_EQ(PlacesIn(tokenizer.get(), rocket, {1, 5}),
            absl::StrCat("1 1, ", count - 1, " ", count - 1));
}

TEST(TextTokenizerTest, GivesHuggingFacesIdsForHardStrings) {
  const auto tokenizer = LoadGpt2();
  const std::string path = "worker/data/testdata/gpt2_fixture.json";
  const auto fixture = nlohmann::json::parse(*ReadWholeFile(path));
  ASSERT_GT(fixture.size(), 400);
  for (const auto& entry : fixture) {
    const std::string hex = entry["utf8_hex"];
    const std::string text = absl::HexStringToBytes(hex);
    // The second time every word is a remembered one.
    for (int time = 0; time < 2; ++time) {
      EXPECT_EQ(Encode(tokenizer.get(), text),
                entry["ids"].get<std::vector<uint32_t>>())
          << ::testing::PrintToString(text);
    }
  }
}

// Counts and hashes (ids as little-endian int32) are Hugging Face's.
TEST(TextTokenizerTest, GivesHuggingFacesIdsForWikiText2) {
  const auto tokenizer = LoadGpt2();
  const std::vector<uint32_t> valid =
      Encode(tokenizer.get(),
             *ReadWholeFile(absl::StrCat(kExample, "data/wiki.valid.tokens")));
  EXPECT_EQ(valid.size(), 258659);
  EXPECT_EQ(HashOfIds(valid),
            "9c87f1a0a64b3a69ad7f2f71b97326a29db8035b6a1ffb4147dabde3709ef775");
  const std::vector<uint32_t> test =
      Encode(tokenizer.get(),
             *ReadWholeFile(absl::StrCat(kExample, "data/wiki.test.tokens")));
  EXPECT_EQ(test.size(), 295877);
  EXPECT_EQ(HashOfIds(test),
            "b707897cad36e76a01d81962b984f94ba225c85ada8d207f1f0ff3faedb56381");
}

TEST(TextTokenizerTest, AppendsToTheIdsThatAreThere) {
  const auto tokenizer = LoadGpt2();
  EXPECT_EQ(tokenizer->vocabulary_size(), 50257);
  std::vector<uint32_t> ids = {1};
  tokenizer->Encode("Hello world", &ids);
  EXPECT_THAT(ids, ElementsAre(1, 15496, 995));
}

TEST(TextTokenizerTest, AWordOfAHundredKilobytesIsEncoded) {
  const auto tokenizer = LoadGpt2();
  const std::vector<uint32_t> four_letters =
      Encode(tokenizer.get(), std::string(4, 'a'));
  ASSERT_EQ(four_letters.size(), 1);
  EXPECT_EQ(Encode(tokenizer.get(), std::string(100000, 'a')),
            std::vector<uint32_t>(25000, four_letters[0]));
}

TEST(TextTokenizerTest, ADirectoryWithoutFilesIsRefused) {
  const auto tokenizer = TextTokenizer::Load("/no/where");
  EXPECT_EQ(tokenizer.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(tokenizer.status().message(),
              HasSubstr("neither tokenizer.json nor vocab.json"));
}

// The ids are those of transformers 5.24 for a tokenizer that it saved with
// these added tokens.
TEST(TextTokenizerTest, GivesHuggingFacesIdsWhereTokensWereAdded) {
  TokenizerFiles files;
  for (const char* name : {"vocab.json", "merges.txt"}) {
    (name[0] == 'v' ? files.vocab_json : files.merges_txt) = TokenizerFile{
        name, *ReadWholeFile(absl::StrCat(kExample, "gpt2/", name))};
  }
  files.tokenizer_config_json =
      TokenizerFile{"tokenizer_config.json",
                    R"({"pad_token": "[PAD]", "added_tokens_decoder": {
        "278": {"content": "ing", "normalized": true},
        "50256": {"content": "<|endoftext|>", "special": true},
        "50257": {"content": "[PAD]", "normalized": false, "special": true},
        "50258": {"content": "<user>", "normalized": false, "special": true},
        "50259": {"content": "<user>x", "normalized": true},
        "50260": {"content": "\n\n", "normalized": true}}})"};
  absl::StatusOr<Tokenizer> parsed = ParseTokenizer(files);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  TextTokenizer tokenizer(*std::move(parsed));
  EXPECT_EQ(tokenizer.vocabulary_size(), 50261);
  EXPECT_THAT(Encode(&tokenizer, "hi<user>x sing[PAD]  <user>"),
              ElementsAre(5303, 50258, 87, 264, 278, 50257, 220, 220, 50258));
  EXPECT_THAT(Encode(&tokenizer, "a\n\n\nb <|endoftext|>running"),
              ElementsAre(64, 50260, 198, 65, 220, 50256, 5143, 77, 278));
  EXPECT_THAT(Encode(&tokenizer, "<user><user>x"),
              ElementsAre(50258, 50258, 87));
  EXPECT_THAT(Encode(&tokenizer, "\n\n\n\n ing"),
              ElementsAre(50260, 50260, 220, 278));
}

}  // namespace
}  // namespace hydra
