#include "worker/data/chat/chat_renderer.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/task/task_control.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kMessages[] =
    R"([{"role":"user","content":"é?"},{"role":"assistant","content":"ja"}])";

absl::StatusOr<std::unique_ptr<ChatRenderer>> Start(
    const std::string& text, const LineProcess::Limits& limits = {}) {
  TaskControl control;
  return ChatRenderer::Start({"t.jinja", text, {{"eos_token", "</s>"}}},
                             control, limits);
}

absl::StatusOr<RenderedChat> Render(const std::string& text,
                                    const std::string& messages = kMessages,
                                    const LineProcess::Limits& limits = {}) {
  auto renderer = Start(text, limits);
  if (!renderer.ok()) return renderer.status();
  TaskControl control;
  return (*renderer)->Render(messages, /*wants_answers=*/true, control);
}

// The answers, each in brackets.
std::string Answers(const RenderedChat& chat) {
  std::string answers;
  for (const auto& [begin, end] : chat.answers) {
    absl::StrAppend(&answers, "[", chat.text.substr(begin, end - begin), "]");
  }
  return answers;
}

std::string Mistake(const std::string& text,
                    const LineProcess::Limits& limits = {}) {
  return std::string(Render(text, kMessages, limits).status().message());
}

TEST(ChatRendererTest, GenerationMarksAnswers) {
  const auto chat = Render(
      "{% for m in messages %}{{ m.content }}:{% generation %}{{ m.role }}{% "
      "endgeneration %}{% endfor %}");
  ASSERT_TRUE(chat.ok()) << chat.status();
  EXPECT_EQ(chat->text, "é?:userja:assistant");
  EXPECT_EQ(Answers(*chat), "[user][assistant]");
}

TEST(ChatRendererTest, WithoutItAnAnswerFollowsWhatAsksForIt) {
  const auto chat = Render(
      "{% for m in messages %}<{{ m.role }}>{{ m.content + eos_token }}\n{% "
      "endfor %}{% if add_generation_prompt %}<assistant>{% endif %}");
  ASSERT_TRUE(chat.ok()) << chat.status();
  EXPECT_EQ(Answers(*chat), "[ja</s>\n]");
}

TEST(ChatRendererTest, AlpacasPromptIsThatOfLlamaFactory) {
  const auto chat = Render(AlpacaTemplate().text);
  ASSERT_TRUE(chat.ok()) << chat.status();
  EXPECT_EQ(chat->text,
            "Below is an instruction that describes a task. Write a response "
            "that appropriately completes the request.\n\n### Instruction:\n"
            "é?\n\n### Response:\nja</s>\n\n");
  EXPECT_EQ(Answers(*chat), "[ja</s>\n\n]");
  const auto with_system =
      Render(AlpacaTemplate().text, R"([{"role":"system","content":"S "},)"
                                    R"({"role":"user","content":"q"},)"
                                    R"({"role":"assistant","content":"a"}])");
  ASSERT_TRUE(with_system.ok()) << with_system.status();
  EXPECT_EQ(with_system->text,
            "S ### Instruction:\nq\n\n### Response:\na</s>\n\n");
}

TEST(ChatRendererTest, AnswersThatCannotBeToldApartAreRefused) {
  EXPECT_THAT(Mistake("{{ messages | length }}{{ messages }}"),
              HasSubstr("messages[1] cannot be told apart"));
}

TEST(ChatRendererTest, AMistakeOfTheTemplateHasItsLine) {
  EXPECT_THAT(Mistake("a\n{% for %}"),
              AllOf(HasSubstr("t.jinja: line 2"), HasSubstr("no template")));
  EXPECT_EQ(Mistake("a\n\n{{ raise_exception('not so') }}"),
            "t.jinja: line 3: not so");
  EXPECT_THAT(Mistake("{{ messages[0].content.format.__globals__.x }}"),
              HasSubstr("t.jinja: line 1"));
  EXPECT_THAT(Mistake("{{ messages.append(1) }}"), HasSubstr("line 1"));
}

TEST(ChatRendererTest, ATemplateThatDoesNotEndIsEnded) {
  LineProcess::Limits limits;
  limits.cpu = absl::Seconds(1);
  const auto chat = Render(
      "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% "
      "endfor %}",
      kMessages, limits);
  EXPECT_EQ(chat.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(chat.status().message(),
            "t.jinja: the template takes more than 1s of CPU time");
}

TEST(ChatRendererTest, ATemplateThatNeedsTooMuchMemoryIsEnded) {
  LineProcess::Limits limits;
  limits.memory_bytes = int64_t{512} << 20;
  EXPECT_THAT(Mistake("{{ ('x' * 2000000000) | length }}", limits),
              HasSubstr("needs more memory than a template may have"));
}

TEST(ChatRendererTest, ATemplatesOwnWordsAreCut) {
  const std::string mistake =
      Mistake("{{ raise_exception('no ' ~ 'x' * 5000000) }}");
  EXPECT_THAT(mistake, HasSubstr("no xxx"));
  EXPECT_LT(mistake.size(), 2000);
}

TEST(ChatRendererTest, AFailureIsOfItsRowAlone) {
  TaskControl control;
  const auto renderer =
      Start("{{ messages[0].content + (1 / messages[0].n) | string }}");
  ASSERT_TRUE(renderer.ok()) << renderer.status();
  EXPECT_FALSE(
      (*renderer)->Render(R"([{"content":"a","n":0}])", false, control).ok());
  const auto chat =
      (*renderer)->Render(R"([{"content":"a","n":1}])", false, control);
  ASSERT_TRUE(chat.ok()) << chat.status();
  EXPECT_EQ(chat->text, "a1.0");
}

TEST(ChatRendererTest, KnowsTheDay) {
  // Before and after: midnight may be between.
  const auto day = [] {
    return absl::FormatTime("%Y-%m-%d", absl::Now(), absl::LocalTimeZone());
  };
  const std::string before = day();
  const auto chat = Render(
      "{{ strftime_now('%Y-%m-%d') }}{% if add_generation_prompt %}{% endif %}"
      "{% generation %}{% endgeneration %}");
  ASSERT_TRUE(chat.ok()) << chat.status();
  EXPECT_THAT(chat->text, ::testing::AnyOf(before, day()));
}

TEST(ChatRendererTest, TheDayMayBeGiven) {
  TaskControl control;
  ChatTemplate chat_template = {"t", "{{ strftime_now('%d %b %Y %H:%M') }}"};
  chat_template.day = "2026-11-30";
  EXPECT_TRUE(DependsOnDay(chat_template));
  const auto renderer = ChatRenderer::Start(chat_template, control);
  ASSERT_TRUE(renderer.ok()) << renderer.status();
  const auto chat = (*renderer)->Render(kMessages, false, control);
  ASSERT_TRUE(chat.ok()) << chat.status();
  EXPECT_EQ(chat->text, "30 Nov 2026 00:00");
}

TEST(ChatRendererTest, SaysWhatToInstall) {
  TaskControl control;
  const auto renderer =
      ChatRenderer::Start({"t", "x", {}}, control, {}, "/no/such/python3");
  EXPECT_EQ(renderer.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(renderer.status().message(), HasSubstr("python3-jinja2"));
}

}  // namespace
}  // namespace hydra
