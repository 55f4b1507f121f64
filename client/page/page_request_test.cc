#include "client/page/page_request.h"

#include <string>

#include "gtest/gtest.h"

namespace hydra {
namespace {

constexpr char kSecret[] = "0123456789abcdef";
constexpr char kRest[] = " HTTP/1.1\r\nHost: localhost\r\n\r\n";

TEST(MakeSecretTest, IsAnotherOneEachTime) {
  const std::string secret = MakeSecret();
  EXPECT_EQ(secret.size(), 32);
  EXPECT_EQ(secret.find_first_not_of("0123456789abcdef"), secret.npos);
  EXPECT_NE(secret, MakeSecret());
}

TEST(WithoutSecretTest, TakesItOutOfThePath) {
  EXPECT_EQ(
      WithoutSecret(std::string("GET /0123456789abcdef/") + kRest, kSecret),
      std::string("GET /") + kRest);
  EXPECT_EQ(
      WithoutSecret(
          std::string("HEAD /0123456789abcdef/api/v1/jobs?state=RUNNING") +
              kRest,
          kSecret),
      std::string("HEAD /api/v1/jobs?state=RUNNING") + kRest);
}

TEST(WithoutSecretTest, IsNothingForThoseWhoDoNotKnowIt) {
  for (const char* line :
       {"GET /", "GET /0123456789abcdef", "GET /0123456789abcdeF/",
        "GET /0123456789abcde/", "GET /0123456789abcdef0/", "GET //",
        "GET /api/v1/jobs", "GET 0123456789abcdef/", "GET /x/0123456789abcdef/",
        "POST /0123456789abcdef/", "get /0123456789abcdef/",
        "GET  /0123456789abcdef/", "GET http://localhost/0123456789abcdef/",
        ""}) {
    EXPECT_EQ(WithoutSecret(std::string(line) + kRest, kSecret), std::nullopt)
        << line;
  }
}

}  // namespace
}  // namespace hydra
