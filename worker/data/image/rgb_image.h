#ifndef HYDRA_WORKER_DATA_IMAGE_RGB_IMAGE_H_
#define HYDRA_WORKER_DATA_IMAGE_RGB_IMAGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/image/image_processing.h"

namespace hydra {

// A picture in memory, eight bits for each color. A value type.
struct RgbImage {
  ImageSize size;
  // [height, width, kColors]
  std::vector<uint8_t> pixels;

  // Of a row.
  int64_t row_bytes() const { return size.width * kColors; }
};

// What a decoder makes of a file.
struct DecodedImage {
  RgbImage image;
  // What it says of damage that it passed over, as programs that show pictures
  // do, such as lost bytes in the middle of a JPEG file; empty: none.
  std::string damage;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_IMAGE_RGB_IMAGE_H_
