#include "worker/data/image/resample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"

namespace hydra {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

std::string Fixture(const std::string& name) {
  return ReadFile(absl::StrCat("worker/data/image/testdata/", name));
}

RgbImage Picture(const std::string& name, const ImageSize& size) {
  RgbImage image;
  image.size = size;
  const std::string pixels = Fixture(name + "_png.rgb");
  image.pixels.assign(pixels.begin(), pixels.end());
  return image;
}

RgbImage Noise() { return Picture("noise", {9, 13}); }

const char* NameOf(ImageFilter filter) {
  switch (filter) {
    case ImageFilter::kNearest:
      return "nearest";
    case ImageFilter::kBilinear:
      return "bilinear";
    case ImageFilter::kBicubic:
      return "bicubic";
  }
  return "";
}

// Smaller, larger, one after the other, and rows or columns alone.
class ResampleTest : public ::testing::TestWithParam<
                         std::tuple<ImageFilter, std::pair<int, int>>> {};

TEST_P(ResampleTest, HasPillowsBits) {
  const ImageFilter filter = std::get<0>(GetParam());
  const auto [width, height] = std::get<1>(GetParam());
  const RgbImage made = Resized(Noise(), {height, width}, filter);
  EXPECT_EQ(made.size, (ImageSize{height, width}));
  EXPECT_EQ(std::string(made.pixels.begin(), made.pixels.end()),
            Fixture(absl::StrCat("noise_", width, "x", height, "_",
                                 NameOf(filter), ".rgb")));
}

INSTANTIATE_TEST_SUITE_P(
    FiltersAndSizes, ResampleTest,
    ::testing::Combine(::testing::Values(ImageFilter::kNearest,
                                         ImageFilter::kBilinear,
                                         ImageFilter::kBicubic),
                       ::testing::Values(std::pair(5, 4), std::pair(13, 6),
                                         std::pair(16, 5), std::pair(30, 21),
                                         std::pair(6, 20))));

TEST(ResizedTest, OfHighStripsThatBecomeLowerColumnsComeFirst) {
  const RgbImage strip = Picture("strip", {201, 2});
  for (int height : {20, 210}) {
    const RgbImage made = Resized(strip, {height, 5}, ImageFilter::kBicubic);
    EXPECT_EQ(std::string(made.pixels.begin(), made.pixels.end()),
              Fixture(absl::StrCat("strip_5x", height, "_bicubic.rgb")));
  }
}

TEST(ResizedTest, TheSameSizeIsTheSamePicture) {
  for (ImageFilter filter :
       {ImageFilter::kNearest, ImageFilter::kBilinear, ImageFilter::kBicubic}) {
    EXPECT_EQ(Resized(Noise(), {9, 13}, filter).pixels, Noise().pixels);
  }
}

TEST(ResizedTest, HalfTheSizeAveragesWithWideTriangles) {
  RgbImage row;
  row.size = {1, 4};
  row.pixels = {0, 0, 0, 80, 80, 80, 160, 160, 160, 240, 240, 240};
  // Weights 3, 3 and 1 of 7, from the border on.
  EXPECT_THAT(Resized(row, {1, 2}, ImageFilter::kBilinear).pixels,
              ElementsAre(57, 57, 57, 183, 183, 183));
}

TEST(ResizedTest, OnePixelFillsAnything) {
  RgbImage pixel;
  pixel.size = {1, 1};
  pixel.pixels = {7, 7, 7};
  for (ImageFilter filter :
       {ImageFilter::kNearest, ImageFilter::kBilinear, ImageFilter::kBicubic}) {
    EXPECT_THAT(Resized(pixel, {5, 3}, filter).pixels, Each(7));
  }
}

}  // namespace
}  // namespace hydra
