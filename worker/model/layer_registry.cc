#include "worker/model/layer_registry.h"

#include <exception>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hydra {

absl::StatusOr<std::unique_ptr<Layer>> LayerRegistry::Make(
    const ModelTable& table, int layer,
    std::shared_ptr<const LayerCode> code) const {
  const LayerEntry& entry = table.layers[layer];
  const auto found = by_op_.find(entry.op);
  if (found == by_op_.end()) {
    return absl::UnimplementedError(
        absl::StrCat("layer ", layer, " is a \"", entry.op,
                     "\", which this worker cannot compute"));
  }
  LayerContext context{entry, {}, layer, std::move(code)};
  for (int block : entry.parameter_blocks) {
    context.blocks.push_back(table.parameter_blocks[block]);
  }
  try {
    return found->second(context);
  } catch (const std::exception& error) {
    return absl::InternalError(
        absl::StrCat("layer ", layer, " (", entry.op, "): ", error.what()));
  }
}

}  // namespace hydra
