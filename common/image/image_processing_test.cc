#include "common/image/image_processing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/string_view.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ExampleInput Input(int64_t height = 224, int64_t width = 224) {
  return {"pixel_values", {3, height, width}, 10};
}

ImageProcessing Parsed(absl::string_view json,
                       const ExampleInput& input = Input()) {
  const auto parsed = ParseImageProcessing(json, input);
  EXPECT_TRUE(parsed.ok()) << json << ": " << parsed.status();
  if (!parsed.ok()) return {};
  EXPECT_THAT(parsed->warnings, IsEmpty()) << json;
  return parsed->processing;
}

std::string ErrorOf(absl::string_view json,
                    const ExampleInput& input = Input()) {
  const absl::Status status = ParseImageProcessing(json, input).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << json;
  return std::string(status.message());
}

TEST(ImageProcessingTest, WithoutAFileItIsViTsAtTheModelsSize) {
  const auto parsed = ParseImageProcessing(std::nullopt, Input(16, 32));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const ImageProcessing& processing = parsed->processing;
  EXPECT_EQ(processing.size, (ImageSize{16, 32}));
  EXPECT_FALSE(processing.shortest_edge.has_value());
  EXPECT_FALSE(processing.crop.has_value());
  EXPECT_EQ(processing.filter, ImageFilter::kBilinear);
  EXPECT_EQ(processing.rescale_factor, 1.0 / 255);
  EXPECT_TRUE(processing.normalizes);
  EXPECT_THAT(processing.mean, ElementsAre(0.5, 0.5, 0.5));
  EXPECT_THAT(processing.standard_deviation, ElementsAre(0.5, 0.5, 0.5));
  // A file that says no more than whose it is says the same.
  EXPECT_EQ(TextOf(Parsed(R"({"image_processor_type": "ViTImageProcessor"})")),
            TextOf(ParseImageProcessing(std::nullopt, Input())->processing));
  EXPECT_EQ(TextOf(Parsed("{}")),
            TextOf(ParseImageProcessing(std::nullopt, Input())->processing));
}

TEST(ImageProcessingTest, ReadsWhatViTsProcessorWrites) {
  const ImageProcessing processing = Parsed(R"({
      "do_convert_rgb": null, "do_normalize": true, "do_rescale": true,
      "do_resize": true, "image_mean": [0.485, 0.456, 0.406],
      "image_processor_type": "ViTImageProcessorFast",
      "image_std": [0.229, 0.224, 0.225], "resample": 3,
      "rescale_factor": 0.00392156862745098,
      "size": {"height": 224, "width": 224}})");
  EXPECT_EQ(processing.size, (ImageSize{224, 224}));
  EXPECT_EQ(processing.filter, ImageFilter::kBicubic);
  EXPECT_EQ(processing.rescale_factor, 1.0 / 255);
  EXPECT_THAT(processing.mean, ElementsAre(0.485, 0.456, 0.406));
  EXPECT_THAT(processing.standard_deviation, ElementsAre(0.229, 0.224, 0.225));
  // As older ones wrote it.
  EXPECT_EQ(Parsed(R"({"feature_extractor_type": "ViTFeatureExtractor",
                       "size": 224})")
                .size,
            (ImageSize{224, 224}));
  EXPECT_EQ(
      Parsed(R"({"size": [32, 64], "image_mean": 0})", Input(32, 64)).size,
      (ImageSize{32, 64}));
}

TEST(ImageProcessingTest, BitsProcessorCutsOutOfTheMiddle) {
  const ImageProcessing silent =
      Parsed(R"({"image_processor_type": "BitImageProcessor"})");
  EXPECT_FALSE(silent.size.has_value());
  EXPECT_EQ(silent.shortest_edge, 224);
  EXPECT_EQ(silent.crop, (ImageSize{224, 224}));
  EXPECT_EQ(silent.filter, ImageFilter::kBicubic);
  EXPECT_EQ(silent.mean[0], 0.48145466);
  const ImageProcessing processing = Parsed(
      R"({"image_processor_type": "BitImageProcessor", "size": 256,
          "crop_size": 224, "resample": 2})");
  EXPECT_EQ(processing.shortest_edge, 256);
  EXPECT_EQ(processing.crop, (ImageSize{224, 224}));
  // ViT's can do it, too.
  const ImageProcessing vit = Parsed(
      R"({"size": {"shortest_edge": 40}, "do_center_crop": true,
          "crop_size": {"height": 32, "width": 36}})",
      Input(32, 36));
  EXPECT_EQ(vit.shortest_edge, 40);
  EXPECT_EQ(vit.crop, (ImageSize{32, 36}));
}

