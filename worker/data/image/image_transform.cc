#include "worker/data/image/image_transform.h"

#include <cstdint>
#include <optional>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "worker/data/image/image_size.h"
#include "worker/data/image/resample.h"

namespace hydra {
namespace {

bool Fits(int64_t height, int64_t width) {
  return width <= kMaxImagePixels / height;
}

// Whether memory may be taken for what lies between rows and columns, and for
// the result.
bool CanBeResized(const ImageSize& from, const ImageSize& to) {
  const bool fits_between = HasColumnsFirst(from, to)
                                ? Fits(to.height, from.width)
                                : Fits(from.height, to.width);
  return fits_between && Fits(to.height, to.width);
}

// With doubles and floats where transformers has them.
float NumberOf(int value, int color, const ImageProcessing& processing) {
  auto number = static_cast<float>(value);
  if (processing.rescale_factor.has_value()) {
    number = static_cast<float>(value * *processing.rescale_factor);
  }
  if (!processing.normalizes) return number;
  return (number - static_cast<float>(processing.mean[color])) /
         static_cast<float>(processing.standard_deviation[color]);
}

// As transformers' get_resize_output_image_size has it.
ImageSize WithShortestEdge(const ImageSize& size, int64_t edge) {
  const auto longer = [edge](int64_t shorter, int64_t other) {
    return edge * other / shorter;
  };
  return size.width <= size.height
             ? ImageSize{longer(size.width, size.height), edge}
             : ImageSize{edge, longer(size.height, size.width)};
}

absl::Status Wrong(const ImageSize& size, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("has ", size.width, " x ", size.height, " pixels, ", why));
}

}  // namespace

std::vector<float> ImageTransform::Values() const {
  std::vector<float> values;
  for (int color = 0; color < kColors; ++color) {
    for (int value = 0; value < 256; ++value) {
      values.push_back(NumberOf(value, color, processing_));
    }
  }
  return values;
}

absl::Status ImageTransform::Apply(const RgbImage& image,
                                   absl::Span<uint8_t> bytes) const {
  CHECK_EQ(static_cast<int64_t>(bytes.size()),
           kColors * made_.height * made_.width);
  std::optional<ImageSize> size = processing_.size;
  if (processing_.shortest_edge.has_value()) {
    size = WithShortestEdge(image.size, *processing_.shortest_edge);
  }
  if (size.has_value() && !CanBeResized(image.size, *size)) {
    return Wrong(image.size, "too high or too wide a strip to be resized");
  }
  const RgbImage resized =
      size.has_value() ? Resized(image, *size, processing_.filter) : image;
  if (resized.size.height < made_.height || resized.size.width < made_.width) {
    return Wrong(image.size,
                 absl::StrCat("fewer than the ", made_.width, " x ",
                              made_.height, " that the model takes"));
  }
  if (!processing_.crop.has_value() && !(resized.size == made_)) {
    return Wrong(image.size,
                 absl::StrCat("the model takes ", made_.width, " x ",
                              made_.height, ", and they are not resized"));
  }
  const int64_t top = (resized.size.height - made_.height) / 2;
  const int64_t left = (resized.size.width - made_.width) / 2;
  uint8_t* to = bytes.data();
  for (int color = 0; color < kColors; ++color) {
    for (int64_t row = 0; row < made_.height; ++row) {
      const uint8_t* from = resized.pixels.data() +
                            (top + row) * resized.row_bytes() + left * kColors +
                            color;
      for (int64_t column = 0; column < made_.width; ++column) {
        *to++ = from[column * kColors];
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace hydra
