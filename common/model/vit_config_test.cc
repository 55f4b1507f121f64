#include "common/model/vit_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kSmall[] = R"({
  "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4,
  "intermediate_size": 128)";
constexpr char kSizes[] = R"(, "image_size": 16, "patch_size": 4)";

std::string With(const std::string& more) {
  return absl::StrCat(kSmall, more, "}");
}

VitConfig Parse(const std::string& more) {
  const absl::StatusOr<VitConfig> config = ParseVitConfig(With(more));
  EXPECT_TRUE(config.ok()) << config.status();
  return config.value_or(VitConfig());
}

std::string ErrorOf(const std::string& more) {
  const absl::Status status = ParseVitConfig(With(more)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << more;
  return std::string(status.message());
}

TEST(ParseVitConfigTest, ReadsDimensionsAndFillsDefaults) {
  const VitConfig config = Parse(kSizes);
  EXPECT_EQ(config.hidden_size, 64);
  EXPECT_EQ(config.num_hidden_layers, 3);
  EXPECT_EQ(config.num_attention_heads, 4);
  EXPECT_EQ(config.intermediate_size, 128);
  EXPECT_EQ(config.patches(), 16);
  EXPECT_EQ(config.patch_numbers(), 48);
  EXPECT_EQ(config.num_labels, 2);
  EXPECT_EQ(config.layer_norm_eps, 1e-12);
  EXPECT_TRUE(config.qkv_bias);
  EXPECT_EQ(config.hidden_dropout_prob, 0);
}

TEST(ParseVitConfigTest, SidesMayDiffer) {
  const VitConfig config =
      Parse(R"(, "image_size": [32, 8], "patch_size": [4, 2],
               "num_channels": 1)");
  EXPECT_EQ(config.image_height, 32);
  EXPECT_EQ(config.image_width, 8);
  EXPECT_EQ(config.patches(), 32);
  EXPECT_EQ(config.patch_numbers(), 8);
}

TEST(ParseVitConfigTest, ClassesAreThoseOfId2label) {
  EXPECT_EQ(Parse(absl::StrCat(kSizes, R"(, "id2label": {"0": "a", "1": "b",
                                            "2": "c"})"))
                .num_labels,
            3);
  EXPECT_EQ(Parse(absl::StrCat(kSizes, R"(, "num_labels": 7)")).num_labels, 7);
  EXPECT_THAT(ErrorOf(absl::StrCat(kSizes, R"(, "id2label": {"0": "a"})")),
              HasSubstr("id2label: found 1 classes; at least 2"));
  EXPECT_THAT(ErrorOf(absl::StrCat(kSizes, R"(, "id2label": 3)")),
              HasSubstr("id2label: found 3; an object"));
}

TEST(ParseVitConfigTest, PatchesMustCoverTheImage) {
  EXPECT_THAT(ErrorOf(R"(, "image_size": 16, "patch_size": 5)"),
              HasSubstr("patch_size: found 5 x 5; its sides must divide "
                        "image_size, 16 x 16"));
  EXPECT_THAT(ErrorOf(R"(, "image_size": [16], "patch_size": 4)"),
              HasSubstr("image_size: found an array"));
  EXPECT_THAT(ErrorOf(R"(, "image_size": 16)"), HasSubstr("patch_size"));
}

TEST(ParseVitConfigTest, ThereAreNoMorePatchesThanCanBeCountedWith) {
  EXPECT_EQ(Parse(R"(, "image_size": 4096, "patch_size": 16)").patches(),
            65'536);
  EXPECT_THAT(ErrorOf(R"(, "image_size": [4096, 4112], "patch_size": 16)"),
              HasSubstr("patch_size: found 16 x 16; image_size, 4096 x 4112, "
                        "has 65792 such patches; 65536 are the most"));
  EXPECT_THAT(ErrorOf(R"(, "image_size": 16384, "patch_size": 1)"),
              HasSubstr("has 268435456 such patches"));
}

TEST(ParseVitConfigTest, RefusesWhatItsLayersDoNotCompute) {
  EXPECT_THAT(ErrorOf(absl::StrCat(kSizes, R"(, "hidden_act": "gelu_new",
                        "problem_type": "regression", "layer_norm_eps": -1)")),
              AllOf(HasSubstr("hidden_act: found \"gelu_new\""),
                    HasSubstr("problem_type: found \"regression\""),
                    HasSubstr("layer_norm_eps")));
  EXPECT_THAT(ErrorOf(R"(, "image_size": 16, "patch_size": 4,
                        "num_attention_heads": 5)"),
              HasSubstr("num_attention_heads"));
}

}  // namespace
}  // namespace hydra