TEST(ImageProcessingTest, ConvNextsSizeIsWhatIsLeft) {
  const ImageProcessing small = Parsed(
      R"({"feature_extractor_type": "ConvNextFeatureExtractor",
          "crop_pct": 0.875, "size": 224, "resample": 3})");
  EXPECT_EQ(small.shortest_edge, 256);
  EXPECT_EQ(small.crop, (ImageSize{224, 224}));
  const ImageProcessing large =
      Parsed(R"({"image_processor_type": "ConvNextImageProcessor",
                 "size": {"shortest_edge": 384}})",
             Input(384, 384));
  EXPECT_FALSE(large.shortest_edge.has_value());
  EXPECT_EQ(large.size, (ImageSize{384, 384}));
  EXPECT_FALSE(large.crop.has_value());
}

TEST(ImageProcessingTest, StepsCanBeLeftOut) {
  const ImageProcessing processing = Parsed(
      R"({"do_resize": false, "do_rescale": false, "do_normalize": false})");
  EXPECT_FALSE(processing.size.has_value());
  EXPECT_FALSE(processing.crop.has_value());
  EXPECT_FALSE(processing.rescale_factor.has_value());
  EXPECT_FALSE(processing.normalizes);
}

TEST(ImageProcessingTest, TextsTellAnyTwoApart) {
  const std::string text = TextOf(Parsed("{}"));
  for (absl::string_view other :
       {R"({"resample": 3})", R"({"rescale_factor": 0.0039})",
        R"({"do_rescale": false})", R"({"do_normalize": false})",
        R"({"image_mean": [0.5, 0.5, 0.50000001]})", R"({"do_resize": false})",
        R"({"image_std": 0.25})",
        R"({"size": 256, "do_center_crop": true, "crop_size": 224})"}) {
    EXPECT_NE(TextOf(Parsed(other)), text) << other;
  }
}

TEST(ImageProcessingTest, WhatWouldMakeOtherNumbersIsRefused) {
  EXPECT_THAT(ErrorOf("no json"), HasSubstr("JSON"));
  EXPECT_THAT(
      ErrorOf(R"({"image_processor_type": "EfficientNetImageProcessor"})"),
      AllOf(HasSubstr("image_processor_type: found"),
            HasSubstr("ViTImageProcessor"), HasSubstr("tensors")));
  EXPECT_THAT(ErrorOf(R"({"resample": 1})"),
              HasSubstr("resample: found 1; supported are 0 (nearest), 2 "));
  EXPECT_THAT(ErrorOf(R"({"do_pad": true})"), HasSubstr("do_pad: "));
  EXPECT_THAT(ErrorOf(R"({"size": {"shortest_edge": 224}})"),
              HasSubstr("different sizes"));
  EXPECT_THAT(
      ErrorOf(R"({"size": {"shortest_edge": 224, "longest_edge": 500}})"),
      HasSubstr("size.longest_edge: "));
  EXPECT_THAT(ErrorOf(R"({"size": {"height": 0, "width": 224}})"),
              HasSubstr("size.height: "));
  EXPECT_THAT(ErrorOf(R"({"size": "large"})"), HasSubstr("size: found"));
  EXPECT_THAT(ErrorOf(R"({"image_std": [0.5, 0, 0.5]})"),
              HasSubstr("image_std: "));
  EXPECT_THAT(ErrorOf(R"({"image_mean": [0.5, 0.5]})"),
              HasSubstr("image_mean: "));
  EXPECT_THAT(ErrorOf(R"({"size": 96, "do_center_crop": true,
                          "crop_size": 224})"),
              HasSubstr("crop_size: found 224 x 224, and size only 96 x 96"));
  EXPECT_THAT(ErrorOf(R"({"do_center_crop": true})"),
              HasSubstr("crop_size: missing"));
}

TEST(ImageProcessingTest, SizesMustBeTheModels) {
  EXPECT_THAT(ErrorOf(R"({"size": 384})"),
              HasSubstr("size: makes images of 384 x 384; the model takes 224 "
                        "x 224"));
  EXPECT_THAT(ErrorOf(R"({"size": 384, "do_center_crop": true,
                          "crop_size": 256})"),
              HasSubstr("crop_size: makes images of 256 x 256"));
  const absl::Status grey =
      ParseImageProcessing(std::nullopt, {"pixel_values", {1, 8, 8}, 2})
          .status();
  EXPECT_EQ(grey.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(grey.message()), HasSubstr("[1, 8, 8]"));
}

TEST(ImageProcessingTest, KeysThatAreNotKnownAreNamed) {
  const auto parsed =
      ParseImageProcessing(R"({"do_blur": true, "size": 224})", Input());
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_THAT(parsed->warnings, ElementsAre(HasSubstr("'do_blur'")));
}

}  // namespace
}  // namespace hydra
