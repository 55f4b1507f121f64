#include "common/hash/fnv.h"

#include "gtest/gtest.h"

namespace hydra {
namespace {

// The values that the function's authors publish.
TEST(Fnv1aTest, HashesAsItsAuthorsSay) {
  EXPECT_EQ(Fnv1a(""), 0xcbf29ce484222325);
  EXPECT_EQ(Fnv1a("a"), 0xaf63dc4c8601ec8c);
  EXPECT_EQ(Fnv1a("foobar"), 0x85944171f73967e8);
}

TEST(Fnv1aTest, BytesHaveNoSign) { EXPECT_NE(Fnv1a("\xff"), Fnv1a("\x7f")); }

}  // namespace
}  // namespace hydra
