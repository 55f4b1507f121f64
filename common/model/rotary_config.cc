#include "common/model/rotary_config.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/json/python_json.h"

namespace hydra {
namespace {

using Json = ConfigReader::Json;

constexpr char kTheta[] = "rope_theta";
constexpr double kMostTheta = 1e15;
constexpr char kOriginal[] = "original_max_position_embeddings";
constexpr const char* kKnownKeys[] = {"rope_type",
                                      "type",
                                      kTheta,
                                      "factor",
                                      "low_freq_factor",
                                      "high_freq_factor",
                                      kOriginal,
                                      "partial_rotary_factor"};

// The object that says more than the base, or null; `key` becomes its key.
const Json* FindScaling(const Json& json, ConfigReader& reader,
                        const char*& key) {
  const bool is_old = reader.Has("rope_scaling");
  const bool is_new = reader.Has("rope_parameters");
  if (is_old && is_new) {
    reader.Fail("rope_scaling",
                "found beside rope_parameters, which means the same; remove "
                "one");
    return nullptr;
  }
  if (!is_old && !is_new) return nullptr;
  key = is_old ? "rope_scaling" : "rope_parameters";
  const Json& scaling = json.at(key);
  if (!scaling.is_object()) {
    reader.Fail(key, absl::StrCat("found ", ShownJson(scaling),
                                  "; an object is needed"));
    return nullptr;
  }
  return &scaling;
}

void ReadType(const Json& scaling, ConfigReader& inner, RotaryConfig& config) {
  // The older name; where both are there, transformers takes the newer one.
  const char* const key = scaling.contains("rope_type") ? "rope_type" : "type";
  const auto found = scaling.find(key);
  if (found == scaling.end() || *found == "default") return;
  if (*found == "linear") {
    config.type = RotaryConfig::Type::kLinear;
  } else if (*found == "llama3") {
    config.type = RotaryConfig::Type::kLlama3;
  } else {
    inner.Fail(key, absl::StrCat("found ", ShownJson(*found),
                                 "; supported are default, linear, llama3"));
  }
}

void ReadScaling(const Json& scaling, ConfigReader& inner,
                 RotaryConfig& config) {
  for (const auto& [name, value] : scaling.items()) {
    const auto is_name = [&name = name](const char* known) {
      return name == known;
    };
    if (std::none_of(std::begin(kKnownKeys), std::end(kKnownKeys), is_name)) {
      inner.Fail(name.substr(0, 100), "not supported, remove it");
    }
  }
  ReadType(scaling, inner, config);
  inner.OptionalNumber(kTheta, 1, kMostTheta, config.rope_theta);
  if (inner.Has("partial_rotary_factor")) {
    inner.MustBe("partial_rotary_factor", 1.0);
  }
  if (config.type == RotaryConfig::Type::kDefault) return;
  inner.Number("factor", 1, 1e6, config.factor);
  if (config.type != RotaryConfig::Type::kLlama3) return;
  inner.Number("low_freq_factor", 1e-6, 1e6, config.low_freq_factor);
  inner.Number("high_freq_factor", 1e-6, 1e6, config.high_freq_factor);
  inner.Dimension(kOriginal, nullptr, kMaxDimension,
                  config.original_max_position_embeddings);
  if (!(config.high_freq_factor > config.low_freq_factor)) {
    inner.Fail("high_freq_factor",
               absl::StrCat("found ", config.high_freq_factor,
                            "; it must be above low_freq_factor, ",
                            config.low_freq_factor));
  }
}

// Llama 3's: slow frequencies are divided by the factor, fast ones stay, and
// those between are mixed.
float ScaledAsLlama3(const RotaryConfig& config, float frequency) {
  const auto factor = static_cast<float>(config.factor);
  const auto low = static_cast<float>(config.low_freq_factor);
  const auto high = static_cast<float>(config.high_freq_factor);
  const auto original =
      static_cast<float>(config.original_max_position_embeddings);
  const float wavelength = static_cast<float>(2 * M_PI) / frequency;
  if (wavelength < original / high) return frequency;
  if (wavelength > original / low) return frequency / factor;
  const float smooth = (original / wavelength - low) / (high - low);
  return (1 - smooth) * frequency / factor + smooth * frequency;
}

}  // namespace

RotaryConfig ReadRotaryConfig(const Json& json, ConfigReader& reader) {
  RotaryConfig config;
  reader.OptionalNumber(kTheta, 1, kMostTheta, config.rope_theta);
  if (reader.Has("partial_rotary_factor")) {
    reader.MustBe("partial_rotary_factor", 1.0);
  }
  const char* key = nullptr;
  const Json* const scaling = FindScaling(json, reader, key);
  if (scaling == nullptr) return config;
  if (reader.Has(kTheta) && scaling->contains(kTheta) &&
      json.at(kTheta) != scaling->at(kTheta)) {
    reader.Fail(kTheta, absl::StrCat("found ", ShownJson(json.at(kTheta)),
                                     ", and ", ShownJson(scaling->at(kTheta)),
                                     " in ", key, "; remove one"));
    return config;
  }
  ConfigReader inner(*scaling, absl::StrCat(key, "."));
  ReadScaling(*scaling, inner, config);
  reader.Add(inner);
  // transformers takes the outer one.
  if (config.type == RotaryConfig::Type::kLlama3 && reader.Has(kOriginal) &&
      json.at(kOriginal) != config.original_max_position_embeddings) {
    reader.Fail(kOriginal,
                absl::StrCat("found ", ShownJson(json.at(kOriginal)), ", and ",
                             config.original_max_position_embeddings, " in ",
                             key, "; remove one"));
  }
  return config;
}

std::vector<float> RotaryFrequencies(const RotaryConfig& config,
                                     int64_t head_dim) {
  std::vector<float> frequencies;
  for (int64_t i = 0; i < head_dim; i += 2) {
    const float exponent = static_cast<float>(i) / static_cast<float>(head_dim);
    const auto power = static_cast<float>(
        std::pow(config.rope_theta, static_cast<double>(exponent)));
    float frequency = 1 / power;
    if (config.type == RotaryConfig::Type::kLinear) {
      frequency /= static_cast<float>(config.factor);
    } else if (config.type == RotaryConfig::Type::kLlama3) {
      frequency = ScaledAsLlama3(config, frequency);
    }
    frequencies.push_back(frequency);
  }
  return frequencies;
}

}  // namespace hydra
