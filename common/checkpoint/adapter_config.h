#ifndef HYDRA_COMMON_CHECKPOINT_ADAPTER_CONFIG_H_
#define HYDRA_COMMON_CHECKPOINT_ADAPTER_CONFIG_H_

#include <string>

#include "common/model/model_table.h"

namespace hydra {

inline constexpr char kAdapterConfigFile[] = "adapter_config.json";

// The text of adapter_config.json, as PEFT writes it beside
// adapter_model.safetensors and reads it to open both with the model in
// `base_model_dir`. Pure. Requires a table with adapters.
std::string AdapterConfigJson(const ModelTable& table,
                              const std::string& base_model_dir);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHECKPOINT_ADAPTER_CONFIG_H_
