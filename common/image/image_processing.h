#ifndef HYDRA_COMMON_IMAGE_IMAGE_PROCESSING_H_
#define HYDRA_COMMON_IMAGE_IMAGE_PROCESSING_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/model_table.h"

// How a picture becomes a model's numbers, as image processors of Hugging Face
// say it in preprocessor_config.json. Pure.
namespace hydra {

inline constexpr char kImageProcessorFile[] = "preprocessor_config.json";
inline constexpr int64_t kMaxImageProcessorBytes = int64_t{1} << 20;
// Red, green, blue.
inline constexpr int kColors = 3;

// In pixels.
struct ImageSize {
  int64_t height = 0;
  int64_t width = 0;

  bool operator==(const ImageSize& other) const {
    return height == other.height && width == other.width;
  }
};

// The numbers are Pillow's.
enum class ImageFilter { kNearest = 0, kBilinear = 2, kBicubic = 3 };

// In the order of its fields. A value type.
struct ImageProcessing {
  // What the picture is resized to: this size, or with this length of its
  // shorter side, which keeps its proportions. Neither: it stays as it is.
  std::optional<ImageSize> size;
  std::optional<int64_t> shortest_edge;
  ImageFilter filter = ImageFilter::kBilinear;
  // What is then cut out of its middle.
  std::optional<ImageSize> crop;
  // Each number times this.
  std::optional<double> rescale_factor;
  // Less the mean, divided by the standard deviation, of each color.
  bool normalizes = false;
  std::array<double, kColors> mean = {};
  std::array<double, kColors> standard_deviation = {};
};

struct ParsedImageProcessing {
  ImageProcessing processing;
  // What of the file is not used, though somebody may count on it.
  std::vector<std::string> warnings;
};

// Of the text of a preprocessor_config.json: that of a ViTImageProcessor, a
// BitImageProcessor, a ConvNextImageProcessor, or one that does not say whose
// it is, which is read as ViT's; what it is silent of is as that class has it.
// No text: resized to the model's size, bilinear; divided by 255; mean and
// standard deviation 0.5.
//
// INVALID_ARGUMENT: not JSON (see ParsePythonJson), another processor, what
//   Hydra has not (other filters, padding), or the images would not have the
//   model's size, which a picture's own can then not make right either; or
//   `input` is no [3, height, width]. One line for each mistake: "key: what was
//   found and what would be right".
absl::StatusOr<ParsedImageProcessing> ParseImageProcessing(
    std::optional<absl::string_view> json, const ExampleInput& input);

// Tells any two apart.
std::string TextOf(const ImageProcessing& processing);

}  // namespace hydra

#endif  // HYDRA_COMMON_IMAGE_IMAGE_PROCESSING_H_
