#include "common/model/lora_config.h"

#include <cmath>

namespace hydra {

double LoraConfig::scale() const {
  const auto rank = static_cast<double>(r);
  return lora_alpha / (use_rslora ? std::sqrt(rank) : rank);
}

}  // namespace hydra
