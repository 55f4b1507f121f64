#include "common/hash/crc32c.h"

#include <string>

#include "gtest/gtest.h"

namespace hydra {
namespace {

// RFC 3720, B.4.
TEST(Crc32cTest, MatchesThePublishedExamples) {
  std::string ascending;
  for (int i = 0; i < 32; ++i) ascending += static_cast<char>(i);
  const std::string descending(ascending.rbegin(), ascending.rend());
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aa);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43);
  EXPECT_EQ(Crc32c(ascending), 0x46dd794e);
  EXPECT_EQ(Crc32c(descending), 0x113fdb5c);
}

TEST(Crc32cTest, MatchesTheUsualCheck) {
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283);
  EXPECT_EQ(Crc32c(""), 0);
}

}  // namespace
}  // namespace hydra
