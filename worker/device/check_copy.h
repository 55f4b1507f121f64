#ifndef HYDRA_WORKER_DEVICE_CHECK_COPY_H_
#define HYDRA_WORKER_DEVICE_CHECK_COPY_H_

#include <cstddef>

#include "ATen/core/Tensor.h"
#include "c10/util/Exception.h"

namespace hydra {

// What every device asks of a copy: throws c10::Error unless `tensor` is
// contiguous and has `bytes` bytes.
inline void CheckCopy(const at::Tensor& tensor, size_t bytes) {
  TORCH_INTERNAL_ASSERT(tensor.is_contiguous() && tensor.nbytes() == bytes,
                        "a copy of ", bytes, " bytes to or from a tensor of ",
                        tensor.nbytes());
}

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_CHECK_COPY_H_
