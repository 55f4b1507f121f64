#include "worker/model/block_views.h"

#include "ATen/core/Tensor.h"

namespace hydra {

std::vector<at::Tensor> TensorViews(const ParameterBlock& block,
                                    const at::Tensor& flat) {
  std::vector<at::Tensor> views;
  views.reserve(block.tensors.size());
  for (const TensorEntry& tensor : block.tensors) {
    if (!flat.defined()) {
      views.emplace_back();
      continue;
    }
    views.push_back(
        flat.narrow(0, block.FirstElement(tensor), tensor.element_count)
            .view(tensor.shape));
  }
  return views;
}

void ZeroPadding(const ParameterBlock& block, const at::Tensor& flat) {
  for (size_t i = 0; i < block.tensors.size(); ++i) {
    const TensorEntry& tensor = block.tensors[i];
    const int64_t begin = block.FirstElement(tensor) + tensor.element_count;
    const int64_t end = i + 1 < block.tensors.size()
                            ? block.FirstElement(block.tensors[i + 1])
                            : block.element_count();
    if (begin < end) flat.narrow(0, begin, end - begin).zero_();
  }
}

}  // namespace hydra
