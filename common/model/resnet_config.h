#ifndef HYDRA_COMMON_MODEL_RESNET_CONFIG_H_
#define HYDRA_COMMON_MODEL_RESNET_CONFIG_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydra {

// The dimensions of a ResNet that classifies images (He et al., arXiv
// 1512.03385), as Hugging Face's config.json names them. A value type.
struct ResnetConfig {
  // In pixels. No config.json of Hugging Face's has it, as the weights are the
  // same for any: see ParseResnetConfig.
  int64_t image_height = 0;
  int64_t image_width = 0;
  int64_t num_channels = 3;
  // Channels behind the first convolution.
  int64_t embedding_size = 64;
  // Of each stage: its channels, and its residual layers.
  std::vector<int64_t> hidden_sizes = {256, 512, 1024, 2048};
  std::vector<int64_t> depths = {3, 4, 6, 3};
  // Residual layers of three convolutions, of which the middle one has a
  // quarter of the channels; else of two.
  bool is_bottleneck = true;
  bool downsample_in_first_stage = false;
  // In the first convolution of a bottleneck, not in the second.
  bool downsample_in_bottleneck = false;
  // Of id2label; transformers' two where there is none.
  int64_t num_labels = 2;
};

// Reads the text of a config.json whose model_type is "resnet". It must have
// the key `image_size`, a number or [height, width], which Hydra needs to plan
// and to check its data with.
//
// INVALID_ARGUMENT: not JSON (see ParsePythonJson), not a ResNet that Hydra can
//   train (another activation), or nonsense dimensions; the message has one
//   line for each mistake, "key: what was found and what would be right".
//   Nothing large is allocated.
absl::StatusOr<ResnetConfig> ParseResnetConfig(absl::string_view json);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_RESNET_CONFIG_H_
