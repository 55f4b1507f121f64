#include "common/model/resnet_config.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/json/python_json.h"
#include "common/model/config_reader.h"
#include "common/model/image_config.h"

namespace hydra {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kBasic[] = "basic";
constexpr char kBottleneck[] = "bottleneck";
constexpr const char* kLayerTypes[] = {kBasic, kBottleneck};

// Far beyond any ResNet. What a convolution of so many channels takes for each
// pixel of the largest image fits 64 bits, and so does the number of parameters
// of as many layers as there may be.
constexpr int64_t kMaxWidth = 1 << 14;
constexpr size_t kMaxStages = 64;
// A bottleneck's.
constexpr int64_t kReduction = 4;

// A list of integers from 1 to `max`; it stays where the key is missing.
void ReadList(const char* key, const Json& json, int64_t max,
              ConfigReader& reader, std::vector<int64_t>& list) {
  if (!reader.Has(key)) return;
  const Json& found = json.at(key);
  const auto fail = [&] {
    reader.Fail(key, absl::StrCat("found ", ShownJson(found),
                                  "; a list of 1 to ", kMaxStages,
                                  " integers from 1 to ", max, " is needed"));
  };
  if (!found.is_array() || found.empty() || found.size() > kMaxStages) {
    return fail();
  }
  std::vector<int64_t> read;
  for (const Json& number : found) {
    if (!number.is_number_unsigned() || number.get<uint64_t>() < 1 ||
        number.get<uint64_t>() > static_cast<uint64_t>(max)) {
      return fail();
    }
    read.push_back(number.get<int64_t>());
  }
  list = std::move(read);
}

void CheckStages(ConfigReader& reader, const ResnetConfig& config) {
  if (config.depths.size() != config.hidden_sizes.size()) {
    reader.Fail("depths", absl::StrCat("found ", config.depths.size(),
                                       " stages, but hidden_sizes has ",
                                       config.hidden_sizes.size(),
                                       "; each has a number in either"));
  }
  int64_t layers = 0;
  for (int64_t depth : config.depths) layers += depth;
  if (layers > kMaxLayers) {
    reader.Fail("depths", absl::StrCat("found ", layers, " residual layers; ",
                                       kMaxLayers, " are the most"));
  }
  for (int64_t width : config.hidden_sizes) {
    if (config.is_bottleneck && width < kReduction) {
      reader.Fail("hidden_sizes", absl::StrCat("found ", width,
                                               "; a bottleneck has a quarter "
                                               "of it, and at least ",
                                               kReduction, " is needed"));
    }
  }
}

}  // namespace

absl::StatusOr<ResnetConfig> ParseResnetConfig(absl::string_view text) {
  const absl::StatusOr<Json> parsed = ParsePythonJson(text);
  if (!parsed.ok()) return parsed.status();
  const Json& json = *parsed;
  ResnetConfig config;
  ConfigReader reader(json);
  if (reader.Has("image_size")) {
    ReadSides("image_size", json, reader, config.image_height,
              config.image_width);
  } else {
    reader.Fail("image_size",
                "missing; a ResNet takes images of any size, and Hydra has to "
                "know yours: add the number of pixels of a side, or [height, "
                "width], of the images in your data");
  }
  reader.OptionalDimension("num_channels", kMaxChannels, config.num_channels);
  reader.OptionalDimension("embedding_size", kMaxWidth, config.embedding_size);
  ReadList("hidden_sizes", json, kMaxWidth, reader, config.hidden_sizes);
  ReadList("depths", json, kMaxLayers, reader, config.depths);
  reader.MustBeOneOf("layer_type", kLayerTypes);
  if (reader.Has("layer_type")) {
    config.is_bottleneck = json.at("layer_type") != kBasic;
  }
  reader.MustBe("hidden_act", "relu");
  reader.OptionalBool("downsample_in_first_stage",
                      config.downsample_in_first_stage);
  reader.OptionalBool("downsample_in_bottleneck",
                      config.downsample_in_bottleneck);
  ReadLabels(json, reader, config.num_labels);
  reader.MustBeEmpty("quantization_config");
  if (reader.Has("problem_type")) {
    reader.MustBe("problem_type", "single_label_classification");
  }
  CheckStages(reader, config);
  if (absl::Status status = reader.Result(); !status.ok()) return status;
  return config;
}

}  // namespace hydra
