#include "scheduler/journal/record_checksum.h"

#include "gtest/gtest.h"

namespace hydra {
namespace {

// Files hold it.
TEST(RecordChecksumTest, StaysTheSameForEver) {
  EXPECT_EQ(RecordChecksum("jobs").Of(1, 2, "three"), -2865203963332179749);
}

TEST(RecordChecksumTest, CoversTableKeyAndValue) {
  const int64_t checksum = RecordChecksum("jobs").Of(1, 2, "value");
  EXPECT_NE(RecordChecksum("steps").Of(1, 2, "value"), checksum);
  EXPECT_NE(RecordChecksum("jobs").Of(2, 2, "value"), checksum);
  EXPECT_NE(RecordChecksum("jobs").Of(2, 1, "value"), checksum);
  EXPECT_NE(RecordChecksum("jobs").Of(1, 2, "value "), checksum);
}

}  // namespace
}  // namespace hydra
