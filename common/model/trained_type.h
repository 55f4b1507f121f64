#ifndef HYDRA_COMMON_MODEL_TRAINED_TYPE_H_
#define HYDRA_COMMON_MODEL_TRAINED_TYPE_H_

#include "common/model/model_table.h"

namespace hydra {

// The model with what is trained of it in elements of this type. In kBFloat16
// a parameter takes half of the bytes wherever a pass takes it, and has a
// master (ParameterBlock::has_master); passes widen each tensor when they
// compute with it. Adapters stay as they are. Pure.
// Requires kFloat32 or kBFloat16, and blocks as they were described, but that
// some are frozen.
ModelTable WithTrainedType(ModelTable table, ElementType type);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_TRAINED_TYPE_H_
