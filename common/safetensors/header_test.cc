#include "common/safetensors/header.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra::safetensors {
namespace {

using testing::ElementsAre;

std::string LengthError(absl::string_view prefix, int64_t file_bytes) {
  const absl::StatusOr<int64_t> length = ParseHeaderLength(prefix, file_bytes);
  EXPECT_EQ(length.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(length.status().message());
}

std::string HeaderError(const std::string& header, int64_t data_bytes) {
  const absl::StatusOr<TensorTable> table =
      ParseHeader(header, kLengthPrefixBytes + header.size() + data_bytes);
  EXPECT_EQ(table.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(table.status().message());
}

TEST(ParseHeaderLengthTest, IsLittleEndian) {
  const absl::StatusOr<int64_t> length =
      ParseHeaderLength(absl::string_view("\x02\x01\0\0\0\0\0\0", 8), 1000);
  ASSERT_TRUE(length.ok()) << length.status();
  EXPECT_EQ(*length, 258);
}

TEST(ParseHeaderLengthTest, LengthsThatLieAreRefusedWithTheNumbers) {
  EXPECT_EQ(LengthError("abc", 3),
            "the file has 3 B, the length of a header alone takes 8 B");
  EXPECT_EQ(LengthError(absl::string_view("\x11\0\0\0\0\0\0\0", 8), 24),
            "the length at byte 0 says that the header has 17 B, the file has "
            "16 B behind it");
  EXPECT_EQ(LengthError(absl::string_view("\0\0\0\0\0\0\0\x80", 8), 24),
            "the length at byte 0 says that the header has "
            "9223372036854775808 B, at most 100000000 B are allowed");
}

TEST(ParseHeaderTest, TensorsComeInTheOrderOfTheirDataWithPlacesInTheFile) {
  const std::string header =
      R"({"b":{"dtype":"F32","shape":[2,1],"data_offsets":[2,10]},)"
      R"("s":{"dtype":"F16","shape":[],"data_offsets":[0,2]},)"
      R"("e":{"dtype":"F32","shape":[0,7],"data_offsets":[2,2]}})";
  const int64_t data_begin = 8 + header.size();
  const absl::StatusOr<TensorTable> table =
      ParseHeader(header, data_begin + 10);
  ASSERT_TRUE(table.ok()) << table.status();
  ASSERT_EQ(table->tensors().size(), 3);
  EXPECT_EQ(table->tensors()[0].name, "s");
  EXPECT_EQ(table->tensors()[0].elements, 1);
  EXPECT_EQ(table->tensors()[1].name, "e");
  EXPECT_EQ(table->tensors()[1].elements, 0);

  const TensorInfo* last = table->Find("b");
  ASSERT_EQ(last, &table->tensors()[2]);
  EXPECT_EQ(last->dtype, Dtype::kF32);
  EXPECT_THAT(last->shape, ElementsAre(2, 1));
  EXPECT_EQ(last->elements, 2);
  EXPECT_EQ(last->offset_bytes, data_begin + 2);
  EXPECT_EQ(last->size_bytes, 8);
  EXPECT_EQ(table->Find("c"), nullptr);
}

TEST(ParseHeaderTest, OfANameThatComesTwiceTheLaterOneCounts) {
  const std::string header =
      R"({"a":{"dtype":"U8","shape":[9],"data_offsets":[5,9]},)"
      R"("a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})";
  const absl::StatusOr<TensorTable> table =
      ParseHeader(header, 8 + header.size() + 3);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->tensors().size(), 1);
  EXPECT_EQ(table->Find("a")->size_bytes, 3);
}

TEST(ParseHeaderTest, ErrorsNameTheTensorWithTheNumbersThatDoNotAgree) {
  EXPECT_EQ(HeaderError(R"({"a":["U8",[4],[0,4]],"b":["U8",[4],[5,9]]})", 9),
            "tensor 'b': its data begins at 5, but the data before it ends "
            "at 4");
  EXPECT_EQ(HeaderError(R"({"a":["U8",[4],[0,4]],"b":["U8",[4],[3,7]]})", 7),
            "tensor 'b': its data begins at 3, but the data before it ends "
            "at 4");
  EXPECT_EQ(HeaderError(R"({"a":["F32",[2,3],[0,20]]})", 20),
            "tensor 'a': shape [2,3] of F32 needs 24 B, data_offsets [0,20] "
            "hold 20 B");
  EXPECT_EQ(HeaderError(R"({"a":["U8",[9],[0,9]]})", 8),
            "tensor 'a': its data ends at 9, the file holds 8 B of data");
  EXPECT_EQ(HeaderError(R"({"a":["U8",[4294967296,4294967296],[0,0]]})", 0),
            "tensor 'a': shape [4294967296,4294967296] of U8 has more than "
            "2^64 - 1 elements");
  EXPECT_EQ(HeaderError(R"({"a":["F64",[2305843009213693952],[0,0]]})", 0),
            "tensor 'a': shape [2305843009213693952] of F64 has more than "
            "2^64 - 1 bits");
  EXPECT_EQ(HeaderError(R"({"a":["F4",[3],[0,2]]})", 2),
            "tensor 'a': shape [3] of F4 has 12 bits, not whole bytes");
  EXPECT_EQ(HeaderError(R"({"a":["U8",[4],[0,4]]})", 6),
            "the tensors end at byte 34 of the file, the file at byte 36");
}

}  // namespace
}  // namespace hydra::safetensors
