#ifndef HYDRA_WORKER_EXEC_BLOCK_FLOATS_H_
#define HYDRA_WORKER_EXEC_BLOCK_FLOATS_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "common/model/model_table.h"
#include "worker/model/element_type.h"

namespace hydra {

// Blocks move in floats, whatever type their elements are of: those are what
// BlockIo counts. Ranges of a block's elements begin and end at whole ones.

inline int64_t FloatsOf(ElementType type, int64_t elements) {
  return elements * ElementBytes(type) / kFloatBytes;
}

inline int64_t FloatsOf(const ParameterBlock& block) {
  return block.size_bytes / kFloatBytes;
}

// Flat tensors over the same memory, in either direction.
inline at::Tensor AsElements(const at::Tensor& floats, ElementType type) {
  return floats.view(TorchTypeOf(type));
}
inline at::Tensor AsFloats(const at::Tensor& elements) {
  return elements.view(at::kFloat);
}

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_BLOCK_FLOATS_H_
