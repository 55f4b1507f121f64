#include "worker/data/image/image_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "common/file/scratch_directory.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

std::string Picture(absl::string_view name) {
  return ReadFile(absl::StrCat("worker/data/image/testdata/", name));
}

std::string ErrorOf(absl::string_view file) {
  const auto decoded = DecodeImage(file);
  EXPECT_EQ(decoded.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(decoded.status().message());
}

// The parameter is the picture's name; beside it lies what Pillow made of it.
class PictureTest : public ::testing::TestWithParam<const char*> {};

TEST_P(PictureTest, IsWhatPillowMakesOfIt) {
  const auto decoded = DecodeImage(Picture(GetParam()));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  const RgbImage& image = decoded->image;
  EXPECT_EQ(image.pixels.size(), image.size.height * image.row_bytes());
  const std::string expected = Picture(
      absl::StrCat(absl::StrReplaceAll(GetParam(), {{".", "_"}}), ".rgb"));
  EXPECT_EQ(std::string(image.pixels.begin(), image.pixels.end()), expected);
  EXPECT_EQ(decoded->damage, "");
}

// Cut short anywhere.
TEST_P(PictureTest, IsRefusedUnlessItIsWhole) {
  const std::string file = Picture(GetParam());
  for (size_t bytes = 0; bytes < file.size(); ++bytes) {
    EXPECT_NE(ErrorOf(file.substr(0, bytes)), "") << bytes;
  }
}

// What is said of a damaged file may be anything, as long as it is said: the
// checksums of a PNG tell, and of a JPEG nobody.
TEST_P(PictureTest, NoDamageEndsTheProgram) {
  const std::string file = Picture(GetParam());
  for (size_t i = 0; i < file.size(); ++i) {
    for (int change : {0x01, 0x80, 0xff}) {
      std::string damaged = file;
      damaged[i] = static_cast<char>(damaged[i] ^ change);
      const auto decoded = DecodeImage(damaged);
      if (decoded.ok()) continue;
      EXPECT_EQ(decoded.status().code(), absl::StatusCode::kInvalidArgument);
      EXPECT_NE(decoded.status().message(), "");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Pictures, PictureTest,
    ::testing::Values("cmyk.jpg", "color.jpg", "color.png", "color_16_bits.png",
                      "color_alpha.png", "gamma.png", "grey.jpg", "grey.png",
                      "grey_1_bits.png", "grey_2_bits.png", "grey_4_bits.png",
                      "grey_alpha.png", "interlaced.png", "palette.png",
                      "palette_2_bits.png", "palette_alpha.png",
                      "progressive.jpg", "turned.jpg"),
    [](const auto& info) {
      return absl::StrReplaceAll(info.param, {{".", "_"}});
    });

TEST(DecodeImageTest, SizesAreThoseOfTheFile) {
  const auto png = DecodeImage(Picture("interlaced.png"));
  ASSERT_TRUE(png.ok()) << png.status();
  EXPECT_EQ(png->image.size, (ImageSize{9, 11}));
  // As it lies in the file: EXIF would turn it.
  const auto jpeg = DecodeImage(Picture("turned.jpg"));
  ASSERT_TRUE(jpeg.ok()) << jpeg.status();
  EXPECT_EQ(jpeg->image.size, (ImageSize{17, 19}));
}

TEST(DecodeImageTest, OtherFilesAreNamed) {
  EXPECT_EQ(ErrorOf(""), "is empty");
  EXPECT_EQ(ErrorOf("a text"), "is no JPEG and no PNG picture");
  EXPECT_THAT(ErrorOf("GIF89a and so on"),
              HasSubstr("is no JPEG and no PNG picture but a GIF image"));
}

TEST(DecodeImageTest, GreyWith16BitsIsRefused) {
  EXPECT_THAT(ErrorOf(Picture("grey_16_bits.png")),
              HasSubstr("is grey with 16 bits"));
}

TEST(DecodeImageTest, AColorThatThePaletteHasNotIsRefused) {
  EXPECT_THAT(ErrorOf(Picture("palette_short.png")), HasSubstr("palette"));
}

// No file of a few bytes makes Hydra take memory for what it says it is.
TEST(DecodeImageTest, SizesThatTheFileCannotHoldAreRefused) {
  const auto with_sides = [](absl::string_view sides) {
    std::string file = Picture("color.png");
    std::copy(sides.begin(), sides.end(), file.begin() + 16);
    // Of the header's name and content.
    const auto checksum = static_cast<uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(file.data()) + 12, 17));
    for (int i = 0; i < 4; ++i) {
      file[29 + i] = static_cast<char>(checksum >> (24 - 8 * i));
    }
    return file;
  };
  EXPECT_THAT(ErrorOf(with_sides({"\0\0\x1f\x40\0\0\x1f\x40", 8})),
              HasSubstr("8000 x 8000 pixels take 186046 at least"));
  EXPECT_THAT(ErrorOf(with_sides({"\0\0\xff\0\0\0\xff\0", 8})),
              HasSubstr("has 65280 x 65280 pixels; at most 89478485"));
  std::string jpeg = Picture("color.jpg");
  const size_t frame = jpeg.find("\xff\xc0");
  ASSERT_NE(frame, jpeg.npos);
  // Height and width stand behind marker, length and precision.
  const auto with_jpeg_sides = [&](absl::string_view sides) {
    std::string file = jpeg;
    std::copy(sides.begin(), sides.end(), file.begin() + frame + 5);
    return file;
  };
  EXPECT_THAT(ErrorOf(with_jpeg_sides({"\x1f\x40\x1f\x40", 4})),
              HasSubstr("is cut short or damaged: it has"));
  EXPECT_THAT(ErrorOf(with_jpeg_sides({"\xf0\x00\xf0\x00", 4})),
              HasSubstr("has 61440 x 61440 pixels; at most 89478485"));
}

TEST(DecodeImageTest, LostBytesInTheMiddleOfAJpegAreTold) {
  const std::string jpeg = Picture("color.jpg");
  const size_t scan = jpeg.find("\xff\xda");
  ASSERT_NE(scan, jpeg.npos);
  // The end's marker comes before the end of the data.
  std::string damaged = jpeg.substr(0, scan + 60);
  absl::StrAppend(&damaged, "\xff\xd9");
  const auto decoded = DecodeImage(damaged);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_NE(decoded->damage, "");
}

}  // namespace
}  // namespace hydra
