#ifndef HYDRA_COMMON_MODEL_BFLOAT16_PRODUCTS_H_
#define HYDRA_COMMON_MODEL_BFLOAT16_PRODUCTS_H_

#include "common/model/model_table.h"

namespace hydra {

// Of layers whose linear maps compute as WithBFloat16Products says: 1.
inline constexpr char kBFloat16Products[] = "bfloat16_products";

// The model with the products of its linear maps, and of its head, in bfloat16:
// operands and results are rounded to it, sums are float32's. Adapters'
// products are float32, as all else is. Pure. Requires the types of blocks that
// the model has in the end (WithFrozenType).
ModelTable WithBFloat16Products(ModelTable table);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_BFLOAT16_PRODUCTS_H_
