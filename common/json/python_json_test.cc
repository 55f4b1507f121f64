#include "common/json/python_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

std::string Refusal(absl::string_view text) {
  const auto value = ParsePythonJson(text);
  EXPECT_FALSE(value.ok()) << text;
  return std::string(value.status().message());
}

TEST(PythonJsonTest, KeepsNumbersThatOnlyPythonWrites) {
  const std::string text =
      R"({"a":Infinity,"b":[-Infinity,NaN],"c":"Infinity","d":-1e-05})";
  const auto value = ParsePythonJson(text);
  ASSERT_TRUE(value.ok()) << value.status();
  EXPECT_FALSE((*value)["a"].is_number());
  EXPECT_EQ((*value)["c"], "Infinity");
  EXPECT_EQ(WritePythonJson(*value, -1), text);
}

TEST(PythonJsonTest, KeepsTheOrderOfKeysAndSkipsAByteOrderMark) {
  const auto value =
      ParsePythonJson("\xef\xbb\xbf{\"z\": 1, \"a\": \"\\u00e9\"}");
  ASSERT_TRUE(value.ok()) << value.status();
  EXPECT_EQ(WritePythonJson(*value, -1), R"({"z":1,"a":"\u00e9"})");
}

TEST(PythonJsonTest, SaysWhereAMistakeIsAndWhatWasMeant) {
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"{\n  \"a\": 1,\n}", "line 2, column 9: a comma before '}'; remove it"},
      {"{\"a\": [1, 2, ]}", "line 1, column 12: a comma before ']'"},
      {"{\n  // by hand\n}", "line 2, column 3: a comment"},
      {"{ # by hand\n}", "line 1, column 3: a comment"},
      {"{'a': 1}", "line 1, column 2: a single quote"},
      {"{\"a\": True}", "line 1, column 7: Python's True; JSON has true"},
      {"{\"a\": None}", "Python's None; JSON has null"},
      {"{a: 1}", "line 1, column 2: the key 'a' has no quotes"},
      {"{\"a\": yes}", "line 1, column 7: found 'yes'"},
      {"{\"a\": \"b}", "line 1, column 7: a string that does not end"},
      {"{\"a\": Infinity, \"b\": NaN \"c\": 2}", "line 1, column 28: "},
      {"{\"a\": 1, \"b\": 2, \"a\": 3}", "the key 'a' is given twice"},
      {"[1]", "expected an object, {...}"},
      {"", "line 1, column 1: the text ends too early"},
      {"[1, 2", "line 1, column 6: the text ends too early, expected ']'"},
      {"{\"a\" 1}", "line 1, column 6: found a number, expected ':'"},
  };
  for (const auto& [text, answer] : mistakes) {
    EXPECT_THAT(Refusal(text), HasSubstr(answer)) << text;
  }
}

TEST(PythonJsonTest, ItsMessagesAreTextWhateverTheBytes) {
  EXPECT_THAT(Refusal("{\"a\": \"\xff\"}"), HasSubstr("\\xff"));
  const std::string key = absl::StrCat(std::string(119, 'k'), "\xc3\xa9");
  EXPECT_THAT(Refusal(absl::StrCat("{\"", key, "\": 1, \"", key, "\": 2}")),
              HasSubstr("kkk...' is given twice"));
}

TEST(PythonJsonTest, RefusesWhatWouldFillTheStack) {
  const std::string open(1'000'000, '[');
  EXPECT_THAT(Refusal(absl::StrCat("{\"a\": ", open)),
              HasSubstr("nested deeper than the 100 levels"));
}

}  // namespace
}  // namespace hydra
