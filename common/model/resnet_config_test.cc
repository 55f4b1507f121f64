#include "common/model/resnet_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string With(const std::string& more) {
  return absl::StrCat(R"({"model_type": "resnet")", more, "}");
}

ResnetConfig Parse(const std::string& more) {
  const absl::StatusOr<ResnetConfig> config = ParseResnetConfig(With(more));
  EXPECT_TRUE(config.ok()) << config.status();
  return config.value_or(ResnetConfig());
}

std::string ErrorOf(const std::string& more) {
  const absl::Status status = ParseResnetConfig(With(more)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << more;
  return std::string(status.message());
}

TEST(ParseResnetConfigTest, DefaultsAreThoseOfTransformers) {
  const ResnetConfig config = Parse(R"(, "image_size": 224)");
  EXPECT_EQ(config.image_height, 224);
  EXPECT_EQ(config.image_width, 224);
  EXPECT_EQ(config.num_channels, 3);
  EXPECT_EQ(config.embedding_size, 64);
  EXPECT_THAT(config.hidden_sizes, ElementsAre(256, 512, 1024, 2048));
  EXPECT_THAT(config.depths, ElementsAre(3, 4, 6, 3));
  EXPECT_TRUE(config.is_bottleneck);
  EXPECT_FALSE(config.downsample_in_first_stage);
  EXPECT_FALSE(config.downsample_in_bottleneck);
  EXPECT_EQ(config.num_labels, 2);
}

TEST(ParseResnetConfigTest, ReadsWhatIsThere) {
  const ResnetConfig config =
      Parse(R"(, "image_size": [32, 48], "num_channels": 1,
               "embedding_size": 8, "hidden_sizes": [16, 24],
               "depths": [1, 2], "layer_type": "basic", "hidden_act": "relu",
               "downsample_in_first_stage": true,
               "downsample_in_bottleneck": true,
               "id2label": {"0": "a", "1": "b", "2": "c"}, "out_indices": [2],
               "out_features": ["stage2"],
               "stage_names": ["stem", "stage1", "stage2"])");
  EXPECT_EQ(config.image_height, 32);
  EXPECT_EQ(config.image_width, 48);
  EXPECT_EQ(config.num_channels, 1);
  EXPECT_EQ(config.embedding_size, 8);
  EXPECT_THAT(config.hidden_sizes, ElementsAre(16, 24));
  EXPECT_THAT(config.depths, ElementsAre(1, 2));
  EXPECT_FALSE(config.is_bottleneck);
  EXPECT_TRUE(config.downsample_in_first_stage);
  EXPECT_TRUE(config.downsample_in_bottleneck);
  EXPECT_EQ(config.num_labels, 3);
}

TEST(ParseResnetConfigTest, ASizeOfImagesIsNeededAndSaidWhatFor) {
  EXPECT_THAT(ErrorOf(""),
              AllOf(HasSubstr("image_size: missing; a ResNet takes images of "
                              "any size"),
                    HasSubstr("add the number of pixels of a side, or [height, "
                              "width]")));
  EXPECT_THAT(ErrorOf(R"(, "image_size": [7, 0])"),
              HasSubstr("image_size: found"));
}

TEST(ParseResnetConfigTest, EveryMistakeIsNamed) {
  constexpr char kSize[] = R"(, "image_size": 32)";
  const auto error_of = [&](const char* more) {
    return ErrorOf(absl::StrCat(kSize, ", ", more));
  };
  EXPECT_THAT(error_of(R"("hidden_act": "gelu")"),
              HasSubstr("hidden_act: found \"gelu\"; only \"relu\""));
  EXPECT_THAT(error_of(R"("layer_type": "wide")"),
              HasSubstr("layer_type: found \"wide\"; supported are basic, "
                        "bottleneck"));
  EXPECT_THAT(error_of(R"("depths": [1, 2])"),
              HasSubstr("depths: found 2 stages, but hidden_sizes has 4"));
  EXPECT_THAT(error_of(R"("depths": [1, 0, 1, 1])"),
              HasSubstr("depths: found "));
  EXPECT_THAT(error_of(R"("depths": [9000, 2000, 1, 1])"),
              HasSubstr("depths: found 11002 residual layers"));
  EXPECT_THAT(error_of(R"("hidden_sizes": [])"),
              HasSubstr("hidden_sizes: found "));
  EXPECT_THAT(error_of(R"("hidden_sizes": 64)"),
              HasSubstr("hidden_sizes: found 64; a list"));
  EXPECT_THAT(error_of(R"("hidden_sizes": [3, 8, 8, 8])"),
              HasSubstr("hidden_sizes: found 3; a bottleneck has a quarter"));
  EXPECT_THAT(error_of(R"("embedding_size": 0)"),
              HasSubstr("embedding_size: found 0"));
  EXPECT_THAT(error_of(R"("num_labels": 1)"),
              HasSubstr("num_labels: found 1 classes"));
  EXPECT_THAT(error_of(R"("quantization_config": {"bits": 8})"),
              HasSubstr("quantization_config"));
  EXPECT_THAT(error_of(R"("problem_type": "regression")"),
              HasSubstr("problem_type"));
  EXPECT_THAT(error_of(R"("hidden_act": "gelu", "num_channels": -1)"),
              AllOf(HasSubstr("hidden_act"), HasSubstr("\n")));
}

}  // namespace
}  // namespace hydra
