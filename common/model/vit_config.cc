#include "common/model/vit_config.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/json/python_json.h"
#include "common/model/config_reader.h"
#include "common/model/image_config.h"

namespace hydra {
namespace {

using Json = nlohmann::ordered_json;

// transformers' names for x times the normal distribution's function of x.
constexpr const char* kErfGelu[] = {"gelu", "gelu_python"};

// The scores of one head take 16 GiB then. The products with a block's
// parameters, and the scores of all of an image's heads, fit 64 bits too.
constexpr int64_t kMaxPatches = 1 << 16;
constexpr int64_t kMaxWidth = kMaxDimension / 16;

void CheckPatches(ConfigReader& reader, const VitConfig& config) {
  if (config.patch_height < 1 || config.patch_width < 1) return;
  if (config.image_height % config.patch_height != 0 ||
      config.image_width % config.patch_width != 0) {
    reader.Fail(
        "patch_size",
        absl::StrCat("found ", config.patch_height, " x ", config.patch_width,
                     "; its sides must divide image_size, ",
                     config.image_height, " x ", config.image_width));
  } else if (config.patches() > kMaxPatches) {
    reader.Fail(
        "patch_size",
        absl::StrCat("found ", config.patch_height, " x ", config.patch_width,
                     "; image_size, ", config.image_height, " x ",
                     config.image_width, ", has ", config.patches(),
                     " such patches; ", kMaxPatches, " are the most"));
  }
}

// What norms and biases add is small.
int64_t ParametersOf(const VitConfig& config) {
  return config.hidden_size *
         (config.patch_numbers() + config.patches() + config.num_labels +
          config.num_hidden_layers *
              (4 * config.hidden_size + 2 * config.intermediate_size));
}

}  // namespace

absl::StatusOr<VitConfig> ParseVitConfig(absl::string_view text) {
  const absl::StatusOr<Json> parsed = ParsePythonJson(text);
  if (!parsed.ok()) return parsed.status();
  const Json& json = *parsed;
  VitConfig config;
  ConfigReader reader(json);
  reader.Dimension("hidden_size", nullptr, kMaxWidth, config.hidden_size);
  reader.Dimension("num_hidden_layers", nullptr, kMaxLayers,
                   config.num_hidden_layers);
  reader.Dimension("num_attention_heads", nullptr, kMaxWidth,
                   config.num_attention_heads);
  reader.Dimension("intermediate_size", nullptr, kMaxDimension,
                   config.intermediate_size);
  ReadSides("image_size", json, reader, config.image_height,
            config.image_width);
  ReadSides("patch_size", json, reader, config.patch_height,
            config.patch_width);
  reader.OptionalDimension("num_channels", kMaxChannels, config.num_channels);
  ReadLabels(json, reader, config.num_labels);
  reader.OptionalNumber("layer_norm_eps", 0, 1, config.layer_norm_eps);
  reader.OptionalNumber("initializer_range", 0, 10, config.initializer_range);
  reader.OptionalNumber("hidden_dropout_prob", 0, 0.99,
                        config.hidden_dropout_prob);
  reader.OptionalNumber("attention_probs_dropout_prob", 0, 0.99,
                        config.attention_probs_dropout_prob);
  reader.OptionalBool("qkv_bias", config.qkv_bias);
  reader.MustBeOneOf("hidden_act", kErfGelu);
  reader.MustBe("add_cross_attention", false);
  reader.MustBe("is_encoder_decoder", false);
  reader.MustBeEmpty("head_dim");
  reader.MustBeEmpty("pruned_heads");
  reader.MustBeEmpty("quantization_config");
  if (reader.Has("problem_type")) {
    reader.MustBe("problem_type", "single_label_classification");
  }
  CheckPatches(reader, config);
  if (config.num_attention_heads > 0 &&
      config.hidden_size % config.num_attention_heads != 0) {
    reader.Fail(
        "num_attention_heads",
        absl::StrCat("found ", config.num_attention_heads,
                     "; it must divide hidden_size, ", config.hidden_size));
  }
  // Of wrong numbers the product may be no int64_t.
  if (absl::Status status = reader.Result(); !status.ok()) return status;
  reader.AtMostParameters("num_hidden_layers", ParametersOf(config));
  if (absl::Status status = reader.Result(); !status.ok()) return status;
  return config;
}

}  // namespace hydra
