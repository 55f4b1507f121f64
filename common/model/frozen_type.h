#ifndef HYDRA_COMMON_MODEL_FROZEN_TYPE_H_
#define HYDRA_COMMON_MODEL_FROZEN_TYPE_H_

#include "common/model/model_table.h"
#include "hydra/v1/job.pb.h"

namespace hydra {

// The model with its frozen blocks in elements of this type: half of the bytes,
// in the pool, on the link and on the device, where it is one of two bytes, and
// about a quarter with kInt8 (see quantized_rows.h).
// Passes widen each tensor when they compute with it, so that they compute the
// same bits as with kFloat32, if these values are the same. Blocks with what a
// batch norm remembers (TensorUse) stay as they are.
// Pure. Requires kFloat32, kBFloat16, kFloat16 or kInt8, and blocks as they
// were described.
ModelTable WithFrozenType(ModelTable table, ElementType type);

// kFloat32 for what is not said, or not yet known.
ElementType ElementTypeOf(hydra::v1::ParameterType type);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_FROZEN_TYPE_H_
