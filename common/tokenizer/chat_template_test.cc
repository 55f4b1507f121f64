#include "common/tokenizer/chat_template.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

TokenizerFiles WithConfig(const std::string& json) {
  TokenizerFiles files;
  files.tokenizer_config_json = TokenizerFile{"config", json};
  return files;
}

// The template's text, or what is wrong.
std::string TextOf(const TokenizerFiles& files, bool or_alpaca = false) {
  const auto found = ChatTemplateOf(files, {}, std::nullopt, or_alpaca);
  return found.ok() ? found->text : std::string(found.status().message());
}

TEST(ChatTemplateTest, IsWhereTransformersHasIt) {
  EXPECT_EQ(TextOf(WithConfig(R"({"chat_template": "a"})")), "a");
  EXPECT_EQ(TextOf(WithConfig(R"({"chat_template": [
              {"name": "tool_use", "template": "b"},
              {"name": "default", "template": "c"}]})")),
            "c");
  TokenizerFiles files = WithConfig(R"({"chat_template": "a"})");
  files.chat_template_jinja = TokenizerFile{"chat_template.jinja", "d"};
  EXPECT_EQ(TextOf(files), "d");
}

TEST(ChatTemplateTest, TheOneThatTheJobNamesCounts) {
  const auto found = ChatTemplateOf(WithConfig(R"({"chat_template": "a"})"), {},
                                    TokenizerFile{"/t.jinja", "e"}, false);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->text, "e");
  EXPECT_EQ(found->name, "/t.jinja");
}

TEST(ChatTemplateTest, WhereThereIsNoneThatIsSaid) {
  EXPECT_THAT(TextOf({}), HasSubstr("the tokenizer has no chat template"));
  EXPECT_THAT(TextOf(WithConfig(R"({"chat_template": null})")),
              HasSubstr("has no chat template"));
  EXPECT_THAT(TextOf(WithConfig(R"({"chat_template": [
                {"name": "rag", "template": "b"}]})")),
              HasSubstr("(rag) none is the default"));
  EXPECT_THAT(TextOf(WithConfig(R"({"chat_template": 1})")),
              HasSubstr("config: chat_template: expected a text"));
}

TEST(ChatTemplateTest, InstructionsHaveAlpacasWhereThereIsNone) {
  const TokenizerFiles files = WithConfig(R"({"eos_token": "</s>"})");
  EXPECT_THAT(TextOf(files, /*or_alpaca=*/true), HasSubstr("### Response:"));
  EXPECT_THAT(TextOf({}, /*or_alpaca=*/true), HasSubstr("no eos_token"));
  EXPECT_EQ(TextOf(WithConfig(R"({"chat_template": "a"})"), true), "a");
}

TEST(ChatTemplateTest, SpecialTokensAreVariables) {
  TokenizerFiles files = WithConfig(
      R"({"bos_token": {"content": "<s>"}, "eos_token": "</s>",
          "pad_token": null, "additional_special_tokens": ["x"]})");
  files.special_tokens_map_json =
      TokenizerFile{"map", R"({"eos_token": "other", "unk_token": "<unk>"})"};
  const auto tokens = SpecialTokensOf(files, {});
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  EXPECT_THAT(*tokens,
              ElementsAre(Pair("bos_token", "<s>"), Pair("eos_token", "</s>"),
                          Pair("unk_token", "<unk>")));
}

TEST(ChatTemplateTest, AGpt2HasOneTokenForThree) {
  Tokenizer tokenizer;
  tokenizer.added.push_back({"<|endoftext|>", 7});
  tokenizer.end_of_text_id = 7;
  EXPECT_THAT(*SpecialTokensOf({}, tokenizer),
              ElementsAre(Pair("bos_token", "<|endoftext|>"),
                          Pair("eos_token", "<|endoftext|>"),
                          Pair("unk_token", "<|endoftext|>")));
  EXPECT_THAT(*SpecialTokensOf({}, {}), IsEmpty());
}

TEST(ChatTemplateTest, ATemplateIsText) {
  TokenizerFiles files;
  files.chat_template_jinja = TokenizerFile{"t", "\xff"};
  EXPECT_THAT(TextOf(files), HasSubstr("t is no template: it is no UTF-8"));
  files.chat_template_jinja->text = std::string(kMaxTemplateBytes + 1, 'x');
  EXPECT_THAT(TextOf(files), HasSubstr("1048577 bytes"));
}

}  // namespace
}  // namespace hydra
