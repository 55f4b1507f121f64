#include "worker/model/block_views.h"

#include "ATen/core/Tensor.h"
#include "common/model/quantized_rows.h"
#include "worker/model/quantized_tensor.h"

namespace hydra {
namespace {

// Of a block of kInt8.
at::Tensor ViewOfBytes(const TensorEntry& tensor, const at::Tensor& flat) {
  const at::Tensor bytes = flat.narrow(0, tensor.offset_bytes,
                                       StoredBytes(ElementType::kInt8, tensor));
  if (StoredType(ElementType::kInt8, tensor) == ElementType::kInt8) {
    return QuantizedView(bytes, tensor.shape[0], tensor.shape[1]);
  }
  return bytes.view(at::kFloat).view(tensor.shape);
}

}  // namespace

std::vector<at::Tensor> TensorViews(const ParameterBlock& block,
                                    const at::Tensor& flat) {
  std::vector<at::Tensor> views;
  views.reserve(block.tensors.size());
  for (const TensorEntry& tensor : block.tensors) {
    if (!flat.defined()) {
      views.emplace_back();
      continue;
    }
    if (block.type == ElementType::kInt8) {
      views.push_back(ViewOfBytes(tensor, flat));
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
