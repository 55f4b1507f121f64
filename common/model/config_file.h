#ifndef HYDRA_COMMON_MODEL_CONFIG_FILE_H_
#define HYDRA_COMMON_MODEL_CONFIG_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/class_labels.h"
#include "common/model/model_table.h"

// A config.json beside its dimensions. `names` are those of the table that
// Describe makes of it. Pure.
namespace hydra {

// What of a config.json that Describe takes is not used, though somebody
// may count on it. Empty for what transformers writes for a language model, and
// for what transformers knows nothing of.
std::vector<std::string> ConfigWarnings(absl::string_view config_json,
                                        const ConfigNames& names);

// The config.json of the model that training makes of one with `config_json`:
// the same, but for what would not be true of it. It is a language model, what
// was trained of its weights is of `trained_type`, and it has no other head and
// no code of its own. What transformers knows nothing of is as it was.
//
// INVALID_ARGUMENT: as ParsePythonJson.
absl::StatusOr<std::string> TrainedModelConfig(
    absl::string_view config_json, const ConfigNames& names,
    ElementType trained_type = ElementType::kFloat32);

// The same config.json for weights that are kFloat32, kBFloat16 or kFloat16.
//
// INVALID_ARGUMENT: as ParsePythonJson.
absl::StatusOr<std::string> WithWeightsType(absl::string_view config_json,
                                            ElementType type);

// The same config.json, with these names of all of its classes.
//
// INVALID_ARGUMENT: as ParsePythonJson.
absl::StatusOr<std::string> WithClassLabels(absl::string_view config_json,
                                            const ConfigNames& names,
                                            const ClassNumbers& classes);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_CONFIG_FILE_H_
