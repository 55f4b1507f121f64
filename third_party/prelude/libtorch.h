// As base.h, for units that include LibTorch.
#ifndef HYDRA_THIRD_PARTY_PRELUDE_LIBTORCH_H_
#define HYDRA_THIRD_PARTY_PRELUDE_LIBTORCH_H_

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "c10/core/GradMode.h"
#include "third_party/prelude/base.h"

#endif  // HYDRA_THIRD_PARTY_PRELUDE_LIBTORCH_H_
