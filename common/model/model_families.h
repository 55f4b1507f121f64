#ifndef HYDRA_COMMON_MODEL_MODEL_FAMILIES_H_
#define HYDRA_COMMON_MODEL_MODEL_FAMILIES_H_

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/lora_config.h"
#include "common/model/model_table.h"
#include "hydra/v1/job.pb.h"

namespace hydra {

// What a job says of its model beside the model's own config.json.
struct ModelOverrides {
  // Every dropout probability of the model.
  std::optional<double> dropout;
  // See WithFrozen.
  std::vector<std::string> frozen;
  // See WithLora.
  std::optional<LoraConfig> lora;
  // See WithProductType.
  ElementType product_type = ElementType::kFloat32;
  // See WithFrozenType.
  ElementType frozen_type = ElementType::kFloat32;
  // See WithTrainedType.
  ElementType trained_type = ElementType::kFloat32;
};

// Requires the defaults filled in.
ModelOverrides OverridesOf(const hydra::v1::JobSpec& job);

// All that a description looks at, as a text: equal texts, equal tables.
std::string DescriptionContent(absl::string_view config_json,
                               const ModelOverrides& overrides);

// Makes the table of a family's model from its config.json. Of the overrides it
// looks at those of the config alone.
//
// INVALID_ARGUMENT: the config is not one that Hydra can train; the message has
//   one line for each mistake, "key: what was found and what would be right".
using Description = absl::StatusOr<ModelTable> (*)(
    absl::string_view config_json, const ModelOverrides& overrides);

// Descriptions by the model_type that a config.json names. Immutable.
class ModelFamilies {
 public:
  // `other_way`: what whoever has a model of no such type can do, for a
  // message. Empty: nothing.
  explicit ModelFamilies(std::map<std::string, Description> by_model_type,
                         std::string other_way = "")
      : by_model_type_(std::move(by_model_type)),
        other_way_(std::move(other_way)) {}

  // INVALID_ARGUMENT: not JSON (see ParsePythonJson), a model_type that is not
  //   here, or as the family's Description, WithFrozen and WithLora.
  absl::StatusOr<ModelTable> Describe(absl::string_view config_json,
                                      const ModelOverrides& overrides) const;

 private:
  const std::map<std::string, Description> by_model_type_;
  const std::string other_way_;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_MODEL_FAMILIES_H_
