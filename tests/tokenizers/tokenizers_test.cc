// Compares tokenizers of every kind with Hugging Face's: make_tokenizers.py
// made them, and what must come out.

#include <cstdint>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/hash/sha256.h"
#include "common/text/code_points.h"
#include "common/tokenizer/tokenizer.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "worker/data/posix_file.h"
#include "worker/data/text_tokenizer.h"

namespace hydra {
namespace {

using Json = nlohmann::json;
using Ids = std::vector<uint32_t>;

constexpr char kFolder[] = "tests/tokenizers/testdata/";

Json ReadJson(const std::string& name) {
  const auto text = ReadWholeFile(absl::StrCat(kFolder, name));
  EXPECT_TRUE(text.ok()) << text.status();
  return Json::parse(*text);
}

std::vector<std::string> Texts() {
  std::vector<std::string> texts;
  for (const auto& hex : ReadJson("texts.json")) {
    texts.push_back(absl::HexStringToBytes(hex.get<std::string>()));
  }
  return texts;
}

// As all_characters() in make_tokenizers.py has them.
std::vector<std::string> AllCharacters() {
  std::vector<char32_t> code_points;
  for (char32_t c = 0; c < 0x32400; ++c) {
    if (c < 0xd800 || c >= 0xe000) code_points.push_back(c);
  }
  for (char32_t c = 0xe0000; c < 0xe0200; ++c) code_points.push_back(c);
  std::vector<std::string> texts;
  for (size_t i = 0; i < code_points.size(); ++i) {
    if (i % 256 == 0) texts.emplace_back();
    std::string c;
    AppendCodePoint(code_points[i], &c);
    absl::StrAppend(&texts.back(), "a", c, "b ", c, "\u0301 1", c, " \n");
  }
  return texts;
}

class TokenizersTest : public testing::TestWithParam<const char*> {
 protected:
  TokenizersTest() {
    const std::string name = absl::StrCat(GetParam(), ".tokenizer.json");
    TokenizerFiles files;
    files.tokenizer_json =
        TokenizerFile{name, *ReadWholeFile(absl::StrCat(kFolder, name))};
    // It names no token that tokenizer.json does not have.
    files.tokenizer_config_json =
        TokenizerFile{"tokenizer_config.json",
                      R"({"tokenizer_class": "PreTrainedTokenizerFast"})"};
    auto tokenizer = ParseTokenizer(files);
    EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
    tokenizer_ = std::make_unique<TextTokenizer>(*std::move(tokenizer));
    expected_ = ReadJson(absl::StrCat(GetParam(), ".ids.json"));
  }

  Ids Encode(absl::string_view text) {
    Ids ids;
    tokenizer_->Encode(text, &ids);
    return ids;
  }

  // Of `text`, cut at safe places that lie near random ones, and the number of
  // cuts.
  Ids EncodeInPieces(absl::string_view text, std::mt19937* random, int* cuts) {
    Ids ids;
    bool is_continued = false;
    while (true) {
      // What has come of the text, and what of it came last.
      std::uniform_int_distribution<size_t> place(0, text.size());
      const size_t from = place(*random);
      const absl::string_view known = text.substr(0, from + place(*random) / 8);
      size_t cut = tokenizer_->LastSafeCut(known, from);
      if (cut == text.npos) cut = tokenizer_->LastSafeCut(known, 0);
      const bool is_last = cut == text.npos;
      if (is_last) cut = text.size();
      if (is_continued) {
        tokenizer_->EncodeContinued(text.substr(0, cut), &ids);
      } else {
        tokenizer_->Encode(text.substr(0, cut), &ids);
      }
      if (is_last) return ids;
      text.remove_prefix(cut);
      is_continued = true;
      ++*cuts;
    }
  }

  std::unique_ptr<TextTokenizer> tokenizer_;
  Json expected_;
};

TEST_P(TokenizersTest, GivesHuggingFacesIds) {
  const std::vector<std::string> texts = Texts();
  ASSERT_EQ(texts.size(), expected_["ids"].size());
  // The second time every word is a remembered one.
  for (int time = 0; time < 2; ++time) {
    for (size_t i = 0; i < texts.size(); ++i) {
      EXPECT_EQ(Encode(texts[i]), expected_["ids"][i].get<Ids>())
          << "text " << i << ": " << testing::PrintToString(texts[i]);
    }
  }
}

TEST_P(TokenizersTest, GivesHuggingFacesIdsForAllCharacters) {
  Sha256 sha;
  for (const std::string& text : AllCharacters()) {
    const Ids ids = Encode(text);
    sha.Update({reinterpret_cast<const char*>(ids.data()),
                ids.size() * sizeof(ids[0])});
  }
  EXPECT_EQ(absl::BytesToHexString(sha.Finish()),
            expected_["all_characters_sha256"].get<std::string>());
}

// Texts, and texts that meet other ones, with all kinds of white space between.
std::vector<std::string> TextsToCut(std::mt19937* random) {
  std::vector<std::string> texts = Texts();
  const size_t count = texts.size();
  const absl::string_view between[] = {" ", "\n", "", "  ", "\t", "\r\n"};
  for (int round = 0; round < 1000; ++round) {
    std::string joined;
    for (int i = 0; i < 6; ++i) {
      absl::StrAppend(&joined, texts[(*random)() % count],
                      between[(*random)() % std::size(between)]);
    }
    texts.push_back(std::move(joined));
  }
  return texts;
}

TEST_P(TokenizersTest, NoSafeCutChangesIds) {
  std::mt19937 random(17);
  int cuts = 0;
  for (const std::string& joined : TextsToCut(&random)) {
    const absl::string_view text = joined;
    const Ids whole = Encode(text);
    for (size_t at = 1; at < text.size(); ++at) {
      if (tokenizer_->LastSafeCut(text.substr(0, at + 1), at) != at) continue;
      Ids halves = Encode(text.substr(0, at));
      tokenizer_->EncodeContinued(text.substr(at), &halves);
      ASSERT_EQ(halves, whole)
          << testing::PrintToString(std::string(text.substr(0, at))) << " and "
          << testing::PrintToString(std::string(text.substr(at)));
      ++cuts;
    }
  }
  EXPECT_GT(cuts, 4000);
}

TEST_P(TokenizersTest, RandomPiecesHaveTheIdsOfTheWhole) {
  std::mt19937 random(18);
  int cuts = 0;
  for (const std::string& joined : TextsToCut(&random)) {
    const absl::string_view text = joined;
    const Ids whole = Encode(text);
    for (int i = 0; i < 10; ++i) {
      ASSERT_EQ(EncodeInPieces(text, &random, &cuts), whole)
          << testing::PrintToString(std::string(text));
    }
  }
  EXPECT_GT(cuts, 4000);
}

INSTANTIATE_TEST_SUITE_P(Kind, TokenizersTest,
                         testing::Values("gpt2", "starcoder", "prefix_space",
                                         "llama3", "qwen2", "llama2", "mistral",
                                         "metaspace", "unknown", "bert_uncased",
                                         "bert_cased", "bert_plain"),
                         [](const auto& info) {
                           return std::string(info.param);
                         });

}  // namespace
}  // namespace hydra
