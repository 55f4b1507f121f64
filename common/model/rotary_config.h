#ifndef HYDRA_COMMON_MODEL_ROTARY_CONFIG_H_
#define HYDRA_COMMON_MODEL_ROTARY_CONFIG_H_

#include <cstdint>
#include <vector>

#include "common/model/config_reader.h"

namespace hydra {

// How fast rotary position embeddings turn (Su et al., arXiv 2104.09864): the
// names are those of Hugging Face's config.json. A value type.
struct RotaryConfig {
  // "default", "linear" and "llama3", as transformers calls them.
  enum class Type { kDefault, kLinear, kLlama3 };

  double rope_theta = 10000;
  Type type = Type::kDefault;
  // Of kLinear and kLlama3.
  double factor = 1;
  // Of kLlama3 alone.
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  int64_t original_max_position_embeddings = 8192;
};

// Reads `rope_theta` and `rope_scaling`, or `rope_parameters`, which is both in
// one since transformers 5. `json` is what `reader` reads, which learns of
// every mistake: another type of scaling (dynamic, yarn, longrope), a key that
// is not known, a number that is missing.
RotaryConfig ReadRotaryConfig(const ConfigReader::Json& json,
                              ConfigReader& reader);

// By how many radians each pair of numbers of a head turns from one token to
// the next: head_dim / 2 of them, in fp32, computed in transformers' order.
std::vector<float> RotaryFrequencies(const RotaryConfig& config,
                                     int64_t head_dim);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_ROTARY_CONFIG_H_
