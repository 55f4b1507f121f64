#include "worker/data/image/image_transform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "worker/data/image/image_decoder.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Fixture(const std::string& name) {
  return ReadFile(absl::StrCat("worker/data/image/testdata/", name));
}

ImageProcessing Parsed(absl::string_view json, int64_t height, int64_t width) {
  const auto parsed =
      ParseImageProcessing(json, {"pixel_values", {3, height, width}, 2});
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return parsed->processing;
}

struct Applied {
  absl::Status status;
  std::vector<float> numbers;
};

Applied Apply(const RgbImage& image, absl::string_view json, int64_t height,
              int64_t width) {
  const ImageTransform transform(Parsed(json, height, width), {height, width});
  std::vector<uint8_t> bytes(kColors * height * width);
  Applied applied;
  applied.status = transform.Apply(image, absl::MakeSpan(bytes));
  const std::vector<float> values = transform.Values();
  for (size_t i = 0; i < bytes.size(); ++i) {
    const size_t color = i / (height * width);
    applied.numbers.push_back(values[color * 256 + bytes[i]]);
  }
  return applied;
}

RgbImage Empty(int64_t height, int64_t width) {
  RgbImage image;
  image.size = {height, width};
  image.pixels.resize(height * width * kColors);
  return image;
}

// Bit for bit.
void ExpectFixture(absl::string_view json, const std::string& name) {
  const auto noise = DecodeImage(Fixture("noise.png"));
  ASSERT_TRUE(noise.ok()) << noise.status();
  const Applied applied = Apply(noise->image, json, 8, 8);
  ASSERT_EQ(applied.status, absl::OkStatus());
  const std::string expected = Fixture(name);
  ASSERT_EQ(expected.size(), applied.numbers.size() * sizeof(float));
  EXPECT_EQ(
      std::memcmp(expected.data(), applied.numbers.data(), expected.size()), 0);
}

TEST(ImageTransformTest, MakesTheNumbersOfTransformersProcessors) {
  ExpectFixture(R"({"image_processor_type": "ViTImageProcessor", "size": 8})",
                "vit.f32");
  ExpectFixture(
      R"({"image_processor_type": "BitImageProcessor",
          "size": {"shortest_edge": 10}, "crop_size": 8})",
      "bit.f32");
  ExpectFixture(
      R"({"image_processor_type": "ConvNextImageProcessor",
          "size": {"shortest_edge": 8}})",
      "convnext.f32");
}

TEST(ImageTransformTest, ColorsComeOneAfterAnother) {
  RgbImage image;
  image.size = {1, 2};
  image.pixels = {0, 51, 102, 153, 204, 255};
  EXPECT_THAT(Apply(image,
                    R"({"do_resize": false, "do_rescale": false,
                        "do_normalize": false})",
                    1, 2)
                  .numbers,
              ElementsAre(0, 153, 51, 204, 102, 255));
  EXPECT_THAT(Apply(image,
                    R"({"do_resize": false, "rescale_factor": 0.5,
                        "image_mean": [0, 1, 2], "image_std": [1, 0.5, 0.25]})",
                    1, 2)
                  .numbers,
              ElementsAre(0, 76.5f, 49, 202, 196, 502));
}

TEST(ImageTransformTest, TheCropIsTheMiddle) {
  RgbImage image = Empty(4, 5);
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = static_cast<uint8_t>(i / kColors);
  }
  const Applied applied = Apply(image,
                                R"({"do_resize": false, "do_rescale": false,
                "do_normalize": false, "do_center_crop": true,
                "crop_size": {"height": 1, "width": 2}})",
                                1, 2);
  // Row 1, columns 1 and 2.
  EXPECT_THAT(applied.numbers, ElementsAre(6, 7, 6, 7, 6, 7));
}

TEST(ImageTransformTest, SizesThatDoNotFitAreTold) {
  const auto error_of = [](const RgbImage& image, absl::string_view json) {
    const absl::Status status = Apply(image, json, 8, 8).status;
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  EXPECT_THAT(error_of(Empty(9, 8), R"({"do_resize": false})"),
              HasSubstr("has 8 x 9 pixels, the model takes 8 x 8"));
  EXPECT_THAT(error_of(Empty(9, 7),
                       R"({"do_resize": false, "do_center_crop": true,
                           "crop_size": 8})"),
              HasSubstr("has 7 x 9 pixels, fewer than the 8 x 8"));
  // A million rows of one pixel each.
  EXPECT_THAT(
      error_of(Empty(1'000'000, 1),
               R"({"size": {"shortest_edge": 16}, "do_center_crop": true,
                   "crop_size": 8})"),
      HasSubstr("has 1 x 1000000 pixels, too high or too wide"));
}

}  // namespace
}  // namespace hydra
