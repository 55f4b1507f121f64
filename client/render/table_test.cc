#include "client/render/table.h"

#include "client/render/format.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

Table Jobs() {
  Table table({{"JOB"}, {"NAME", false, /*flexible=*/true}, {"STEP", true}});
  table.AddRow({"j1", "a-rather-long-name", "7"});
  table.AddRow({"j12", "b", "1234"});
  return table;
}

TEST(TableTest, AlignsColumns) {
  EXPECT_EQ(Jobs().Render(/*width=*/0, /*color=*/false),
            "JOB  NAME                STEP\n"
            "j1   a-rather-long-name     7\n"
            "j12  b                   1234\n");
}

TEST(TableTest, NarrowsTheFlexibleColumnFirst) {
  EXPECT_EQ(Jobs().Render(/*width=*/21, /*color=*/false),
            "JOB  NAME        STEP\n"
            "j1   a-rather-…     7\n"
            "j12  b           1234\n");
}

TEST(TableTest, NeverExceedsTheWidth) {
  for (int width = 1; width < 40; ++width) {
    for (const std::string& line : Jobs().Lines(width, /*color=*/false)) {
      EXPECT_LE(DisplayWidth(line), width) << line;
    }
  }
}

TEST(TableTest, EscapesWhatItIsGiven) {
  Table table({{"NAME"}});
  table.AddRow({"evil\x1b[2J\nname"});
  EXPECT_EQ(table.Render(0, false), "NAME\nevil\\x1b[2J\\nname\n");
}

TEST(TableTest, ColoursOnlyWhenAsked) {
  Table table({{"STATE"}});
  table.AddRow({Cell("failed", Style::kRed)});
  EXPECT_EQ(table.Render(0, false), "STATE\nfailed\n");
  EXPECT_EQ(table.Render(0, true),
            "\033[2mSTATE\033[0m\n\033[31mfailed\033[0m\n");
}

}  // namespace
}  // namespace hydra
