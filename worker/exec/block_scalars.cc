#include "worker/exec/block_scalars.h"

namespace hydra {

BlockScalars::BlockScalars(const UpdateScalars& scalars,
                           const hydra::v1::TrainSpec& train,
                           const ParameterBlock& block)
    : BlockScalars(scalars) {
  not_decayed_.decay_into_gradient = 0;
  not_decayed_.kept_parameter = 1;
  for (const TensorEntry& tensor : block.tensors) {
    const bool is_taken = tensor.use != TensorUse::kParameter;
    const bool decays =
        !train.no_decay_biases_and_norms() || tensor.shape.size() > 1;
    if (decays && !is_taken) continue;
    const int64_t element_bytes = ElementBytes(block.type);
    const int64_t bytes = tensor.element_count * element_bytes;
    const int64_t begin = block.FirstElement(tensor);
    const int64_t end = begin + AlignedTensorBytes(bytes) / element_bytes;
    if (!other_parts_.empty() && other_parts_.back().end == begin &&
        other_parts_.back().is_taken == is_taken) {
      other_parts_.back().end = end;
    } else {
      other_parts_.push_back({begin, end, is_taken});
    }
  }
}

}  // namespace hydra
