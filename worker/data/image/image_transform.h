#ifndef HYDRA_WORKER_DATA_IMAGE_IMAGE_TRANSFORM_H_
#define HYDRA_WORKER_DATA_IMAGE_IMAGE_TRANSFORM_H_

#include <array>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/image/image_processing.h"
#include "worker/data/image/rgb_image.h"

namespace hydra {

// Makes a model's numbers of pictures, as transformers' processors (those that
// work with Pillow) do. Thread-safe: constant once made.
class ImageTransform {
 public:
  // `made` is the model's size.
  ImageTransform(const ImageProcessing& processing, const ImageSize& made);

  // Writes [kColors, height, width] to `numbers`, which has room for just that.
  // The picture has pixels.
  //
  // INVALID_ARGUMENT: the picture has another size than the model takes and is
  //   not resized, is smaller than what is cut out of it, or so long a strip
  //   that resizing takes more than kMaxImagePixels. The message names no file.
  absl::Status Apply(const RgbImage& image, absl::Span<float> numbers) const;

 private:
  ImageProcessing processing_;
  ImageSize made_;
  // What each value of a pixel becomes, by color.
  std::array<std::array<float, 256>, kColors> numbers_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_IMAGE_IMAGE_TRANSFORM_H_
