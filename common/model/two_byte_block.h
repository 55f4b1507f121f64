#ifndef HYDRA_COMMON_MODEL_TWO_BYTE_BLOCK_H_
#define HYDRA_COMMON_MODEL_TWO_BYTE_BLOCK_H_

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "common/model/model_table.h"

namespace hydra {

// For those who give a table's blocks another type. Pure.

// "bfloat16".
absl::string_view ElementTypeName(ElementType type);

// Lays the block out anew, with elements of this type.
void LayOutAs(ElementType type, ParameterBlock& block);

// Passes widen a tensor of fewer than four bytes an element when they compute
// with it: the layer reckons with the largest one that is there at once, of its
// blocks that are meant and have such elements. Of a table that is a range of
// its rows, else the block's largest linear map.
void ReckonWithWidened(const ModelTable& table,
                       absl::FunctionRef<bool(const ParameterBlock&)> is_meant,
                       LayerEntry& layer);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_TWO_BYTE_BLOCK_H_
