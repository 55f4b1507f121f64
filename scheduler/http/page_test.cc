#include "scheduler/http/page.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/hash/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Between(const std::string& text, const std::string& begin,
                    const std::string& end) {
  const size_t from = text.find(begin);
  EXPECT_NE(from, text.npos) << begin;
  const size_t to = text.find(end, from);
  EXPECT_NE(to, text.npos) << end;
  return text.substr(from + begin.size(), to - from - begin.size());
}

TEST(PageTest, IsOneSmallFileWithoutAnythingFromElsewhere) {
  const HttpResponse page = PageResponse();
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_LT(page.body.size(), 60 << 10);
  EXPECT_THAT(page.body, Not(HasSubstr("/*STYLE*/")));
  EXPECT_THAT(page.body, Not(HasSubstr("/*SCRIPT*/")));
  EXPECT_THAT(page.body, Not(HasSubstr("<script src")));
  EXPECT_THAT(page.body, Not(HasSubstr("rel=\"stylesheet\"")));
  EXPECT_THAT(page.body, Not(HasSubstr("https://")));
  EXPECT_THAT(page.body, Not(HasSubstr("innerHTML")))
      << "what users wrote is text, never markup";
}

TEST(PageTest, ThePolicyNamesItsOwnStyleAndScript) {
  const HttpResponse page = PageResponse();
  ASSERT_EQ(page.headers.size(), 1);
  EXPECT_EQ(page.headers[0].first, "Content-Security-Policy");
  for (const char* tag : {"style", "script"}) {
    const std::string content = Between(page.body, absl::StrCat("<", tag, ">"),
                                        absl::StrCat("</", tag, ">"));
    EXPECT_FALSE(content.empty()) << tag;
    EXPECT_THAT(
        page.headers[0].second,
        HasSubstr(absl::StrCat(
            tag, "-src 'sha256-",
            absl::Base64Escape(absl::HexStringToBytes(HexSha256(content))),
            "'")));
  }
}

}  // namespace
}  // namespace hydra
