#include "common/jobfile/byte_size.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(ParseByteSizeTest, ReadsNumbersWithAndWithoutUnits) {
  const struct {
    absl::string_view text;
    int64_t bytes;
  } kCases[] = {
      {"0", 0},
      {"65536", 65536},
      {"7B", 7},
      {"512MiB", 536'870'912},
      {"8 GiB", 8'589'934'592},
      {"1GB", 1'000'000'000},
      {"3kb", 3'000},
      {"4kib", 4'096},
      {"1.5GiB", 1'610'612'736},
      {"2TiB", 2'199'023'255'552},
      {"9223372036854775807", INT64_MAX},
  };
  for (const auto& test : kCases) {
    const absl::StatusOr<int64_t> bytes = ParseByteSize(test.text);
    ASSERT_TRUE(bytes.ok()) << test.text << ": " << bytes.status();
    EXPECT_EQ(*bytes, test.bytes) << test.text;
  }
}

TEST(ParseByteSizeTest, RefusesEverythingElse) {
  for (absl::string_view text :
       {"", "GiB", "-1", "1e9", "8G", "8Gibi", "1.5", "0.3KB ish", "1.2.3MiB",
        "9223372036854775808", "8388608TiB", "0x10", "nan", "inf"}) {
    EXPECT_FALSE(ParseByteSize(text).ok()) << text;
  }
}

TEST(ParseByteSizeTest, SaysWhatWouldBeRight) {
  EXPECT_EQ(ParseByteSize("8G").status().message(),
            "expected a size such as 512MiB, 8GiB, 1GB or 65536, found '8G'");
}

}  // namespace
}  // namespace hydra
