#include "common/text/code_points.h"

#include <string>

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(CodePointsTest, WhatIsAppendedIsReadBackFromBothEnds) {
  const char32_t code_points[] = {0,      0x7f,   0x80,    0x7ff,   0x800,
                                  0xffff, 0xd7ff, 0x10000, 0x10ffff};
  std::string text;
  for (const char32_t c : code_points) {
    AppendCodePoint(c, &text);
    EXPECT_EQ(LastCodePoint(text), c);
    EXPECT_EQ(FirstCodePoint(text), 0u);
  }
  size_t at = 0;
  for (const char32_t c : code_points) EXPECT_EQ(NextCodePoint(text, &at), c);
  EXPECT_EQ(at, text.size());
}

}  // namespace
}  // namespace hydra
