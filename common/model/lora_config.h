#ifndef HYDRA_COMMON_MODEL_LORA_CONFIG_H_
#define HYDRA_COMMON_MODEL_LORA_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

namespace hydra {

// Low-rank adapters (Hu et al., arXiv 2106.09685): what training adds to linear
// maps that stay as they are. The names and their meaning are those of PEFT's
// LoraConfig. A value.
struct LoraConfig {
  int64_t r = 0;
  double lora_alpha = 0;
  double lora_dropout = 0;
  // Ends of modules' names. kAllLinear alone: every linear map; none: what PEFT
  // takes for the model.
  std::vector<std::string> target_modules;
  // Kalajdzievski, arXiv 2312.03732.
  bool use_rslora = false;

  // What an adapter's output is multiplied by.
  double scale() const;
};

inline constexpr char kAllLinear[] = "all-linear";

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_LORA_CONFIG_H_
