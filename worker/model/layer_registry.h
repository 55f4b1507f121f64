#ifndef HYDRA_WORKER_MODEL_LAYER_REGISTRY_H_
#define HYDRA_WORKER_MODEL_LAYER_REGISTRY_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/model_table.h"
#include "worker/model/layer.h"

namespace hydra {

// See layer_code.h, which few layers need.
class LayerCode;

// What a layer is made from. It need not outlive the making.
struct LayerContext {
  const LayerEntry& entry;
  // Its parameter blocks, in the entry's order.
  std::vector<ParameterBlock> blocks;
  // Its place in the chain.
  int layer = 0;
  // That of its file, if the entry has one.
  std::shared_ptr<const LayerCode> code = nullptr;
};

// Throws std::exception where the entry lacks an attribute or a block.
using LayerFactory = std::unique_ptr<Layer> (*)(const LayerContext& context);

// A factory for the layers of one class.
template <typename T>
std::unique_ptr<Layer> MakeLayer(const LayerContext& context) {
  return std::make_unique<T>(context);
}

// Finds layers by the op that their table names. Immutable.
class LayerRegistry {
 public:
  explicit LayerRegistry(std::map<std::string, LayerFactory> by_op)
      : by_op_(std::move(by_op)) {}

  // `code`: that of the layer's file, if it has one.
  //
  // UNIMPLEMENTED: nothing here computes the layer's op.
  // INTERNAL: the factory does not take the table's entry.
  absl::StatusOr<std::unique_ptr<Layer>> Make(
      const ModelTable& table, int layer,
      std::shared_ptr<const LayerCode> code = nullptr) const;

 private:
  const std::map<std::string, LayerFactory> by_op_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_LAYER_REGISTRY_H_
