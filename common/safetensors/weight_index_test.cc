#include "common/safetensors/weight_index.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra::safetensors {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::string ErrorOf(absl::string_view json) {
  const auto map = ParseWeightIndex(json);
  EXPECT_EQ(map.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(map.status().message());
}

std::string ErrorOfFile(absl::string_view json_name) {
  return ErrorOf(R"({"weight_map":{"w":)" + std::string(json_name) + "}}");
}

TEST(ParseWeightIndexTest, ReadsTheWeightMapAndIgnoresTheRest) {
  const auto map = ParseWeightIndex(
      R"({"metadata":{"total_size":1.5,"weight_map":{"x":"y"},"l":[1,{}]},)"
      R"("weight_map":{"b":"2.safetensors","a":"1.safetensors",)"
      R"("weight_map":"1.safetensors"},"more":[{"weight_map":7}],"n":null})");
  ASSERT_TRUE(map.ok()) << map.status();
  EXPECT_THAT(
      *map, ElementsAre(Pair("a", "1.safetensors"), Pair("b", "2.safetensors"),
                        Pair("weight_map", "1.safetensors")));
}

TEST(ParseWeightIndexTest, FilesMustBePlainNames) {
  for (const char* name :
       {R"("../../etc/passwd")", R"("/etc/passwd")", R"("a/b")", R"("..")",
        R"(".")", R"("")", R"("a\u0000b")", R"("a\nb")"}) {
    EXPECT_THAT(ErrorOfFile(name), HasSubstr("weight_map entry 'w': '"))
        << name;
    EXPECT_THAT(ErrorOfFile(name), HasSubstr("not a plain name")) << name;
  }
  EXPECT_THAT(ErrorOfFile("\"" + std::string(256, 'a') + "\""),
              HasSubstr("aaa...' is not"));
}

TEST(ParseWeightIndexTest, WhatIsNoWeightMapIsRefused) {
  EXPECT_EQ(ErrorOf("{}"), "there is no weight_map");
  EXPECT_EQ(ErrorOf(R"({"weight_map":[]})"), "weight_map must be an object");
  EXPECT_EQ(ErrorOf(R"({"weight_map":"a"})"), "weight_map must be an object");
  EXPECT_EQ(ErrorOf(R"({"weight_map":{},"weight_map":{}})"),
            "weight_map comes twice");
  EXPECT_EQ(ErrorOf(R"({"weight_map":{"w":"a","w":"a"}})"),
            "weight_map entry 'w': comes twice");
  EXPECT_EQ(ErrorOfFile("1"), "weight_map entry 'w': expected a file name");
  EXPECT_EQ(ErrorOfFile("{}"), "weight_map entry 'w': expected a file name");
  EXPECT_THAT(ErrorOf("{\"weight_map\":{"), HasSubstr("at byte 15"));
}

}  // namespace
}  // namespace hydra::safetensors
