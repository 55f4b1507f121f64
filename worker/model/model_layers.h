#ifndef HYDRA_WORKER_MODEL_MODEL_LAYERS_H_
#define HYDRA_WORKER_MODEL_MODEL_LAYERS_H_

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/model_table.h"
#include "worker/model/layer.h"
#include "worker/model/layer_registry.h"

namespace hydra {

// The arithmetic of a whole model, layer by layer. Holds no parameters and does
// not refer to the table that it was built from. Immutable.
class ModelLayers {
 public:
  // Errors: as LayerRegistry::Make.
  static absl::StatusOr<ModelLayers> Build(const ModelTable& table,
                                           const LayerRegistry& registry);

  const Layer& layer(int layer) const { return *layers_[layer]; }

 private:
  explicit ModelLayers(std::vector<std::unique_ptr<Layer>> layers)
      : layers_(std::move(layers)) {}

  std::vector<std::unique_ptr<Layer>> layers_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_MODEL_LAYERS_H_
