#include "common/model/model_table.h"

#include <algorithm>
#include <utility>

namespace hydra {
namespace {

int64_t CountOf(const ParameterBlock& block) {
  int64_t count = 0;
  for (const TensorEntry& tensor : block.tensors) {
    if (tensor.use == TensorUse::kParameter) count += tensor.element_count;
  }
  return count;
}

}  // namespace

int64_t AlignedTensorBytes(int64_t bytes) {
  return (bytes + kTensorAlignmentBytes - 1) / kTensorAlignmentBytes *
         kTensorAlignmentBytes;
}

int64_t ElementBytes(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return kFloatBytes;
    case ElementType::kInt64:
      return sizeof(int64_t);
    case ElementType::kBFloat16:
    case ElementType::kFloat16:
      return sizeof(uint16_t);
    case ElementType::kInt8:
      return sizeof(int8_t);
  }
  return 0;
}

bool ParameterBlock::has_statistics() const {
  return std::any_of(tensors.begin(), tensors.end(),
                     [](const TensorEntry& tensor) {
                       return tensor.use != TensorUse::kParameter;
                     });
}

std::vector<int64_t> BoundaryTensor::ShapeOf(int64_t sequences,
                                             int64_t context) const {
  std::vector<int64_t> sizes = shape;
  for (int64_t& size : sizes) {
    if (size == kBatchSequences) size = sequences;
    if (size == kBatchContext) size = context;
  }
  return sizes;
}

int64_t BoundaryTensor::Bytes(int64_t sequences, int64_t context) const {
  int64_t bytes = ElementBytes(type);
  for (int64_t size : ShapeOf(sequences, context)) bytes *= size;
  return bytes;
}

int64_t BytesOf(const std::vector<BoundaryTensor>& tensors, int64_t sequences,
                int64_t context) {
  int64_t bytes = 0;
  for (const BoundaryTensor& tensor : tensors) {
    bytes += AlignedTensorBytes(tensor.Bytes(sequences, context));
  }
  return bytes;
}

int64_t ExampleInput::element_count() const {
  int64_t count = 1;
  for (int64_t size : shape) count *= size;
  return count;
}

int64_t ModelTable::ParameterBytes() const {
  int64_t bytes = 0;
  for (const ParameterBlock& block : parameter_blocks) {
    bytes += block.size_bytes;
  }
  return bytes;
}

int64_t ModelTable::TrainedBytes() const {
  int64_t bytes = 0;
  for (const ParameterBlock& block : parameter_blocks) {
    if (!block.frozen) bytes += block.size_bytes;
  }
  return bytes;
}

int64_t ModelTable::TrainedElements() const {
  int64_t elements = 0;
  for (const ParameterBlock& block : parameter_blocks) {
    if (!block.frozen) elements += block.element_count();
  }
  return elements;
}

bool ModelTable::HasMasters() const {
  return std::any_of(
      parameter_blocks.begin(), parameter_blocks.end(),
      [](const ParameterBlock& block) { return block.has_master(); });
}

int64_t ModelTable::ParameterCount() const {
  int64_t count = 0;
  for (const ParameterBlock& block : parameter_blocks) count += CountOf(block);
  return count;
}

int64_t ModelTable::TrainedCount() const {
  int64_t count = 0;
  for (const ParameterBlock& block : parameter_blocks) {
    if (!block.frozen) count += CountOf(block);
  }
  return count;
}

int ModelTable::FirstTrainedLayer() const {
  int first = layer_count();
  for (const ParameterBlock& block : parameter_blocks) {
    if (!block.frozen) first = std::min(first, block.owner());
  }
  return first;
}

bool ModelTable::RunsOwnCode() const {
  return std::any_of(layers.begin(), layers.end(), [](const LayerEntry& layer) {
    return layer.file.has_value();
  });
}

const std::vector<BoundaryTensor>& ModelTable::BoundaryBefore(int layer) const {
  static const auto& none = *new std::vector<BoundaryTensor>();
  return layer == 0 ? none : layers[layer - 1].outputs;
}

std::vector<BoundaryPlace> ModelTable::BoundaryPlaces(int layer,
                                                      int64_t sequences,
                                                      int64_t context) const {
  std::vector<BoundaryPlace> places;
  int64_t begin = 0;
  for (const BoundaryTensor& tensor : BoundaryBefore(layer)) {
    const int64_t end = begin + tensor.Bytes(sequences, context);
    places.push_back({&tensor, begin, end});
    begin = AlignedTensorBytes(end);
  }
  return places;
}

int64_t ModelTable::BoundaryBytes(int layer, int64_t sequences,
                                  int64_t context) const {
  const std::vector<BoundaryPlace> places =
      BoundaryPlaces(layer, sequences, context);
  return places.empty() ? 0 : AlignedTensorBytes(places.back().end_bytes);
}

int64_t ModelTable::LargestBoundaryBytes(int64_t sequences,
                                         int64_t context) const {
  int64_t largest = 0;
  for (int layer = 1; layer < layer_count(); ++layer) {
    largest = std::max(largest, BoundaryBytes(layer, sequences, context));
  }
  return largest;
}

void AddTensor(std::string name, std::vector<int64_t> shape, TensorInit init,
               ParameterBlock& block) {
  TensorEntry tensor;
  tensor.name = std::move(name);
  tensor.shape = std::move(shape);
  tensor.element_count = 1;
  for (int64_t dimension : tensor.shape) tensor.element_count *= dimension;
  tensor.offset_bytes = block.size_bytes;
  tensor.init = init;
  block.size_bytes +=
      AlignedTensorBytes(tensor.element_count * ElementBytes(block.type));
  block.tensors.push_back(std::move(tensor));
}

void AddLinear(std::string name, std::vector<int64_t> shape,
               LinearLayout layout, TensorInit init, ParameterBlock& block) {
  AddTensor(std::move(name), std::move(shape), init, block);
  block.tensors.back().linear = layout;
}

void AddStatistic(std::string name, std::vector<int64_t> shape, TensorUse use,
                  TensorInit init, ParameterBlock& block) {
  AddTensor(std::move(name), std::move(shape), init, block);
  block.tensors.back().use = use;
}

void NoteUsers(ModelTable& table) {
  for (int layer = 0; layer < table.layer_count(); ++layer) {
    for (int block : table.layers[layer].parameter_blocks) {
      table.parameter_blocks[block].layers.push_back(layer);
    }
  }
}

}  // namespace hydra
