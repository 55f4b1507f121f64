#include "common/tokenizer/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

// The 256 bytes, then "th", then "<|endoftext|>".
Json Vocabulary() {
  Json vocabulary = Json::object();
  int substitute = 0x100;
  for (int b = 0; b < 256; ++b) {
    const bool is_itself =
        (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
    const int c = is_itself ? b : substitute++;
    const std::string token =
        c < 0x80 ? std::string(1, static_cast<char>(c))
                 : std::string{static_cast<char>(0xc0 | c >> 6),
                               static_cast<char>(0x80 | (c & 0x3f))};
    vocabulary[token] = b;
  }
  vocabulary["th"] = 256;
  vocabulary["<|endoftext|>"] = 257;
  return vocabulary;
}

Json EndOfText() {
  return {{"id", 257},          {"content", "<|endoftext|>"},
          {"lstrip", false},    {"rstrip", false},
          {"normalized", true}, {"single_word", false},
          {"special", true}};
}

// As transformers 5 writes it for a GPT-2.
Json Gpt2Json() {
  const Json byte_level = {{"type", "ByteLevel"},
                           {"add_prefix_space", false},
                           {"trim_offsets", true},
                           {"use_regex", true}};
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"added_tokens", Json::array({EndOfText()})},
          {"normalizer", nullptr},
          {"pre_tokenizer", byte_level},
          {"post_processor", byte_level},
          {"model",
           {{"type", "BPE"},
            {"dropout", nullptr},
            {"continuing_subword_prefix", ""},
            {"ignore_merges", false},
            {"vocab", Vocabulary()},
            {"merges", Json::array({Json::array({"t", "h"})})}}}};
}

TokenizerFiles FilesOf(const Json& tokenizer_json) {
  TokenizerFiles files;
  files.tokenizer_json =
      TokenizerFile{"d/tokenizer.json", tokenizer_json.dump()};
  return files;
}

std::string Refusal(const TokenizerFiles& files) {
  const auto tokenizer = ParseTokenizer(files);
  EXPECT_EQ(tokenizer.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(tokenizer.status().message());
}

TEST(ParseTokenizerTest, ReadsTokenizerJsonAsTransformers5WritesIt) {
  Json json = Gpt2Json();
  for (const Json& merge : {Json("t h"), Json::array({"t", "h"})}) {
    json["model"]["merges"] = Json::array({merge});
    const auto tokenizer = ParseTokenizer(FilesOf(json));
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
    EXPECT_EQ(tokenizer->size, 258);
    EXPECT_EQ(tokenizer->byte_ids['t'], uint32_t{'t'});
    EXPECT_EQ(tokenizer->merges.at({'t', 'h'}).result, 256u);
    ASSERT_EQ(tokenizer->added.size(), 1);
    EXPECT_EQ(tokenizer->added[0].text, "<|endoftext|>");
    EXPECT_FALSE(tokenizer->added[0].first);
  }
}

TEST(ParseTokenizerTest, ReadsTheOlderTwoFilesWithTheUsualToken) {
  TokenizerFiles files;
  files.vocab_json = TokenizerFile{"vocab.json", Vocabulary().dump()};
  EXPECT_THAT(Refusal(files), HasSubstr("neither tokenizer.json nor"));
  files.merges_txt = TokenizerFile{"merges.txt", "#version: 0.2\nt h\n"};
  const auto tokenizer = ParseTokenizer(files);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  ASSERT_EQ(tokenizer->added.size(), 1);
  EXPECT_EQ(tokenizer->added[0].id, 257u);
}

// What transformers 5.24 makes of the same files: bos, eos and unk of a GPT-2
// are <|endoftext|>, which gets the next id if the vocabulary does not have it.
TEST(ParseTokenizerTest, TheUsualTokenIsThereThoughTheVocabularyDoesNotHaveIt) {
  struct Case {
    const char* config;
    std::vector<std::pair<std::string, uint32_t>> added;
  };
  const std::string eot = "<|endoftext|>";
  const Case cases[] = {
      {"{}", {{eot, 257}}},
      {R"({"pad_token": "<pad>"})", {{eot, 257}, {"<pad>", 258}}},
      {R"({"eos_token": "</s>"})", {{eot, 257}, {"</s>", 258}}},
      {R"({"eos_token": null})", {{eot, 257}}},
      {R"({"bos_token": null, "eos_token": null, "unk_token": null,
           "pad_token": "<pad>"})",
       {{"<pad>", 257}}},
      {R"({"added_tokens_decoder": {"257": {"content": "<x>"}}})",
       {{"<x>", 257}, {eot, 258}}},
      {R"({"tokenizer_class": "GPT2Tokenizer"})", {{eot, 257}}},
      {R"({"tokenizer_class": "TokenizersBackend"})", {}},
      {R"({"tokenizer_class": "PreTrainedTokenizerFast",
           "eos_token": "<|endoftext|>"})",
       {{eot, 257}}},
  };
  Json json = Gpt2Json();
  json["added_tokens"] = Json::array();
  json["model"]["vocab"].erase(eot);
  for (const Case& one : cases) {
    TokenizerFiles files = FilesOf(json);
    files.tokenizer_config_json =
        TokenizerFile{"d/tokenizer_config.json", one.config};
    const auto tokenizer = ParseTokenizer(files);
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
    std::vector<std::pair<std::string, uint32_t>> added;
    for (const AddedToken& token : tokenizer->added) {
      added.emplace_back(token.text, token.id);
    }
    EXPECT_EQ(added, one.added) << one.config;
    EXPECT_EQ(tokenizer->size, 257 + added.size()) << one.config;
  }
}

