#include "common/safetensors/header_text.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra::safetensors {
namespace {

using testing::HasSubstr;

std::string ErrorOf(const std::vector<TensorSpec>& tensors) {
  const absl::StatusOr<HeaderText> text = MakeHeaderText(tensors, {});
  EXPECT_EQ(text.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(text.status().message());
}

TEST(MakeHeaderTextTest, IsTheReferencesTextPaddedWithSpacesToEightBytes) {
  const absl::StatusOr<HeaderText> text = MakeHeaderText(
      {{"w", Dtype::kF32, {2, 2}}, {"s", Dtype::kF16, {}}}, {{"format", "pt"}});
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(text->bytes,
            std::string("\x90\0\0\0\0\0\0\0", 8) +
                R"({"__metadata__":{"format":"pt"},)"
                R"("w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
                R"("s":{"dtype":"F16","shape":[],"data_offsets":[16,18]}})"
                "  ");
  EXPECT_EQ(text->bytes.size() % 8, 0);
  EXPECT_EQ(text->file_bytes, text->bytes.size() + 18);
  EXPECT_EQ(text->table.Find("s")->offset_bytes, text->bytes.size() + 16);
}

TEST(MakeHeaderTextTest, NamesAreEscapedWhereJsonNeedsIt) {
  const std::string name = "a\"\\\n\x7f\xe2\x82\xac";
  const absl::StatusOr<HeaderText> text =
      MakeHeaderText({{name, Dtype::kU8, {1}}}, {});
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(text->table.tensors()[0].name, name);
}

TEST(MakeHeaderTextTest, TensorsThatNoReaderWouldTakeAreRefused) {
  EXPECT_THAT(ErrorOf({{"a", Dtype::kU8, {1}}, {"a", Dtype::kU8, {2}}}),
              HasSubstr("comes twice"));
  EXPECT_THAT(ErrorOf({{"\xff", Dtype::kU8, {1}}}), HasSubstr("not UTF-8"));
  EXPECT_THAT(ErrorOf({{"__metadata__", Dtype::kU8, {1}}}),
              HasSubstr("reserved"));
  EXPECT_THAT(ErrorOf({{"a", Dtype::kU8, {3, -1}}}), HasSubstr("negative"));
  EXPECT_THAT(ErrorOf({{"a", Dtype::kF32, {1LL << 40, 1LL << 40}}}),
              HasSubstr("more than 2^63 - 1 bits"));
  EXPECT_THAT(ErrorOf({{"a", Dtype::kF4, {1}}}), HasSubstr("not whole bytes"));
  EXPECT_THAT(ErrorOf({{std::string(100000001, 'a'), Dtype::kU8, {1}}}),
              HasSubstr("at most 100000000 B of header"));
}

}  // namespace
}  // namespace hydra::safetensors
