#include "common/model/lora.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/model/layer_memory.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

constexpr char kPeftPrefix[] = "base_model.model.";
constexpr char kWeight[] = ".weight";

absl::string_view ModuleOf(const TensorEntry& tensor) {
  return tensor.module.empty() ? absl::StripSuffix(tensor.name, kWeight)
                               : absl::string_view(tensor.module);
}

std::string AdapterName(const TensorEntry& weight, absl::string_view matrix) {
  return absl::StrCat(kPeftPrefix, ModuleOf(weight), ".", matrix, kWeight);
}

absl::string_view LastPart(absl::string_view module) {
  return module.substr(module.rfind('.') + 1);
}

// "output.dense"
absl::string_view LastTwoParts(absl::string_view module) {
  const size_t last = module.rfind('.');
  if (last == absl::string_view::npos || last == 0) return module;
  return module.substr(module.rfind('.', last - 1) + 1);
}

// PEFT's rule for a list of names.
bool IsNamed(absl::string_view module, absl::string_view target) {
  return module == target ||
         (absl::EndsWith(module, target) &&
          absl::EndsWith(absl::StripSuffix(module, target), "."));
}

absl::Status CheckNames(const ModelTable& table,
                        const std::vector<std::string>& targets) {
  for (const std::string& target : targets) {
    bool is_there = false;
    for (const ParameterBlock& block : table.parameter_blocks) {
      is_there |= absl::c_any_of(block.tensors, [&](const TensorEntry& tensor) {
        return tensor.linear != LinearLayout::kNone &&
               IsNamed(ModuleOf(tensor), target);
      });
    }
    if (is_there) continue;
    const std::string there = absl::StrJoin(LinearModules(table), ", ");
    if (target == kAllLinear) {
      return absl::InvalidArgumentError(absl::StrCat(
          kAllLinear, " stands alone; here it stands beside other names"));
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "found ", Quoted(target),
        ", which no linear map of the model ends in; ",
        there.empty()
            ? "this model has none"
            : absl::StrCat("there are ", there, "; or write ", kAllLinear)));
  }
  return absl::OkStatus();
}

// Whether PEFT would find a map by that name which has no adapter here: one of
// a head.
bool FitsOthers(const ModelTable& table, const std::string& target) {
  return absl::c_any_of(table.parameter_blocks, [&](const auto& block) {
    return absl::c_any_of(block.tensors, [&](const TensorEntry& tensor) {
      return tensor.linear == LinearLayout::kNone && tensor.shape.size() == 2 &&
             IsNamed(ModuleOf(tensor), target);
    });
  });
}

// The names, with longer ones, which fit the adapted maps alone, in place of
// those that fit others too.
std::vector<std::string> FittingAdaptedAlone(
    const ModelTable& table, const std::vector<std::string>& targets) {
  std::vector<std::string> names;
  const auto add = [&names](absl::string_view name) {
    if (!absl::c_linear_search(names, name)) names.emplace_back(name);
  };
  for (const std::string& target : targets) {
    if (!FitsOthers(table, target)) {
      add(target);
      continue;
    }
    for (const ParameterBlock& block : table.parameter_blocks) {
      for (const TensorEntry& tensor : block.tensors) {
        if (tensor.linear != LinearLayout::kNone &&
            IsNamed(ModuleOf(tensor), target)) {
          add(LastTwoParts(ModuleOf(tensor)));
        }
      }
    }
  }
  return names;
}

// Of torch.nn.Linear's own initialisation, which PEFT leaves lora_A with:
// kaiming_uniform_ with a = sqrt(5).
TensorInit InitOfA(int64_t in) {
  TensorInit init;
  init.kind = TensorInit::Kind::kUniform;
  init.bound = 1 / std::sqrt(static_cast<double>(in));
  return init;
}

ParameterBlock AdaptersOf(const ParameterBlock& own, const LoraConfig& config) {
  ParameterBlock adapters;
  adapters.is_adapter = true;
  for (const TensorEntry& weight : own.tensors) {
    if (weight.linear == LinearLayout::kNone) continue;
    const bool is_adapted =
        absl::c_any_of(config.target_modules, [&](const std::string& target) {
          return IsNamed(ModuleOf(weight), target);
        });
    if (!is_adapted) continue;
    int64_t out = weight.shape[0];
    int64_t in = weight.shape[1];
    if (weight.linear == LinearLayout::kInOut) std::swap(out, in);
    AddTensor(AdapterName(weight, "lora_A"), {config.r, in}, InitOfA(in),
              adapters);
    AddTensor(AdapterName(weight, "lora_B"), {out, config.r}, TensorInit(),
              adapters);
  }
  return adapters;
}

