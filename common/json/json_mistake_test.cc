#include "common/json/json_mistake.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace hydra {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What is said of `text`, as the library that is there refuses it.
std::string MistakeIn(const std::string& text) {
  try {
    const auto value = nlohmann::json::parse(text);
    ADD_FAILURE() << text << " is " << value;
  } catch (const nlohmann::json::exception& error) {
    return JsonMistake(error.what());
  }
  return "";
}

TEST(JsonMistakeTest, SaysWhatWasFoundAndExpected) {
  EXPECT_EQ(MistakeIn(""), "the text ends too early, expected a value");
  EXPECT_EQ(MistakeIn("{"), "the text ends too early, expected a string");
  EXPECT_EQ(MistakeIn("{\"a\" 1}"), "found a number, expected ':'");
  EXPECT_EQ(MistakeIn("[1 2]"), "found a number, expected ']'");
  EXPECT_EQ(MistakeIn("[,]"), "found ',', expected a value");
  EXPECT_EQ(MistakeIn("{} x"), "what stands here is no value of JSON");
  EXPECT_EQ(MistakeIn("{} []"), "found '[', expected the end");
  EXPECT_EQ(MistakeIn("hello"), "what stands here is no value of JSON");
  EXPECT_EQ(MistakeIn("[tru]"), "what stands here is no value of JSON");
  EXPECT_EQ(MistakeIn("[1e999]"), "a number that is too large");
  EXPECT_EQ(MistakeIn("\"abc"), "a string that does not end");
  EXPECT_THAT(MistakeIn("[-x]"), HasSubstr("in the number '-x': "));
  EXPECT_THAT(MistakeIn("[\"a\xff\"]"),
              HasSubstr("in the string '\"a\\xff': "));
}

TEST(JsonMistakeTest, IsShortAndPrintableWhateverTheText) {
  for (const std::string& text :
       {"\"" + std::string(1'000'000, '\x01'), std::string("\x1b[31m"),
        "[\"" + std::string(1'000'000, 'a') + "\n\"]",
        std::string("[\"; last read: '; expected \n\"]")}) {
    const std::string mistake = MistakeIn(text);
    EXPECT_LT(mistake.size(), 1000);
    EXPECT_THAT(mistake, Not(HasSubstr("json.exception")));
    EXPECT_THAT(mistake, Not(HasSubstr("syntax error")));
    EXPECT_EQ(mistake.find_first_of("\x1b\n\x01"), mistake.npos);
  }
}

}  // namespace
}  // namespace hydra
