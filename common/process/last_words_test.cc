#include "common/process/last_words.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace hydra {
namespace {

TEST(LastWordsTest, AreTheLastLines) {
  EXPECT_EQ(LastWords(""), "");
  EXPECT_EQ(LastWords("cannot open shared object file\n"),
            "cannot open shared object file");
  EXPECT_EQ(LastWords("a warning\n1\n2\n\n3\n"), "1 | 2 | 3");
}

TEST(LastWordsTest, StackTracesAreNotAmongThem) {
  EXPECT_EQ(LastWords("F0101 pool.cc:7] Check failed: a == b\n"
                      "*** Check failure stack trace: ***\n"
                      "    @     0x7f  google::LogMessage::Fail()\n"
                      "PC: @  0x0 (unknown)\n"),
            "F0101 pool.cc:7] Check failed: a == b");
}

TEST(LastWordsTest, AreShortAndPlainText) {
  EXPECT_EQ(LastWords("\x1b[31mred \xff"), "?[31mred ?");
  EXPECT_EQ(LastWords(std::string(5000, 'x')).size(), 600);
}

TEST(ErrorTextTest, KeepsTheEndOfWhatWasWritten) {
  const ErrorText text;
  EXPECT_EQ(text.Tail(), "");
  const std::string much(10'000, 'x');
  ASSERT_EQ(write(text.fd(), much.data(), much.size()), much.size());
  ASSERT_EQ(write(text.fd(), "end", 3), 3);
  EXPECT_EQ(text.Tail().size(), 8 << 10);
  EXPECT_EQ(text.Tail().substr((8 << 10) - 4), "xend");
}

}  // namespace
}  // namespace hydra
