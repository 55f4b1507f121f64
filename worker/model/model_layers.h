#ifndef HYDRA_WORKER_MODEL_MODEL_LAYERS_H_
#define HYDRA_WORKER_MODEL_MODEL_LAYERS_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/model_table.h"
#include "worker/model/layer.h"
#include "worker/model/layer_registry.h"

namespace hydra {

// The bytes of a file of the model's directory, by its name there; see
// LayerEntry::file.
using ReadLayerFile =
    std::function<absl::StatusOr<std::string>(const std::string& name)>;

// The arithmetic of a whole model, layer by layer. Holds no parameters and does
// not refer to the table that it was built from. Immutable.
class ModelLayers {
 public:
  // Reads each file of code once. Null: none may be read.
  //
  // PERMISSION_DENIED: there are such files, and `read` is null.
  // INVALID_ARGUMENT: a file is not the one that the table means, or as
  //   LayerCode::Load and CheckParameters.
  // RESOURCE_EXHAUSTED: as LayerCode::Load.
  // Others: as `read`, and as LayerRegistry::Make.
  static absl::StatusOr<ModelLayers> Build(const ModelTable& table,
                                           const LayerRegistry& registry,
                                           const ReadLayerFile& read = nullptr);

  const Layer& layer(int layer) const { return *layers_[layer]; }

 private:
  explicit ModelLayers(std::vector<std::unique_ptr<Layer>> layers)
      : layers_(std::move(layers)) {}

  std::vector<std::unique_ptr<Layer>> layers_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_MODEL_LAYERS_H_
