#include "common/tokenizer/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/tokenizer/testing/bert_tokenizer.h"

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
  const Json wrong_regex = {{"type", "Split"},
                            {"pattern", {{"Regex", "\\d+"}}},
                            {"behavior", "Isolated"}};
  const std::vector<std::pair<Json, std::string>> changes = {
      {{{"normalizer", {{"type", "Precompiled"}}}},
       "d/tokenizer.json: normalizer: found \"Precompiled\"; NFC, NFD"},
      {{{"normalizer",
         {{"type", "Sequence"},
          {"normalizers", Json::array({{{"type", "Nmt"}}})}}}},
       "normalizer.normalizers[0]: found \"Nmt\""},
      {{{"normalizer", {{"type", "Replace"}, {"pattern", {{"Regex", " +"}}}}}},
       "normalizer.pattern: found an object; only \"String\""},
      {{{"normalizer",
         {{"type", "Replace"}, {"pattern", {{"String", "a b"}}}}}},
       "normalizer.pattern.String: found \"a b\"; one character"},
      {{{"normalizer", {{"type", "Prepend"}, {"prepend", 1}}}},
       "normalizer.prepend: found 1; a text is needed"},
      {{{"normalizer", 3}}, "normalizer: found 3; an object is needed"},
      {{{"pre_tokenizer", {{"type", "Whitespace"}}}},
       "pre_tokenizer: found \"Whitespace\"; ByteLevel, Split"},
      {{{"pre_tokenizer", wrong_regex}},
       "pre_tokenizer.pattern.Regex: found \"\\\\d+\"; the patterns of GPT-2"},
      {{{"pre_tokenizer", {{"use_regex", false}}}},
       "pre_tokenizer.use_regex: found false"},
      {{{"pre_tokenizer", {{"add_prefix_space", 1}}}},
       "pre_tokenizer.add_prefix_space: found 1; true or false is needed"},
      {{{"pre_tokenizer", {{"type", 5}}}}, "pre_tokenizer: found 5"},
      {{{"pre_tokenizer", {{"type", "Sequence"}}}},
       "pre_tokenizer.pretokenizers: found null; a list is needed"},
      {{{"model", {{"type", "Unigram"}}}}, "model.type: found \"Unigram\""},
      {{{"model", {{"dropout", 0.1}}}}, "model.dropout: found 0.1"},
      {{{"model", {{"end_of_word_suffix", "</w>"}}}}, "end_of_word_suffix"},
      {{{"model", {{"merges", Json::array({"t q"})}}}},
       "model.merges[0]: found \"t q\"; 'tq' is not in the vocabulary"},
      {{{"model", {{"merges", Json::array({5})}}}},
       "model.merges[0]: found 5; two tokens are needed"},
      {{{"model", {{"merges", nullptr}}}}, "model.merges: found null"},
      {{{"model", {{"vocab", {{"x", 5}}}}}}, "have the same id 5"},
      {{{"model", {{"vocab", {{"x", 1e300}}}}}}, "in place of an id of 0 to"},
      {{{"model", {{"vocab", Json::array()}}}}, "model.vocab: found an array"},
  };
  for (const auto& [change, answer] : changes) {
    Json json = Gpt2Json();
    json.merge_patch(change);
    EXPECT_THAT(Refusal(FilesOf(json)), HasSubstr(answer)) << change;
  }
}

TEST(ParseTokenizerTest, WhatIsMissingIsNamed) {
  EXPECT_THAT(Refusal(FilesOf(Json::object())),
              HasSubstr("d/tokenizer.json: model: found null; an object"));
  Json json = Gpt2Json();
  json["model"].erase("merges");
  EXPECT_THAT(Refusal(FilesOf(json)), HasSubstr("model.merges: found null"));
  json["model"].erase("vocab");
  EXPECT_THAT(Refusal(FilesOf(json)), HasSubstr("model.vocab: found null"));
}

