// The input is a picture: a JPEG or a PNG file. It is decoded, and, if it is
// one, resized.

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "glog/logging.h"
#include "tests/fuzz/fuzz_check.h"
#include "worker/data/image/image_decoder.h"
#include "worker/data/image/resample.h"

namespace hydra {
namespace {

// No picture of a few bytes is larger; resizing one takes time.
constexpr int64_t kMaxResizedPixels = 1 << 16;

void Try(absl::string_view file) {
  const auto decoded = DecodeImage(file);
  CheckSpeaksPlainly(decoded.status());
  if (!decoded.ok()) {
    CHECK(absl::IsInvalidArgument(decoded.status())) << decoded.status();
    return;
  }
  const RgbImage& image = decoded->image;
  CHECK_GT(image.size.height, 0);
  CHECK_GT(image.size.width, 0);
  CHECK_EQ(static_cast<int64_t>(image.pixels.size()),
           image.size.height * image.row_bytes());
  if (image.size.height * image.size.width > kMaxResizedPixels) return;
  for (ImageFilter filter :
       {ImageFilter::kNearest, ImageFilter::kBilinear, ImageFilter::kBicubic}) {
    const RgbImage resized = Resized(image, {5, 7}, filter);
    CHECK_EQ(resized.pixels.size(), 5 * 7 * kColors);
  }
}

}  // namespace
}  // namespace hydra

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hydra::Try({reinterpret_cast<const char*>(data), size});
  return 0;
}
