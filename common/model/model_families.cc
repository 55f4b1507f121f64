#include "common/model/model_families.h"

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/json/python_json.h"
#include "common/model/frozen_layers.h"
#include "common/model/frozen_type.h"
#include "common/model/lora.h"
#include "common/model/product_type.h"
#include "common/model/trained_type.h"

namespace hydra {

namespace {

// Written so that it reads back as the same number.
std::string Exact(double number) { return absl::StrFormat("%.17g", number); }

// Names have no line ends.
std::string LoraContent(const LoraConfig& lora) {
  return absl::StrCat("lora ", lora.r, " ", Exact(lora.lora_alpha), " ",
                      Exact(lora.lora_dropout), " ", lora.use_rslora, " ",
                      absl::StrJoin(lora.target_modules, " "), "\n");
}

}  // namespace

ModelOverrides OverridesOf(const hydra::v1::JobSpec& job) {
  ModelOverrides overrides;
  if (job.train().has_dropout()) overrides.dropout = job.train().dropout();
  overrides.frozen = {job.model().frozen().begin(), job.model().frozen().end()};
  if (job.has_lora()) {
    const hydra::v1::LoraSpec& lora = job.lora();
    overrides.lora = {
        lora.r(),
        lora.lora_alpha(),
        lora.lora_dropout(),
        {lora.target_modules().begin(), lora.target_modules().end()},
        lora.use_rslora()};
  }
  overrides.product_type = ProductTypeOf(job.train());
  overrides.frozen_type = ElementTypeOf(job.model().frozen_dtype());
  overrides.trained_type = ElementTypeOf(job.model().trained_dtype());
  return overrides;
}

std::string DescriptionContent(absl::string_view config_json,
                               const ModelOverrides& overrides) {
  std::string content = absl::StrCat(
      overrides.dropout.has_value() ? Exact(*overrides.dropout) : "own", "\n");
  for (const std::string& pattern : overrides.frozen) {
    absl::StrAppend(&content, "frozen ", pattern.size(), " ", pattern, "\n");
  }
  if (overrides.lora.has_value()) {
    absl::StrAppend(&content, LoraContent(*overrides.lora));
  }
  if (overrides.product_type != ElementType::kFloat32) {
    absl::StrAppend(&content, "products ",
                    static_cast<int>(overrides.product_type), "\n");
  }
  if (overrides.frozen_type != ElementType::kFloat32) {
    absl::StrAppend(&content, "type ", static_cast<int>(overrides.frozen_type),
                    "\n");
  }
  if (overrides.trained_type != ElementType::kFloat32) {
    absl::StrAppend(&content, "trained type ",
                    static_cast<int>(overrides.trained_type), "\n");
  }
  return absl::StrCat(content, config_json);
}

absl::StatusOr<ModelTable> ModelFamilies::Describe(
    absl::string_view config_json, const ModelOverrides& overrides) const {
  const auto config = ParsePythonJson(config_json);
  if (!config.ok()) return config.status();
  const auto type = config->find("model_type");
  if (type != config->end() && type->is_string()) {
    const auto family = by_model_type_.find(type->get<std::string>());
    if (family != by_model_type_.end()) {
      absl::StatusOr<ModelTable> table = family->second(config_json, overrides);
      if (table.ok()) table = WithFrozen(*std::move(table), overrides.frozen);
      if (table.ok() && overrides.lora.has_value()) {
        table = WithLora(*std::move(table), *overrides.lora);
      }
      if (!table.ok()) return table;
      table = WithTrainedType(*std::move(table), overrides.trained_type);
      table = WithFrozenType(*std::move(table), overrides.frozen_type);
      if (overrides.product_type == ElementType::kFloat32) return table;
      return WithProductType(*std::move(table), overrides.product_type);
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
          : absl::StrCat("; supported are ", absl::StrJoin(known, ", ")),
      other_way_.empty() ? "" : "; ", other_way_));
}

}  // namespace hydra
