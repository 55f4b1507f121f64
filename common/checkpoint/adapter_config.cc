#include "common/checkpoint/adapter_config.h"

#include <cmath>
#include <cstdint>

#include "absl/algorithm/container.h"
#include "nlohmann/json.hpp"

namespace hydra {
namespace {

using nlohmann::json;

// PEFT's type for it is a whole number.
json AsWhole(double number) {
  if (number == std::trunc(number) && std::abs(number) < 1e15) {
    return static_cast<int64_t>(number);
  }
  return number;
}

// Whether PEFT finds the adapted weights as [in, out].
bool IsFanInFanOut(const ModelTable& table) {
  return absl::c_any_of(table.parameter_blocks, [](const auto& block) {
    return absl::c_any_of(block.tensors, [](const TensorEntry& tensor) {
      return tensor.linear == LinearLayout::kInOut;
    });
  });
}

}  // namespace

std::string AdapterConfigJson(const ModelTable& table,
                              const std::string& base_model_dir) {
  const LoraConfig& lora = *table.lora;
  const json config = {
      {"alpha_pattern", json::object()},
      {"auto_mapping", nullptr},
      {"base_model_name_or_path", base_model_dir},
      {"bias", "none"},
      {"fan_in_fan_out", IsFanInFanOut(table)},
      {"inference_mode", true},
      {"init_lora_weights", true},
      {"layers_pattern", nullptr},
      {"layers_to_transform", nullptr},
      {"lora_alpha", AsWhole(lora.lora_alpha)},
      {"lora_dropout", lora.lora_dropout},
      {"modules_to_save", nullptr},
      {"peft_type", "LORA"},
      {"r", lora.r},
      {"rank_pattern", json::object()},
      {"revision", nullptr},
      {"target_modules", lora.target_modules},
      {"task_type", table.examples.has_value() || table.takes_whole_sequences()
                        ? json(nullptr)
                        : json("CAUSAL_LM")},
      {"use_dora", false},
      {"use_rslora", lora.use_rslora},
  };
  // A path may be any bytes.
  return config.dump(2, ' ', /*ensure_ascii=*/false,
                     json::error_handler_t::replace) +
         "\n";
}

}  // namespace hydra
