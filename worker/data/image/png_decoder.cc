#include "worker/data/image/png_decoder.h"

#include <png.h>

#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/text/printable.h"
#include "worker/data/image/image_size.h"

namespace hydra {
namespace {

// Deflate makes of two bits 258 bytes at most.
constexpr int64_t kMaxInflation = 1032;

// libpng reports an error by a function that must not return. So each step is
// run by Do, which it leaves by longjmp; no step has locals that need a
// destructor.
class PngDecoder {
 public:
  explicit PngDecoder(absl::string_view file) : file_(file), rest_(file) {}
  ~PngDecoder() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;

  absl::StatusOr<DecodedImage> Decode() {
    if (!Do(&PngDecoder::ReadHeader)) return Failed();
    DecodedImage decoded;
    RgbImage& image = decoded.image;
    image.size = {png_get_image_height(png_, info_),
                  png_get_image_width(png_, info_)};
    absl::Status status = CheckKind(image.size);
    if (!status.ok()) return status;
    if (!Do(&PngDecoder::ChooseOutput)) return Failed();
    image.pixels.resize(image.size.height * image.row_bytes());
    if (has_palette()) return FromPalette(std::move(decoded));
    SetRows(image.size.height, image.row_bytes(), image.pixels.data());
    if (!Do(&PngDecoder::ReadPixels)) return Failed();
    return decoded;
  }

 private:
  bool Do(void (PngDecoder::*step)()) {
    if (setjmp(place_) != 0) return false;
    (this->*step)();
    return true;
  }

  absl::Status Failed() const {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot be decoded: ", Printable(message_)));
  }

  int color_type() const { return png_get_color_type(png_, info_); }
  bool has_palette() const { return color_type() == PNG_COLOR_TYPE_PALETTE; }

  absl::Status CheckKind(const ImageSize& size) const {
    if (color_type() == PNG_COLOR_TYPE_GRAY &&
        png_get_bit_depth(png_, info_) == 16) {
      return absl::InvalidArgumentError(
          "is grey with 16 bits for a pixel, as measurements are; make it a "
          "picture of 8 bits, or give numbers as data.format: tensors");
    }
    const auto row_bytes = static_cast<int64_t>(png_get_rowbytes(png_, info_));
    // A size that is refused might make more than 64 bits of it.
    absl::Status status = CheckImageSize(size, 0, 0);
    if (!status.ok()) return status;
    return CheckImageSize(size, size.height * row_bytes / kMaxInflation,
                          static_cast<int64_t>(file_.size()));
  }

  void ReadHeader() {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this,
                                  &PngDecoder::Leave, &PngDecoder::Ignore);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) {
      Say("there is no memory for reading it");
      std::longjmp(place_, 1);
    }
    png_set_read_fn(png_, this, &PngDecoder::ReadBytes);
    // Texts, profiles and the like: nothing of them is used.
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_read_info(png_, info_);
  }

  // A byte for each color; or, of a palette, for each pixel.
  void ChooseOutput() {
    if (has_palette()) {
      png_set_packing(png_);
    } else {
      png_set_expand_gray_1_2_4_to_8(png_);
      png_set_strip_16(png_);
      png_set_strip_alpha(png_);
      if ((color_type() & PNG_COLOR_MASK_COLOR) == 0) {
        png_set_gray_to_rgb(png_);
      }
    }
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    const int64_t wanted = int64_t{png_get_image_width(png_, info_)} *
                           (has_palette() ? 1 : kColors);
    if (static_cast<int64_t>(png_get_rowbytes(png_, info_)) != wanted) {
      png_error(png_, "rows have an unexpected length");
    }
  }

  void SetRows(int64_t height, int64_t row_bytes, uint8_t* first) {
    rows_.resize(height);
    for (int64_t i = 0; i < height; ++i) rows_[i] = first + i * row_bytes;
  }

  void ReadPixels() {
    png_read_image(png_, rows_.data());
    // Its checksum, too, and whether the end is there.
    png_read_end(png_, nullptr);
  }

  absl::StatusOr<DecodedImage> FromPalette(DecodedImage decoded) {
    RgbImage& image = decoded.image;
    std::vector<uint8_t> entries(image.size.height * image.size.width);
    SetRows(image.size.height, image.size.width, entries.data());
    if (!Do(&PngDecoder::ReadPixels)) return Failed();
    png_colorp palette = nullptr;
    int colors = 0;
    png_get_PLTE(png_, info_, &palette, &colors);
    for (size_t i = 0; i < entries.size(); ++i) {
      if (entries[i] >= colors) {
        return absl::InvalidArgumentError(
            absl::StrCat("is damaged: a pixel has color ", entries[i],
                         " of a palette of ", colors));
      }
      const png_color& color = palette[entries[i]];
      image.pixels[i * kColors] = color.red;
      image.pixels[i * kColors + 1] = color.green;
      image.pixels[i * kColors + 2] = color.blue;
    }
    return decoded;
  }

  // Cut, if it is long.
  void Say(const char* message) {
    std::snprintf(message_, sizeof(message_), "%s", message);
  }

  [[noreturn]] static void Leave(png_structp png, png_const_charp message) {
    auto& decoder = *static_cast<PngDecoder*>(png_get_error_ptr(png));
    decoder.Say(message);
    std::longjmp(decoder.place_, 1);
  }

  static void Ignore(png_structp png, png_const_charp warning) {}

  static void ReadBytes(png_structp png, png_bytep to, size_t bytes) {
    auto& decoder = *static_cast<PngDecoder*>(png_get_io_ptr(png));
    if (decoder.rest_.size() < bytes) {
      png_error(png, "the file ends before the picture does");
    }
    std::memcpy(to, decoder.rest_.data(), bytes);
    decoder.rest_.remove_prefix(bytes);
  }

  const absl::string_view file_;
  // What was not read yet.
  absl::string_view rest_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::jmp_buf place_;
  // Why a step failed.
  char message_[200] = {};
  std::vector<png_bytep> rows_;
};

}  // namespace

absl::StatusOr<DecodedImage> DecodePng(absl::string_view file) {
  return PngDecoder(file).Decode();
}

}  // namespace hydra
