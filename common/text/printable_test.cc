#include "common/text/printable.h"

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(PrintableTest, NeutralisesTerminalSequencesAndKeepsText) {
  EXPECT_EQ(Printable("a\x1b[31mb\x07"), "a\\x1b[31mb\\x07");
  EXPECT_EQ(Printable("one\ntwo\tthree\r"), "one\\ntwo\\tthree\\r");
  EXPECT_EQ(Printable("Grüße, 世界 😀"), "Grüße, 世界 😀");
  EXPECT_EQ(Printable("it's \\ \""), "it's \\ \"");
}

TEST(PrintableTest, EscapesEightBitControlsAndDirectionMarks) {
  EXPECT_EQ(Printable("\xC2\x9B"
                      "31m"),
            "\\u{009b}31m");
  EXPECT_EQ(Printable("\xE2\x80\xAE"
                      "abc"),
            "\\u{202e}abc");
}

TEST(PrintableTest, EscapesBytesThatAreNoUtf8) {
  EXPECT_EQ(Printable("\xFF"
                      "a"),
            "\\xffa");
  EXPECT_EQ(Printable("\xC3"), "\\xc3");
  EXPECT_EQ(Printable("\xC0\x80"), "\\xc0\\x80") << "an overlong zero";
  EXPECT_EQ(Printable("\xED\xA0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
}

TEST(PrintableTest, ZeroIsAControlCharacter) {
  EXPECT_EQ(Printable(absl::string_view("a\0b", 3)), "a\\x00b");
}

TEST(PrintableLinesTest, KeepsLinesAlone) {
  EXPECT_EQ(PrintableLines("one\ntwo\x1b\t"), "one\ntwo\\x1b\\t");
}

TEST(PrintableStartTest, CutsLongTextBetweenCharacters) {
  EXPECT_EQ(PrintableStart(std::string(120, 'a')), std::string(120, 'a'));
  EXPECT_EQ(PrintableStart(std::string(119, 'a') + "öö"),
            std::string(119, 'a') + "...");
  EXPECT_EQ(PrintableStart(std::string(1'000'000, '\x80')).size(), 120 * 4 + 3);
}

TEST(QuotedTest, CanBeToldFromTheTextAround) {
  EXPECT_EQ(Quoted("a\nb\x01"), "'a\\nb\\x01'");
  EXPECT_EQ(Quoted("größe"), "'größe'");
  EXPECT_EQ(Quoted("it's \\n"), "'it\\'s \\\\n'");
  EXPECT_EQ(Quoted(std::string(121, 'a')),
            "'" + std::string(120, 'a') + "...'");
}

}  // namespace
}  // namespace hydra
