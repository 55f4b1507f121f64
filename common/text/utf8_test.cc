#include "common/text/utf8.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace hydra {
namespace {

std::string Repaired(absl::string_view text) {
  std::string storage;
  return std::string(RepairUtf8(text, &storage));
}

TEST(RepairUtf8Test, WellFormedTextIsNotCopied) {
  const std::string text = "a\u00e9\u20ac\U0001f600";
  std::string storage;
  EXPECT_EQ(RepairUtf8(text, &storage).data(), text.data());
}

// Expectations from Python's bytes.decode("utf-8", errors="replace").
TEST(RepairUtf8Test, ReplacesEachMaximalIllFormedPart) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"\xff", "?"},
      {"a\x80"
       "b",
       "a?b"},
      {"\xc0\x80", "??"},
      {"\xc3(", "?("},
      {"\xe2\x82", "?"},
      {"\xe2\x82 x", "? x"},
      {"\xe2\x28\xa1", "?(?"},
      {"\xe0\x80\x80", "???"},
      {"\xed\xa0\x80", "???"},
      {"\xf0\x9f\x98"
       "a",
       "?a"},
      {"\xf0\x9f\xf0\x9f\x98\x80", "?\U0001f600"},
      {"\xf4\x90\x80\x80", "????"},
      {"\xf8\x88\x80\x80\x80", "?????"},
  };
  for (const auto& [text, pattern] : cases) {
    std::string expected;
    for (const char c : pattern) {
      if (c == '?') {
        expected += "\xEF\xBF\xBD";
      } else {
        expected += c;
      }
    }
    EXPECT_EQ(Repaired(text), expected) << ::testing::PrintToString(text);
  }
}

}  // namespace
}  // namespace hydra
