#include "worker/data/chat/chat_row.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

// The messages, or what is wrong.
std::string Chat(absl::string_view row, bool needs_answer = true) {
  const auto messages = MessagesOfRow(row, v1::DATA_FORMAT_CHAT, needs_answer);
  return messages.ok() ? *messages : std::string(messages.status().message());
}

std::string Instruction(absl::string_view row) {
  const auto messages =
      MessagesOfRow(row, v1::DATA_FORMAT_INSTRUCTION, /*needs_answer=*/true);
  return messages.ok() ? *messages : std::string(messages.status().message());
}

constexpr absl::string_view kTwo =
    R"([{"role":"user","content":"q"},{"role":"assistant","content":"a"}])";

TEST(MessagesOfRowTest, MessagesGoOnAsTheyAre) {
  EXPECT_EQ(Chat(absl::StrCat(R"({"id": 7, "messages": )", kTwo, "}")), kTwo);
  EXPECT_EQ(Chat(R"({"messages": [{"content": "é", "role": "assistant",
                     "reasoning_content": "x", "z": 1, "b": [2]}]})"),
            R"([{"role":"assistant","content":"é","reasoning_content":"x",)"
            R"("z":1,"b":[2]}])");
}

TEST(MessagesOfRowTest, SpeakersOfShareGptHaveRoles) {
  EXPECT_EQ(Chat(R"({"conversations": [{"from": "human", "value": "q"},
                                       {"from": "gpt", "value": "a"}]})"),
            kTwo);
  EXPECT_EQ(
      Chat(R"({"conversations": [{"from": "user", "value": "q"},
                     {"from": "assistant", "value": "a"}], "system": "s"})"),
      R"([{"role":"system","content":"s"},)" + std::string(kTwo.substr(1)));
  EXPECT_EQ(Chat(R"({"conversations": [{"from": "bot", "value": "q"}]})"),
            "conversations[0].from: expected one of human, user, gpt, "
            "assistant, system, found 'bot'");
}

TEST(MessagesOfRowTest, InstructionsBecomeQuestions) {
  EXPECT_EQ(Instruction(R"({"instruction": "q", "input": "", "output": "a"})"),
            kTwo);
  EXPECT_EQ(Instruction(R"({"instruction": "q", "input": "i", "output": "a"})"),
            R"([{"role":"user","content":"q\ni"},)"
            R"({"role":"assistant","content":"a"}])");
  EXPECT_EQ(Instruction(R"({"instruction": "q", "output": "a", "system": "s",
                            "history": [["p", "b"]]})"),
            R"([{"role":"system","content":"s"},{"role":"user","content":"p"},)"
            R"({"role":"assistant","content":"b"},)" +
                std::string(kTwo.substr(1)));
}

TEST(MessagesOfRowTest, WhatIsWrongIsNamed) {
  EXPECT_THAT(Chat(R"({"messages": [{"role": "user")"),
              ::testing::HasSubstr("is no JSON at its byte"));
  EXPECT_THAT(Chat(R"({"messages": [{"role": "user", "content": "\ud800"}]})"),
              ::testing::HasSubstr("surrogate"));
  EXPECT_EQ(Chat("[1]"), "is no object, but an array");
  EXPECT_EQ(Chat(R"({"text": "x"})"),
            "has neither 'messages' nor 'conversations'; it has 'text'");
  EXPECT_EQ(Chat(R"({"messages": [], "conversations": []})"),
            "has both 'messages' and 'conversations'");
  EXPECT_EQ(Chat(R"({"messages": []})"),
            "messages: expected a list of messages, found an empty one");
  EXPECT_EQ(Chat(R"({"messages": "hi"})"),
            "messages: expected a list of messages, found a text");
  EXPECT_EQ(Chat(R"({"messages": [1]})"),
            "messages[0]: expected an object, found a number");
  EXPECT_EQ(Chat(R"({"messages": [{"role": "user"}]})"),
            "messages[0].content: expected a text, found no such field");
  EXPECT_EQ(Chat(R"({"messages": [{"role": "user", "content": null}]})"),
            "messages[0].content: expected a text, found null");
  EXPECT_EQ(Chat(R"({"messages": [{"role": "user", "content": ["x"]}]})"),
            "messages[0].content: expected a text, found an array");
  EXPECT_EQ(Chat(R"({"messages": [{"content": "x"}]})"),
            "messages[0].role: expected a text, found no such field");
  EXPECT_EQ(Chat(R"({"messages": [{"role": "assistant", "content": " \n"}]})"),
            "messages[0].content: found an empty answer");
  EXPECT_THAT(Chat(R"({"messages": [{"role": "tool", "content": "x"}]})"),
              ::testing::HasSubstr("is a tool's, which is not known yet"));
  EXPECT_EQ(Chat(absl::StrCat(R"({"tools": [{"name": "f"}], "messages": )",
                              kTwo, "}")),
            "has 'tools', which is not known yet");
  EXPECT_EQ(Instruction(R"({"instruction": "q", "input": "i"})"),
            "has no 'output'; it has 'instruction', 'input'");
  EXPECT_EQ(Instruction(R"({"instruction": "q", "output": ""})"),
            "output: found an empty answer");
  EXPECT_EQ(Instruction(R"({"instruction": "", "input": "", "output": "a"})"),
            "instruction: found an empty one");
  EXPECT_EQ(Instruction(R"({"instruction": 1, "output": "a"})"),
            "instruction: expected a text, found a number");
  EXPECT_EQ(
      Instruction(R"({"instruction": "q", "output": "a", "history": [["x"]]})"),
      "history[0]: expected an instruction and its answer");
}

TEST(MessagesOfRowTest, OnlyWhatIsTrainedOnNeedsAnAnswer) {
  constexpr absl::string_view kQuestion =
      R"({"messages": [{"role": "user", "content": "q"}]})";
  EXPECT_EQ(Chat(kQuestion),
            "has no answer: none of its messages is the assistant's");
  EXPECT_EQ(Chat(kQuestion, /*needs_answer=*/false),
            R"([{"role":"user","content":"q"}])");
}

TEST(MessagesOfRowTest, ToolsThatAreNoneAreNoMistake) {
  for (const char* none : {"null", "[]", "\"\"", "\"[]\""}) {
    EXPECT_EQ(Chat(absl::StrCat(R"({"tools": )", none, R"(, "messages": )",
                                kTwo, "}")),
              kTwo);
  }
}

TEST(MessagesOfRowTest, RefusesWhatLiesTooDeep) {
  const std::string deep(200, '[');
  EXPECT_THAT(Chat(absl::StrCat(R"({"x": )", deep)),
              ::testing::HasSubstr("inside of each other"));
}

}  // namespace
}  // namespace hydra
