#include "worker/data/image/jpeg_decoder.h"

// jpeglib.h needs it.
#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "worker/data/image/image_size.h"

namespace hydra {
namespace {

constexpr int kInks = 4;

// A progressive file has ten or so. Each takes the time of the whole picture,
// and few bytes if it says nothing.
constexpr int kMaxScans = 100;

// Pillow's: a times b / 255, rounded.
int Part(int a, int b) {
  const int product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

// Files have inks as Adobe has them, 255 for none.
void InksToColors(const uint8_t* inks, int64_t pixels, uint8_t* colors) {
  for (int64_t i = 0; i < pixels; ++i) {
    const int light = inks[i * kInks + kColors];
    for (int color = 0; color < kColors; ++color) {
      const int ink = 255 - inks[i * kInks + color];
      colors[i * kColors + color] =
          static_cast<uint8_t>(std::clamp(light - Part(ink, light), 0, 255));
    }
  }
}

// libjpeg reports an error by a function that must not return. So each step is
// run by Do, which it leaves by longjmp; no step has locals that need a
// destructor.
class JpegDecoder {
 public:
  explicit JpegDecoder(absl::string_view file) : file_(file) {}
  ~JpegDecoder() { jpeg_destroy_decompress(&info_); }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  absl::StatusOr<DecodedImage> Decode() {
    if (!Do(&JpegDecoder::ReadHeader)) return Failed();
    DecodedImage decoded;
    RgbImage& image = decoded.image;
    image.size = {info_.image_height, info_.image_width};
    absl::Status status = CheckSize(image.size);
    if (!status.ok()) return status;
    image.pixels.resize(image.size.height * image.row_bytes());
    pixels_ = image.pixels.data();
    if (has_inks()) inks_.resize(image.size.width * kInks);
    if (!Do(&JpegDecoder::ReadPixels)) return Failed();
    decoded.damage = damage_;
    return decoded;
  }

 private:
  bool has_inks() const { return info_.num_components == kInks; }

  bool Do(void (JpegDecoder::*step)()) {
    if (setjmp(place_) != 0) return false;
    (this->*step)();
    return true;
  }

  absl::Status Failed() const {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot be decoded: ", message_));
  }

  // Huffman's code takes a bit at least for the mean of each block.
  absl::Status CheckSize(const ImageSize& size) const {
    if (info_.arith_code) {
      return absl::InvalidArgumentError(
          "is a JPEG with arithmetic coding, which is not read");
    }
    int64_t blocks = 0;
    for (int i = 0; i < info_.num_components; ++i) {
      blocks += int64_t{info_.comp_info[i].width_in_blocks} *
                info_.comp_info[i].height_in_blocks;
    }
    return CheckImageSize(size, blocks / 8, static_cast<int64_t>(file_.size()));
  }

  void ReadHeader() {
    info_.err = jpeg_std_error(&errors_);
    errors_.error_exit = &JpegDecoder::Leave;
    errors_.emit_message = &JpegDecoder::Note;
    info_.client_data = this;
    jpeg_create_decompress(&info_);
    progress_.progress_monitor = &JpegDecoder::CountScans;
    info_.progress = &progress_;
    jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(file_.data()),
                 file_.size());
    jpeg_read_header(&info_, /*require_image=*/TRUE);
  }

  void ReadPixels() {
    info_.out_color_space = has_inks() ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&info_);
    const int64_t row_bytes = int64_t{info_.output_width} * kColors;
    while (info_.output_scanline < info_.output_height) {
      uint8_t* const colors = pixels_ + info_.output_scanline * row_bytes;
      JSAMPROW row = has_inks() ? inks_.data() : colors;
      jpeg_read_scanlines(&info_, &row, 1);
      if (has_inks()) InksToColors(inks_.data(), info_.output_width, colors);
    }
    jpeg_finish_decompress(&info_);
  }

  static JpegDecoder& Of(j_common_ptr info) {
    return *static_cast<JpegDecoder*>(info->client_data);
  }

  [[noreturn]] static void Leave(j_common_ptr info) {
    JpegDecoder& decoder = Of(info);
    info->err->format_message(info, decoder.message_);
    std::longjmp(decoder.place_, 1);
  }

  // Of a warning, if `level` is below 0.
  static void Note(j_common_ptr info, int level) {
    if (level >= 0) return;
    // The end of the file, before that of the picture.
    if (info->err->msg_code == JWRN_JPEG_EOF) Leave(info);
    if (info->err->num_warnings++ == 0) {
      info->err->format_message(info, Of(info).damage_);
    }
  }

  static void CountScans(j_common_ptr info) {
    JpegDecoder& decoder = Of(info);
    if (decoder.info_.input_scan_number <= kMaxScans) return;
    std::snprintf(decoder.message_, sizeof(decoder.message_),
                  "it has more than %d scans", kMaxScans);
    std::longjmp(decoder.place_, 1);
  }

  const absl::string_view file_;
  jpeg_decompress_struct info_ = {};
  jpeg_error_mgr errors_ = {};
  jpeg_progress_mgr progress_ = {};
  std::jmp_buf place_;
  // Why a step failed.
  char message_[JMSG_LENGTH_MAX] = {};
  // The first warning.
  char damage_[JMSG_LENGTH_MAX] = {};
  uint8_t* pixels_ = nullptr;
  // Of a row.
  std::vector<uint8_t> inks_;
};

}  // namespace

absl::StatusOr<DecodedImage> DecodeJpeg(absl::string_view file) {
  return JpegDecoder(file).Decode();
}

}  // namespace hydra
