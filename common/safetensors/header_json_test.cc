#include "common/safetensors/header_json.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra::safetensors {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::string ErrorOf(absl::string_view text) {
  const absl::StatusOr<HeaderJson> header = ParseHeaderJson(text);
  EXPECT_EQ(header.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(header.status().message());
}

TEST(ParseHeaderJsonTest, ReadsTensorsInTheOrderOfTheTextAndMetadata) {
  const absl::StatusOr<HeaderJson> header = ParseHeaderJson(
      R"({"b":{"dtype":"BF16","shape":[2,3],"data_offsets":[4,16]},)"
      R"("__metadata__":{"format":"pt"},"a":["U8",[],[0,1]]})");
  ASSERT_TRUE(header.ok()) << header.status();
  ASSERT_EQ(header->entries.size(), 2);
  const HeaderEntry& first = header->entries[0];
  EXPECT_EQ(first.name, "b");
  EXPECT_EQ(first.dtype, Dtype::kBF16);
  EXPECT_THAT(first.shape, ElementsAre(2, 3));
  EXPECT_EQ(first.begin, 4);
  EXPECT_EQ(first.end, 16);
  EXPECT_EQ(header->entries[1].dtype, Dtype::kU8);
  EXPECT_THAT(header->metadata, ElementsAre(Pair("format", "pt")));
}

TEST(ParseHeaderJsonTest, FieldsOutsideOfTheFormatAreIgnored) {
  const absl::StatusOr<HeaderJson> header = ParseHeaderJson(
      R"({"a":{"x":{"dtype":[7]},"dtype":"U8","y":[[1,{}]],"shape":[1],)"
      R"("z":null,"data_offsets":[0,1]}})");
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->entries[0].dtype, Dtype::kU8);
}

TEST(ParseHeaderJsonTest, ErrorsNameTheTensorAndTheField) {
  EXPECT_EQ(ErrorOf(R"({"w":{"dtype":"F7","shape":[],"data_offsets":[0,1]}})"),
            "tensor 'w': unknown dtype 'F7'");
  EXPECT_EQ(ErrorOf(R"({"w":{"dtype":"F32","shape":[]}})"),
            "tensor 'w': data_offsets is missing");
  EXPECT_EQ(ErrorOf(R"({"w":{"dtype":"F32","dtype":"F32"}})"),
            "tensor 'w': dtype comes twice");
  EXPECT_EQ(ErrorOf(R"({"w":{"shape":[-1]}})"),
            "tensor 'w': a dimension must be an integer from 0 to 2^64 - 1");
  EXPECT_EQ(ErrorOf(R"({"w":{"data_offsets":[0]}})"),
            "tensor 'w': data_offsets must be two integers");
  EXPECT_EQ(
      ErrorOf(R"({"w":null})"),
      "tensor 'w': expected an object with dtype, shape and data_offsets");
  EXPECT_EQ(ErrorOf(R"({"w":["U8",[],[0,1],2]})"),
            "tensor 'w': an array must be dtype, shape and data_offsets "
            "alone");
}

TEST(ParseHeaderJsonTest, MetadataIsOneObjectOfStrings) {
  EXPECT_EQ(ErrorOf(R"({"__metadata__":{"a":1}})"),
            "'__metadata__': values must be strings");
  EXPECT_EQ(ErrorOf(R"({"__metadata__":[]})"),
            "'__metadata__': expected an object");
  EXPECT_EQ(ErrorOf(R"({"__metadata__":{},"__metadata__":{}})"),
            "'__metadata__': comes twice");
}

TEST(ParseHeaderJsonTest, BytesAreCountedFromTheBeginOfTheFile) {
  EXPECT_THAT(ErrorOf("{]"), HasSubstr("at byte 9"));
}

}  // namespace
}  // namespace hydra::safetensors
