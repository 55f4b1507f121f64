#include "common/model/table_ranges.h"

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(TableRangesTest, CoverTheTableInAboutEqualRanges) {
  for (int64_t rows : {1, 97, 8192, 8193, 9000, 50257, 128256}) {
    SCOPED_TRACE(rows);
    const std::vector<RowRange> ranges = TableRanges(rows);
    int64_t next = 0;
    for (const RowRange& range : ranges) {
      EXPECT_EQ(range.first, next);
      EXPECT_EQ(range.first % 16, 0);
      EXPECT_GT(range.count(), 0);
      EXPECT_LE(range.count(), ranges.front().count());
      next = range.last;
    }
    EXPECT_EQ(next, rows);
    EXPECT_LE(ranges.front().count(), kTableRangeRows);
    EXPECT_LE(ranges.size(), rows / kTableRangeRows + 1);
  }
}

TEST(TableRangesTest, Gpt2sTableHasSeven) {
  const std::vector<RowRange> ranges = TableRanges(50257);
  ASSERT_EQ(ranges.size(), 7);
  EXPECT_EQ(ranges.front().count(), 7184);
  EXPECT_EQ(ranges.back().count(), 7153);
}

}  // namespace
}  // namespace hydra