TEST(ParseTokenizerTest, BrokenJsonIsNamedWithItsLine) {
  TokenizerFiles files;
  files.tokenizer_json = TokenizerFile{"d/tokenizer.json", "{\n \"a\": ]}"};
  EXPECT_THAT(Refusal(files), HasSubstr("d/tokenizer.json: line 2, column"));
  files.tokenizer_json->text =
      std::string(100000, '[') + std::string(100000, ']');
  EXPECT_THAT(Refusal(files), HasSubstr("nested deeper than"));
  files.tokenizer_json->text =
      "{\"model\": {\"type\": \"BPE\", \"merges\": [], \"vocab\": {\"a\": 1" +
      std::string(1000, '0') + "}}}";
  EXPECT_THAT(Refusal(files), HasSubstr("d/tokenizer.json: "));
}

TEST(ParseTokenizerTest, TokensAroundATextAreNotAskedFor) {
  const Json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  const Json token = {{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}};
  Json json = Gpt2Json();
  json["post_processor"] = {{"type", "TemplateProcessing"},
                            {"single", Json::array({token, text})}};
  EXPECT_TRUE(ParseTokenizer(FilesOf(json)).ok());
}

TEST(ParseTokenizerTest, ReadsLlama3sWay) {
  Json json = Gpt2Json();
  json["normalizer"] = {{"type", "NFC"}};
  json["model"]["ignore_merges"] = true;
  const Json split = {
      {"type", "Split"},
      {"pattern",
       {{"Regex",
         R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"}}},
      {"behavior", "Isolated"},
      {"invert", false}};
  const Json bytes = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  json["pre_tokenizer"] = {{"type", "Sequence"},
                           {"pretokenizers", Json::array({split, bytes})}};
  const auto tokenizer = ParseTokenizer(FilesOf(json));
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  EXPECT_EQ(tokenizer->model, TokenModel::kByteBpe);
  EXPECT_TRUE(tokenizer->ignore_merges);
  ASSERT_EQ(tokenizer->pre_tokenizer.size(), 1);
  EXPECT_EQ(tokenizer->pre_tokenizer[0].pattern, SplitPattern::kLlama3);
  ASSERT_EQ(tokenizer->normalizer.size(), 1);
  EXPECT_EQ(tokenizer->normalizer[0].kind, NormalizerKind::kNfc);
  // It is no GPT-2, so nothing is added that nobody named.
  json["pre_tokenizer"]["pretokenizers"] = Json::array({bytes, split});
  EXPECT_THAT(Refusal(FilesOf(json)), HasSubstr("without a Split before it"));
}

// As Llama 2 has it.
Json CharacterJson() {
  const Json replace = {
      {"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "_"}};
  return {{"added_tokens", Json::array()},
          {"normalizer",
           {{"type", "Sequence"},
            {"normalizers",
             Json::array({{{"type", "Prepend"}, {"prepend", "_"}}, replace})}}},
          {"pre_tokenizer", nullptr},
          {"model",
           {{"type", "BPE"},
            {"unk_token", "<unk>"},
            {"fuse_unk", true},
            {"byte_fallback", true},
            {"vocab", {{"<unk>", 0}, {"_", 1}, {"a", 2}, {"<0x0A>", 3}}},
            {"merges", Json::array()}}}};
}

TEST(ParseTokenizerTest, ReadsBpeByCharacters) {
  Json json = CharacterJson();
  const auto tokenizer = ParseTokenizer(FilesOf(json));
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  EXPECT_EQ(tokenizer->model, TokenModel::kCharacterBpe);
  EXPECT_EQ(tokenizer->unknown_id, 0u);
  EXPECT_TRUE(tokenizer->fuse_unknown);
  ASSERT_EQ(tokenizer->byte_tokens.size(), 256);
  EXPECT_EQ(tokenizer->byte_tokens['\n'], 3u);
  EXPECT_EQ(tokenizer->byte_tokens['a'], kNoByteToken);
  ASSERT_EQ(tokenizer->normalizer.size(), 2);
  EXPECT_EQ(tokenizer->size, 4);
  json["model"]["unk_token"] = "<none>";
  EXPECT_THAT(Refusal(FilesOf(json)),
              HasSubstr("model.unk_token: found \"<none>\"; it is not in"));
  json = CharacterJson();
  json["model"]["ignore_merges"] = true;
  EXPECT_THAT(Refusal(FilesOf(json)), HasSubstr("model.ignore_merges"));
}

TEST(ParseTokenizerTest, MetaspaceIsSeveralSteps) {
  Json json = CharacterJson();
  json["normalizer"] = nullptr;
  json["pre_tokenizer"] = {{"type", "Metaspace"},
                           {"replacement", "_"},
                           {"prepend_scheme", "first"},
                           {"split", false}};
  const auto tokenizer = ParseTokenizer(FilesOf(json));
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  ASSERT_EQ(tokenizer->pre_tokenizer.size(), 2);
  EXPECT_EQ(tokenizer->pre_tokenizer[0].kind, PreTokenizerKind::kMarkSpaces);
  EXPECT_EQ(tokenizer->pre_tokenizer[1].kind,
            PreTokenizerKind::kPrefixFirstMarker);
  json["pre_tokenizer"]["replacement"] = "__";
  EXPECT_THAT(Refusal(FilesOf(json)), HasSubstr("one character"));
  json["pre_tokenizer"]["replacement"] = "_";
  const Json metaspace = json["pre_tokenizer"];
  json["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers", Json::array({metaspace, metaspace})}};
  EXPECT_THAT(Refusal(FilesOf(json)), HasSubstr("one Metaspace"));
  json["pre_tokenizer"] = metaspace;
  json["pre_tokenizer"]["prepend_scheme"] = "last";
  EXPECT_THAT(Refusal(FilesOf(json)), HasSubstr("always, first or never"));
}

// Of whole sequences.
TEST(ParseTokenizerTest, KnowsWhatStandsAboutATextAndInPlaceOfHiddenTokens) {
  TokenizerFiles files;
  files.tokenizer_json = TokenizerFile{"tokenizer.json", BertTokenizerJson(20)};
  const auto usual = ParseTokenizer(files);
  ASSERT_TRUE(usual.ok()) << usual.status();
  EXPECT_EQ(usual->cls_id, kTestCls);
  EXPECT_EQ(usual->sep_id, kTestSep);
  EXPECT_EQ(usual->mask_id, kTestMask);
  EXPECT_EQ(usual->end_of_text_id, std::nullopt);
  files.tokenizer_config_json =
      TokenizerFile{"tokenizer_config.json",
                    R"({"cls_token": "[SEP]", "sep_token": null,
          "mask_token": "[UNK]"})"};
  const auto named = ParseTokenizer(files);
  ASSERT_TRUE(named.ok()) << named.status();
  EXPECT_EQ(named->cls_id, kTestSep);
  EXPECT_EQ(named->sep_id, std::nullopt);
  EXPECT_EQ(named->mask_id, kTestUnknown);
}

TEST(ParseTokenizerTest, ReadsWordPiece) {
  Json json = CharacterJson();
  json["normalizer"] = {{"type", "BertNormalizer"},
                        {"clean_text", true},
                        {"handle_chinese_chars", false},
                        {"strip_accents", nullptr},
                        {"lowercase", true}};
  json["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
  json["model"] = {{"type", "WordPiece"},
                   {"unk_token", "[UNK]"},
                   {"max_input_chars_per_word", 50},
                   {"vocab", {{"[UNK]", 0}, {"a", 1}, {"##b", 2}}}};
  const auto tokenizer = ParseTokenizer(FilesOf(json));
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  EXPECT_EQ(tokenizer->model, TokenModel::kWordPiece);
  EXPECT_EQ(tokenizer->continuation_prefix, "##");
  EXPECT_EQ(tokenizer->max_word_characters, 50);
  // Accents go with the capitals: clean, decompose, strip, lower.
  EXPECT_EQ(tokenizer->normalizer.size(), 4);
  TokenizerFiles files = FilesOf(json);
  files.tokenizer_config_json = TokenizerFile{
      "d/tokenizer_config.json",
      R"({"tokenizer_class": "BertTokenizer", "do_lower_case": true})"};
  EXPECT_TRUE(ParseTokenizer(files).ok());
  files.tokenizer_config_json->text = R"({"do_lower_case": false})";
  EXPECT_THAT(Refusal(files), HasSubstr("do_lower_case: found false"));
  json["model"]["max_input_chars_per_word"] = -1;
  EXPECT_THAT(Refusal(FilesOf(json)), HasSubstr("max_input_chars_per_word"));
  json["model"].erase("max_input_chars_per_word");
  json["model"].erase("unk_token");
  EXPECT_THAT(Refusal(FilesOf(json)), HasSubstr("model.unk_token"));
  json["pre_tokenizer"] = nullptr;
  EXPECT_THAT(Refusal(FilesOf(json)), HasSubstr("BertPreTokenizer alone"));
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

TEST(ParseTokenizerTest, AddedTokensKeepTheirSwitches) {
  Json json = Gpt2Json();
  json["added_tokens"].push_back({{"id", 258},
                                  {"content", "a b"},
                                  {"lstrip", true},
                                  {"single_word", true},
                                  {"normalized", true}});
  const auto tokenizer = ParseTokenizer(FilesOf(json));
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  ASSERT_EQ(tokenizer->added.size(), 2);
  const AddedToken& token = tokenizer->added[1];
  EXPECT_TRUE(token.lstrip);
  EXPECT_FALSE(token.rstrip);
  EXPECT_TRUE(token.single_word);
  EXPECT_FALSE(token.first);
}

TEST(ParseTokenizerTest, RefusesAddedTokensThatContradict) {
  for (const auto& [key, value, answer] :
       std::vector<std::tuple<std::string, Json, std::string>>{
           {"content", "", "without a text"},
           {"id", 300, "has id 300; transformers gives it 257"}}) {
    Json json = Gpt2Json();
    json["added_tokens"][0][key] = value;
    EXPECT_THAT(Refusal(FilesOf(json)), HasSubstr(answer));
  }
  Json json = Gpt2Json();
  json["normalizer"] = {{"type", "StripAccents"}};
  json["added_tokens"][0]["content"] = "\u0301";
  json["added_tokens"][0]["id"] = 258;
  EXPECT_THAT(Refusal(FilesOf(json)), HasSubstr("leaves nothing of it"));
}

TEST(ParseTokenizerTest, RefusesWhatTheConfigurationChanges) {
  for (const char* config : {R"({"add_prefix_space": true})",
                             R"({"tokenizer_class": "XLNetTokenizer"})"}) {
    TokenizerFiles files = FilesOf(Gpt2Json());
    files.tokenizer_config_json =
        TokenizerFile{"d/tokenizer_config.json", config};
    EXPECT_THAT(Refusal(files), HasSubstr("d/tokenizer_config.json: "));
  }
}

TEST(ParseTokenizerTest, OnlyAGpt2NeedsNoTokenizerJson) {
  TokenizerFiles files = FilesOf(Gpt2Json());
  files.tokenizer_config_json =
      TokenizerFile{"d/tokenizer_config.json",
                    R"({"tokenizer_class": "Qwen2TokenizerFast"})"};
  EXPECT_TRUE(ParseTokenizer(files).ok());
  files.tokenizer_json.reset();
  files.vocab_json = TokenizerFile{"vocab.json", Vocabulary().dump()};
  files.merges_txt = TokenizerFile{"merges.txt", "t h\n"};
  EXPECT_THAT(Refusal(files), HasSubstr("it needs a tokenizer.json"));
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