// What they make beside a layer: between the two products, and, with dropout, a
// copy of the widest input.
void AddMemory(const ParameterBlock& adapters, const LoraConfig& config,
               LayerEntry& layer) {
  std::vector<BoundaryTensor> made = {RowsLikeOutputs(layer, config.r)};
  if (config.lora_dropout > 0) {
    int64_t widest = 0;
    for (size_t a = 0; a < adapters.tensors.size(); a += 2) {
      widest = std::max(widest, adapters.tensors[a].shape[1]);
    }
    made.push_back(RowsLikeOutputs(layer, widest));
  }
  for (auto* moments : {&layer.memory.forward, &layer.memory.backward}) {
    for (std::vector<BoundaryTensor>& moment : *moments) {
      moment.insert(moment.end(), made.begin(), made.end());
    }
  }
}

// What takes other memory or time.
std::string KeyOf(const LoraConfig& config) {
  return absl::StrCat(" lora r=", config.r,
                      " modules=", absl::StrJoin(config.target_modules, ","),
                      " dropout=", config.lora_dropout);
}

}  // namespace

absl::StatusOr<ModelTable> WithLora(ModelTable table,
                                    const LoraConfig& config) {
  if (config.r < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("adapters have a rank of at least 1, found ", config.r));
  }
  LoraConfig found = config;
  if (found.target_modules.empty()) found.target_modules = table.lora_modules;
  if (found.target_modules == std::vector<std::string>{kAllLinear}) {
    found.target_modules = LinearModules(table);
  }
  if (found.target_modules.empty()) {
    return absl::InvalidArgumentError("the model has no linear maps to adapt");
  }
  if (absl::Status known = CheckNames(table, found.target_modules);
      !known.ok()) {
    return known;
  }
  found.target_modules = FittingAdaptedAlone(table, found.target_modules);
  for (ParameterBlock& block : table.parameter_blocks) block.frozen = true;
  for (LayerEntry& layer : table.layers) {
    if (layer.parameter_blocks.empty()) continue;
    ParameterBlock adapters = AdaptersOf(
        table.parameter_blocks[layer.parameter_blocks.front()], found);
    if (adapters.tensors.empty()) continue;
    AddMemory(adapters, found, layer);
    layer.attributes[lora::kScale] = found.scale();
    layer.attributes[lora::kDropout] = found.lora_dropout;
    layer.parameter_blocks.push_back(
        static_cast<int>(table.parameter_blocks.size()));
    table.parameter_blocks.push_back(std::move(adapters));
  }
  for (ParameterBlock& block : table.parameter_blocks) block.layers.clear();
  NoteUsers(table);
  absl::StrAppend(&table.architecture_key, KeyOf(found));
  table.lora = std::move(found);
  return table;
}

std::vector<std::string> LinearModules(const ModelTable& table) {
  std::vector<std::string> modules;
  for (const ParameterBlock& block : table.parameter_blocks) {
    for (const TensorEntry& tensor : block.tensors) {
      if (tensor.linear == LinearLayout::kNone) continue;
      std::string last(LastPart(ModuleOf(tensor)));
      if (!absl::c_linear_search(modules, last)) {
        modules.push_back(std::move(last));
      }
    }
  }
  return modules;
}

std::vector<AdapterPlace> AdapterPlaces(const ParameterBlock& own,
                                        const ParameterBlock& adapters) {
  std::vector<AdapterPlace> places;
  int lora_a = 0;
  for (size_t i = 0; i < own.tensors.size(); ++i) {
    if (own.tensors[i].linear == LinearLayout::kNone ||
        lora_a >= static_cast<int>(adapters.tensors.size()) ||
        adapters.tensors[lora_a].name !=
            AdapterName(own.tensors[i], "lora_A")) {
      continue;
    }
    places.push_back({static_cast<int>(i), lora_a});
    lora_a += 2;
  }
  return places;
}

}  // namespace hydra