TEST(ParseTokenizerTest, AClassWithoutDefaultsLeavesTheUsualTokenAsText) {
  Json json = Gpt2Json();
  json["added_tokens"] = Json::array();
  TokenizerFiles files = FilesOf(json);
  files.tokenizer_config_json =
      TokenizerFile{"d/tokenizer_config.json",
                    R"({"tokenizer_class": "PreTrainedTokenizerFast"})"};
  const auto tokenizer = ParseTokenizer(files);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  EXPECT_TRUE(tokenizer->added.empty());
}

TEST(ParseTokenizerTest, TheUsualTokenMayShareTheIdBehindAVocabularyWithAHole) {
  Json vocabulary = Vocabulary();
  vocabulary.erase("<|endoftext|>");
  vocabulary["th"] = 257;
  TokenizerFiles files;
  files.vocab_json = TokenizerFile{"vocab.json", vocabulary.dump()};
  files.merges_txt = TokenizerFile{"merges.txt", "t h\n"};
  const auto tokenizer = ParseTokenizer(files);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  ASSERT_EQ(tokenizer->added.size(), 1);
  EXPECT_EQ(tokenizer->added[0].id, 257u);
}

TEST(ParseTokenizerTest, RefusesByNameWhatWouldGiveOtherIds) {
  const std::vector<std::pair<Json, std::string>> changes = {
      {{{"normalizer", {{"type", "NFC"}}}}, "normalizer: found \"NFC\""},
      {{{"pre_tokenizer", {{"type", "Whitespace"}}}},
       "pre_tokenizer: found \"Whitespace\""},
      {{{"pre_tokenizer", {{"add_prefix_space", true}}}},
       "pre_tokenizer.add_prefix_space: found true"},
      {{{"pre_tokenizer", {{"use_regex", false}}}}, "use_regex: found false"},
      {{{"pre_tokenizer", nullptr}}, "pre_tokenizer: found null"},
      {{{"pre_tokenizer", {{"type", 5}}}}, "pre_tokenizer: found 5"},
      {{{"post_processor", {{"type", "TemplateProcessing"}}}},
       "post_processor: found \"TemplateProcessing\""},
      {{{"model", {{"type", "Unigram"}}}}, "model.type: found \"Unigram\""},
      {{{"model", {{"dropout", 0.1}}}}, "model.dropout: found 0.1"},
      {{{"model", {{"ignore_merges", true}}}}, "ignore_merges: found true"},
      {{{"model", {{"end_of_word_suffix", "</w>"}}}}, "end_of_word_suffix"},
      {{{"model", {{"merges", Json::array({"t q"})}}}}, "merges[0]"},
  };
  for (const auto& [change, answer] : changes) {
    Json json = Gpt2Json();
    json.merge_patch(change);
    if (change.contains("pre_tokenizer") && change["pre_tokenizer"].is_null()) {
      json["pre_tokenizer"] = nullptr;
    }
    EXPECT_THAT(Refusal(FilesOf(json)), HasSubstr(answer)) << change;
  }
}

