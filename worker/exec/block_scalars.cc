#include "worker/exec/block_scalars.h"

namespace hydra {

BlockScalars::BlockScalars(const UpdateScalars& scalars,
                           const hydra::v1::TrainSpec& train,
                           const ParameterBlock& block)
    : BlockScalars(scalars) {
  if (!train.no_decay_biases_and_norms()) return;
  other_.decay_into_gradient = 0;
  other_.kept_parameter = 1;
  for (const TensorEntry& tensor : block.tensors) {
    if (tensor.shape.size() > 1) continue;
    const int64_t element_bytes = ElementBytes(block.type);
    const int64_t bytes = tensor.element_count * element_bytes;
    const int64_t begin = block.FirstElement(tensor);
    const int64_t end = begin + AlignedTensorBytes(bytes) / element_bytes;
    if (!not_decayed_.empty() && not_decayed_.back().end == begin) {
      not_decayed_.back().end = end;
    } else {
      not_decayed_.push_back({begin, end});
    }
  }
}

}  // namespace hydra
