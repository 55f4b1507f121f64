#ifndef HYDRA_WORKER_DATA_IMAGE_IMAGE_TRANSFORM_H_
#define HYDRA_WORKER_DATA_IMAGE_IMAGE_TRANSFORM_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/image/image_processing.h"
#include "worker/data/image/rgb_image.h"

namespace hydra {

// Makes a model's numbers of pictures, as transformers' processors (those that
// work with Pillow) do: bytes in the model's size, each of which means a
// number. Thread-safe: constant once made.
class ImageTransform {
 public:
  // `made` is the model's size.
  ImageTransform(const ImageProcessing& processing, const ImageSize& made)
      : processing_(processing), made_(made) {}

  // Writes [kColors, height, width] to `bytes`, which has room for just that.
  // The picture has pixels.
  //
  // INVALID_ARGUMENT: the picture has another size than the model takes and is
  //   not resized, is smaller than what is cut out of it, or so long a strip
  //   that resizing takes more than kMaxImagePixels. The message names no file.
  absl::Status Apply(const RgbImage& image, absl::Span<uint8_t> bytes) const;

  // [kColors, 256]: the number that each byte means.
  std::vector<float> Values() const;

 private:
  const ImageProcessing processing_;
  const ImageSize made_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_IMAGE_IMAGE_TRANSFORM_H_
