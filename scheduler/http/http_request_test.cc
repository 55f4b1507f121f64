#include "scheduler/http/http_request.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(ParseHttpTargetTest, TakesPathAndParametersApart) {
  const auto request =
      ParseHttpTarget("/api/v1/jobs?state=RUNNING&page_token=s1%2Fj2&empty=&x");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->path, "/api/v1/jobs");
  EXPECT_THAT(request->query,
              UnorderedElementsAre(Pair("state", "RUNNING"),
                                   Pair("page_token", "s1/j2"),
                                   Pair("empty", ""), Pair("x", "")));
  EXPECT_TRUE(ParseHttpTarget("/?")->query.empty());
  EXPECT_EQ(ParseHttpTarget("/a+b")->path, "/a+b") << "a plus is no space";
  EXPECT_EQ(ParseHttpTarget("/%C3%A4")->path, "/ä");
}

TEST(ParseHttpTargetTest, RefusesWhatIsNoTarget) {
  const struct {
    std::string target;
    std::string why;
  } kCases[] = {
      {"", "begins with /"},
      {"*", "begins with /"},
      {"http://localhost/", "begins with /"},
      {"/%", "two hexadecimal digits"},
      {"/%4", "two hexadecimal digits"},
      {"/%4g", "two hexadecimal digits"},
      {"/?a=%zz", "two hexadecimal digits"},
      {"/%00", "without control characters"},
      {"/%0d%0aSet-Cookie:x", "without control characters"},
      {"/?a=%0a", "without control characters"},
      {"/%ff", "UTF-8"},
      {"/?a=1&a=2", "'a' twice"},
      {"/?a=1&%61=2", "'a' twice"},
      {"/?1&2&3&4&5&6&7&8&9", "at most 8 parameters"},
      {absl::StrCat("/", std::string(kMostTargetBytes, 'a')), "2048 bytes"},
  };
  for (const auto& [target, why] : kCases) {
    const auto request = ParseHttpTarget(target);
    EXPECT_EQ(request.status().code(), absl::StatusCode::kInvalidArgument)
        << target;
    EXPECT_THAT(std::string(request.status().message()), HasSubstr(why))
        << target;
  }
}

TEST(IsOwnHostTest, NamesOfThisMachineAlone) {
  for (absl::string_view host :
       {"localhost", "LocalHost:80", "127.0.0.1", "127.0.0.1:9464",
        "127.8.9.1:1", "[::1]", "[::1]:9464"}) {
    EXPECT_TRUE(IsOwnHost(host)) << host;
  }
  for (absl::string_view host :
       {"", ":80", "attacker.example", "attacker.example:9464",
        "localhost.attacker.example", "127.0.0.1.attacker.example", "128.0.0.1",
        "0.0.0.0", "127.1", "::1", "[::1", "[::2]:80",
        "localhost:", "localhost:x", "localhost:-1", "localhost:99999",
        "localhost:80:80", "localhost "}) {
    EXPECT_FALSE(IsOwnHost(host)) << host;
  }
  EXPECT_FALSE(IsOwnHost(absl::string_view("127.0.0.1\0.example", 18)));
}

TEST(ParameterTest, NumbersHaveBounds) {
  const auto request = ParseHttpTarget("/?tail=12&other=x&last=101&minus=-1");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(IntegerParameter(*request, "tail", 5, 1, 100).value(), 12);
  EXPECT_EQ(IntegerParameter(*request, "none", 5, 1, 100).value(), 5);
  for (absl::string_view name : {"other", "last", "minus"}) {
    EXPECT_THAT(
        std::string(
            IntegerParameter(*request, name, 5, 1, 100).status().message()),
        HasSubstr(
            absl::StrCat(name, ": expected a whole number from 1 to 100")));
  }
  EXPECT_EQ(TextParameter(*request, "other"), "x");
  EXPECT_EQ(TextParameter(*request, "none"), "");
}

}  // namespace
}  // namespace hydra
