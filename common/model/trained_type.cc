#include "common/model/trained_type.h"

#include "absl/strings/str_cat.h"
#include "common/model/two_byte_block.h"

namespace hydra {

ModelTable WithTrainedType(ModelTable table, ElementType type) {
  if (type == ElementType::kFloat32) return table;
  for (ParameterBlock& block : table.parameter_blocks) {
    if (!block.frozen && !block.is_adapter) LayOutAs(type, block);
  }
  if (!table.HasMasters()) return table;
  for (LayerEntry& layer : table.layers) {
    ReckonWithWidened(
        table, [](const ParameterBlock& block) { return block.has_master(); },
        layer);
  }
  absl::StrAppend(&table.architecture_key,
                  " trained_dtype=", ElementTypeName(type));
  return table;
}

}  // namespace hydra
