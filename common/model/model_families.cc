#include "common/model/model_families.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/json/python_json.h"

namespace hydra {

ModelOverrides OverridesOf(const hydra::v1::TrainSpec& train) {
  ModelOverrides overrides;
  if (train.has_dropout()) overrides.dropout = train.dropout();
  return overrides;
}

std::string DescriptionContent(absl::string_view config_json,
                               const ModelOverrides& overrides) {
  // Written so that it reads back as the same number.
  return absl::StrCat(overrides.dropout.has_value()
                          ? absl::StrFormat("%.17g", *overrides.dropout)
                          : "own",
                      "\n", config_json);
}

absl::StatusOr<ModelTable> ModelFamilies::Describe(
    absl::string_view config_json, const ModelOverrides& overrides) const {
  const auto config = ParsePythonJson(config_json);
  if (!config.ok()) return config.status();
  const auto type = config->find("model_type");
  if (type != config->end() && type->is_string()) {
    const auto family = by_model_type_.find(type->get<std::string>());
    if (family != by_model_type_.end()) {
      return family->second(config_json, overrides);
    }
  }
  std::vector<std::string> known;
  for (const auto& [name, description] : by_model_type_) {
    known.push_back(absl::StrCat("\"", name, "\""));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "model_type: found ",
      type == config->end() ? "nothing" : ShownJson(*type),
      known.size() == 1
          ? absl::StrCat("; only ", known.front(), " is supported")
          : absl::StrCat("; supported are ", absl::StrJoin(known, ", "))));
}

}  // namespace hydra
