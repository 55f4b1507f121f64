#ifndef HYDRA_COMMON_MODEL_VIT_CONFIG_H_
#define HYDRA_COMMON_MODEL_VIT_CONFIG_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydra {

// The dimensions of a ViT that classifies images (Dosovitskiy et al., arXiv
// 2010.11929), as Hugging Face's config.json names them. A value type.
struct VitConfig {
  int64_t hidden_size = 0;
  int64_t num_hidden_layers = 0;
  int64_t num_attention_heads = 0;
  // Width of the feed-forward layer.
  int64_t intermediate_size = 0;
  // In pixels.
  int64_t image_height = 0;
  int64_t image_width = 0;
  int64_t patch_height = 0;
  int64_t patch_width = 0;
  int64_t num_channels = 3;
  // Of id2label; transformers' two where there is none.
  int64_t num_labels = 2;
  double layer_norm_eps = 1e-12;
  double initializer_range = 0.02;
  double hidden_dropout_prob = 0;
  double attention_probs_dropout_prob = 0;
  bool qkv_bias = true;

  // Of one image.
  int64_t patches() const {
    return (image_height / patch_height) * (image_width / patch_width);
  }
  // Of one patch, in all channels.
  int64_t patch_numbers() const {
    return num_channels * patch_height * patch_width;
  }
};

// Reads the text of a config.json whose model_type is "vit".
//
// INVALID_ARGUMENT: not JSON (see ParsePythonJson), not a ViT that Hydra can
//   train (another activation, patches that do not cover the image), or
//   nonsense dimensions; the message has one line for each mistake, "key: what
//   was found and what would be right". Nothing large is allocated.
absl::StatusOr<VitConfig> ParseVitConfig(absl::string_view json);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_VIT_CONFIG_H_
