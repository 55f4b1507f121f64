#include "worker/model/model_layers.h"

namespace hydra {

absl::StatusOr<ModelLayers> ModelLayers::Build(const ModelTable& table,
                                               const LayerRegistry& registry) {
  std::vector<std::unique_ptr<Layer>> layers;
  for (int i = 0; i < table.layer_count(); ++i) {
    absl::StatusOr<std::unique_ptr<Layer>> layer = registry.Make(table, i);
    if (!layer.ok()) return layer.status();
    layers.push_back(*std::move(layer));
  }
  return ModelLayers(std::move(layers));
}

}  // namespace hydra
