#include "worker/model/testing/plain_adapters.h"

#include "ATen/TensorOperators.h"
#include "ATen/ops/linear.h"
#include "ATen/ops/ones.h"
#include "worker/model/block_layer.h"
#include "worker/model/dropout.h"

namespace hydra {

PlainAdapters::PlainAdapters(const LayerContext& context)
    : layer_(context.layer),
      own_tensors_(static_cast<int>(context.blocks[0].tensors.size())) {
  if (context.blocks.size() == 1) return;
  places_ = AdapterPlaces(context.blocks[0], context.blocks[1]);
  scale_ = context.entry.attributes.at(lora::kScale);
  dropout_ = context.entry.attributes.at(lora::kDropout);
}

at::Tensor PlainAdapters::Add(int weight, const at::Tensor& input,
                              const at::Tensor& output,
                              const Tensors& parameters,
                              const MicroBatch& micro_batch) const {
  for (const AdapterPlace& place : places_) {
    if (place.weight != weight) continue;
    at::Tensor dropped = input;
    if (micro_batch.training && dropout_ > 0) {
      const at::Tensor kept = at::ones(input.sizes());
      DropOut(kept, {dropout_, MaskSeed(micro_batch.seed, layer_,
                                        BlockLayer::kAdapterMask + weight)});
      dropped = input * kept;
    }
    const int a = own_tensors_ + place.lora_a;
    return output +
           at::linear(at::linear(dropped, parameters[a]), parameters[a + 1]) *
               scale_;
  }
  return output;
}

}  // namespace hydra