TEST(ParseTokenizerTest, ATemplateThatAddsNothingIsFine) {
  const Json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  const Json token = {{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}};
  Json json = Gpt2Json();
  json["post_processor"] = {{"type", "TemplateProcessing"},
                            {"single", Json::array({text})}};
  EXPECT_TRUE(ParseTokenizer(FilesOf(json)).ok());
  json["post_processor"]["single"] = Json::array({token, text});
  EXPECT_THAT(Refusal(FilesOf(json)), HasSubstr("post_processor"));
}

TEST(ParseTokenizerTest, TokensOfTheOtherFilesAreAdded) {
  TokenizerFiles files = FilesOf(Gpt2Json());
  files.tokenizer_config_json =
      TokenizerFile{"d/tokenizer_config.json",
                    R"({"tokenizer_class": "GPT2Tokenizer",
                        "add_prefix_space": false, "pad_token": "[PAD]",
                        "additional_special_tokens": ["<user>"]})"};
  const auto tokenizer = ParseTokenizer(files);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  ASSERT_EQ(tokenizer->added.size(), 3);
  EXPECT_EQ(tokenizer->added[1].text, "[PAD]");
  EXPECT_EQ(tokenizer->added[1].id, 258u);
  EXPECT_TRUE(tokenizer->added[1].first);
  EXPECT_EQ(tokenizer->added[2].id, 259u);
  EXPECT_EQ(tokenizer->size, 260);
}

TEST(ParseTokenizerTest, RefusesAddedTokensThatItWouldFindElsewhere) {
  for (const auto& [key, value, answer] :
       std::vector<std::tuple<std::string, Json, std::string>>{
           {"lstrip", true, "lstrip is not supported"},
           {"single_word", true, "single_word is not supported"},
           {"content", "end of", "white space inside"},
           {"content", "", "without a text"},
           {"id", 300, "has id 300; transformers gives it 257"}}) {
    Json json = Gpt2Json();
    json["added_tokens"][0][key] = value;
    EXPECT_THAT(Refusal(FilesOf(json)), HasSubstr(answer));
  }
}

TEST(ParseTokenizerTest, RefusesSwitchesThatAddToTheText) {
  for (const char* config :
       {R"({"add_prefix_space": true})", R"({"add_bos_token": true})",
        R"({"tokenizer_class": "LlamaTokenizer"})"}) {
    TokenizerFiles files = FilesOf(Gpt2Json());
    files.tokenizer_config_json =
        TokenizerFile{"d/tokenizer_config.json", config};
    EXPECT_THAT(Refusal(files), HasSubstr("d/tokenizer_config.json: "));
  }
}

TEST(ParseTokenizerTest, AFileThatIsSomethingElseIsCalledByItsName) {
  const std::string pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
  TokenizerFiles files;
  files.tokenizer_json = TokenizerFile{"d/tokenizer.json", pointer};
  EXPECT_THAT(Refusal(files),
              HasSubstr("d/tokenizer.json is a Git LFS pointer"));
  files = {};
  files.vocab_json = TokenizerFile{"d/vocab.json", Vocabulary().dump()};
  files.merges_txt = TokenizerFile{"d/merges.txt", pointer};
  EXPECT_THAT(Refusal(files), HasSubstr("d/merges.txt is a Git LFS pointer"));
}

}  // namespace
}  // namespace hydra
