#include "worker/data/token_header.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

std::string Encoded() {
  TokenHeader header;
  header.token_count = (int64_t{1} << 40) + 5;
  header.max_token_id = 50256;
  header.content_hash = std::string(32, 'h');
  return EncodeTokenHeader(header);
}

TEST(TokenHeaderTest, ComesBackAsItWasWritten) {
  const std::string bytes = Encoded();
  ASSERT_EQ(bytes.size(), TokenHeader::kBytes);
  const auto header = DecodeTokenHeader(bytes + "ids");
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->token_count, (int64_t{1} << 40) + 5);
  EXPECT_EQ(header->max_token_id, 50256);
  EXPECT_EQ(header->content_hash, std::string(32, 'h'));
}

TEST(TokenHeaderTest, EveryFlippedBitIsNoticed) {
  for (int bit = 0; bit < TokenHeader::kBytes * 8; ++bit) {
    std::string bytes = Encoded();
    bytes[bit / 8] ^= 1 << bit % 8;
    EXPECT_EQ(DecodeTokenHeader(bytes).status().code(),
              absl::StatusCode::kDataLoss)
        << "bit " << bit;
  }
}

TEST(TokenHeaderTest, MarkedOnesHaveCountsToo) {
  TokenHeader header;
  header.token_count = 1000;
  header.max_token_id = 7;
  header.content_hash = std::string(32, 'h');
  header.marked = MarkedTokens{9, 900, 12, 4, 77, 3};
  const std::string bytes = EncodeTokenHeader(header);
  ASSERT_EQ(bytes.size(), TokenHeader::kMarkedBytes);
  const auto decoded = DecodeTokenHeader(bytes + "ids");
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  ASSERT_TRUE(decoded->marked.has_value());
  EXPECT_EQ(decoded->token_count, 1000);
  EXPECT_EQ(decoded->bytes(), TokenHeader::kMarkedBytes);
  EXPECT_EQ(decoded->marked->row_count, 9);
  EXPECT_EQ(decoded->marked->trained_count, 900);
  EXPECT_EQ(decoded->marked->read_rows, 12);
  EXPECT_EQ(decoded->marked->cut_rows, 4);
  EXPECT_EQ(decoded->marked->cut_tokens, 77);
  EXPECT_EQ(decoded->marked->dropped_rows, 3);
  for (int bit = 0; bit < TokenHeader::kMarkedBytes * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] ^= 1 << bit % 8;
    EXPECT_EQ(DecodeTokenHeader(flipped).status().code(),
              absl::StatusCode::kDataLoss)
        << "bit " << bit;
  }
  header.marked->row_count = 1001;
  EXPECT_THAT(DecodeTokenHeader(EncodeTokenHeader(header)).status().message(),
              HasSubstr("1001 rows"));
}

TEST(TokenHeaderTest, SaysWhatIsWrong) {
  EXPECT_THAT(DecodeTokenHeader("HYDRATOK").status().message(),
              HasSubstr("has 8 bytes"));
  EXPECT_THAT(DecodeTokenHeader(std::string(64, 'x')).status().message(),
              HasSubstr("not a prepared token file"));
  std::string bytes = Encoded();
  bytes[8] = 9;
  EXPECT_THAT(DecodeTokenHeader(bytes).status().message(),
              HasSubstr("version 9, expected 1"));
}

// The ids' bytes wrapped to 0, which is what the file has.
TEST(TokenHeaderTest, RefusesMoreTokensThanHaveASizeInBytes) {
  TokenHeader header;
  header.token_count = int64_t{1} << 62;
  header.content_hash = std::string(32, 'h');
  EXPECT_THAT(DecodeTokenHeader(EncodeTokenHeader(header)).status().message(),
              HasSubstr("4611686018427387904 tokens"));
}

}  // namespace
}  // namespace hydra
