#include "common/model/frozen_type.h"

#include "absl/strings/str_cat.h"
#include "common/model/two_byte_block.h"

namespace hydra {

ModelTable WithFrozenType(ModelTable table, ElementType type) {
  if (type == ElementType::kFloat32) return table;
  bool has_any = false;
  for (ParameterBlock& block : table.parameter_blocks) {
    if (!block.frozen || block.has_statistics()) continue;
    LayOutAs(type, block);
    has_any = true;
  }
  if (!has_any) return table;
  for (LayerEntry& layer : table.layers) {
    ReckonWithWidened(
        table, [](const ParameterBlock& block) { return block.frozen; }, layer);
  }
  absl::StrAppend(&table.architecture_key,
                  " frozen_dtype=", ElementTypeName(type));
  return table;
}

ElementType ElementTypeOf(hydra::v1::ParameterType type) {
  switch (type) {
    case hydra::v1::PARAMETER_TYPE_BFLOAT16:
      return ElementType::kBFloat16;
    case hydra::v1::PARAMETER_TYPE_FLOAT16:
      return ElementType::kFloat16;
    case hydra::v1::PARAMETER_TYPE_INT8:
      return ElementType::kInt8;
    default:
      return ElementType::kFloat32;
  }
}

}  // namespace hydra
