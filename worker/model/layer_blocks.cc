#include "worker/model/layer_blocks.h"

#include <algorithm>

#include "ATen/core/Tensor.h"
#include "c10/util/Exception.h"
#include "worker/model/block_views.h"
#include "worker/model/element_type.h"

namespace hydra {
namespace {

// Puts what a part has into its places among the whole's.
template <typename Item>
void PutInPlaces(const ParameterBlock& part, const std::vector<Item>& items,
                 std::vector<Item>& whole) {
  for (size_t i = 0; i < items.size(); ++i) whole[part.places[i]] = items[i];
}

}  // namespace

LayerBlocks::LayerBlocks(const LayerContext& context) : parts_(context.blocks) {
  const std::vector<int>& numbers = context.entry.parameter_blocks;
  const int parts = static_cast<int>(parts_.size());
  // Frozen parts stand behind what they are parts of.
  for (int i = 0; i < parts; ++i) {
    const ParameterBlock& part = parts_[i];
    if (part.divided_from < 0) {
      wholes_.push_back({i, kNone, part.tensors});
      continue;
    }
    const auto whole =
        std::find_if(wholes_.begin(), wholes_.end(), [&](const Whole& one) {
          return numbers[one.own] == part.divided_from;
        });
    TORCH_CHECK(whole != wholes_.end(), "there is a part of block ",
                part.divided_from, ", which is none of the layer's");
    const ParameterBlock& own = parts_[whole->own];
    whole->frozen = i;
    whole->tensors.resize(own.tensors.size() + part.tensors.size());
    PutInPlaces(own, own.tensors, whole->tensors);
    PutInPlaces(part, part.tensors, whole->tensors);
  }
}

bool LayerBlocks::IsFrozen(size_t block, size_t tensor) const {
  const Whole& whole = wholes_[block];
  if (parts_[whole.own].frozen) return true;
  if (whole.frozen == kNone) return false;
  const std::vector<int>& places = parts_[whole.frozen].places;
  return std::binary_search(places.begin(), places.end(),
                            static_cast<int>(tensor));
}

std::vector<at::Tensor> LayerBlocks::Views(
    size_t block, const std::vector<at::Tensor>& flats) const {
  const Whole& whole = wholes_[block];
  std::vector<at::Tensor> own =
      TensorViews(parts_[whole.own], flats[whole.own]);
  if (whole.frozen == kNone) return own;
  const ParameterBlock& frozen = parts_[whole.frozen];
  std::vector<at::Tensor> views(whole.tensors.size());
  PutInPlaces(parts_[whole.own], own, views);
  PutInPlaces(frozen, TensorViews(frozen, flats[whole.frozen]), views);
  return views;
}

std::vector<at::Tensor> LayerBlocks::WidenedViews(
    size_t block, const std::vector<at::Tensor>& flats) const {
  std::vector<at::Tensor> views = Views(block, flats);
  for (at::Tensor& view : views) view = Widened(view);
  return views;
}

void LayerBlocks::ZeroPadding(const std::vector<at::Tensor>& flats) const {
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (flats[i].defined()) hydra::ZeroPadding(parts_[i], flats[i]);
  }
}

}  // namespace hydra
