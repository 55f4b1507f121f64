#include "worker/model/vit_embedding.h"

#include <utility>

#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "c10/core/GradMode.h"
#include "common/model/vit_table.h"
#include "worker/model/parameter_gradients.h"

namespace hydra {
namespace {

int64_t IntegerOf(const LayerContext& context, const char* attribute) {
  return static_cast<int64_t>(context.entry.attributes.at(attribute));
}

// One row of numbers.
at::Tensor Flat(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.view({-1}) : tensor;
}

}  // namespace

VitEmbedding::VitEmbedding(const LayerContext& context)
    : blocks_(context),
      channels_(IntegerOf(context, vit::kChannels)),
      patch_height_(IntegerOf(context, vit::kPatchHeight)),
      patch_width_(IntegerOf(context, vit::kPatchWidth)),
      patch_rows_(IntegerOf(context, vit::kImageHeight) / patch_height_),
      patch_columns_(IntegerOf(context, vit::kImageWidth) / patch_width_),
      dropout_(context.entry.attributes.at(vit::kDropout)),
      layer_(context.layer) {}

VitEmbedding::Views VitEmbedding::ViewsOf(const Tensors& flats) const {
  const Tensors tensors = blocks_.WidenedViews(0, flats);
  Views views;
  views.class_token = Flat(tensors[0]);
  views.positions = Flat(tensors[1]);
  if (tensors[2].defined()) {
    views.patches.weight = tensors[2].view({tensors[2].size(0), -1});
  }
  views.patches.bias = tensors[3];
  return views;
}

at::Tensor VitEmbedding::PatchesOf(const MicroBatch& micro_batch) const {
  return micro_batch.examples
      .view({micro_batch.sequences(), channels_, patch_rows_, patch_height_,
             patch_columns_, patch_width_})
      .permute({0, 2, 4, 1, 3, 5})
      .reshape({-1, channels_ * patch_height_ * patch_width_});
}

LayerOutput VitEmbedding::Forward(const LayerInput& input) const {
  const at::NoGradGuard no_grad;
  const MicroBatch& batch = input.micro_batch;
  const Views p = ViewsOf(input.flats);
  const int64_t images = batch.sequences();
  const int64_t patches = patch_rows_ * patch_columns_;
  const int64_t width = p.patches.weight.size(0);
  at::Tensor sum =
      at::empty({images, 1 + patches, width}, batch.examples.options());
  sum.select(1, 0).copy_(p.class_token);
  sum.narrow(1, 1, patches)
      .copy_(
          Project(PatchesOf(batch), p.patches).view({images, patches, width}));
  sum.add_(p.positions.view({1 + patches, width}));
  DropOut(sum, DropoutOf(batch));
  LayerOutput output;
  output.boundary.push_back(std::move(sum));
  return output;
}

Tape VitEmbedding::Record(const LayerInput& input) const {
  Tape tape;
  tape.outputs = Forward(input).boundary;
  tape.micro_batch = input.micro_batch;
  return tape;
}

LayerGradients VitEmbedding::Backward(Tape tape,
                                      const Tensors& output_gradients,
                                      const Tensors& flat_gradients,
                                      bool accumulate) const {
  if (!flat_gradients.front().defined()) return {};
  const at::NoGradGuard no_grad;
  const MicroBatch& batch = tape.micro_batch;
  tape.outputs.clear();
  at::Tensor gradient = output_gradients.front();
  if (const Dropout dropout = DropoutOf(batch); dropout.probability > 0) {
    gradient = gradient.clone();
    DropOut(gradient, dropout);
  }
  const int64_t images = batch.sequences();
  const Views to = ViewsOf(flat_gradients);
  const ParameterGradients store(accumulate);
  store.StoreRowSum(gradient.select(1, 0), to.class_token);
  store.StoreRowSum(gradient.view({images, -1}), to.positions);
  if (to.patches.weight.defined() || to.patches.bias.defined()) {
    StoreProjection(PatchesOf(batch),
                    gradient.narrow(1, 1, patch_rows_ * patch_columns_)
                        .reshape({-1, gradient.size(2)}),
                    {}, store, to.patches);
  }
  if (!accumulate) blocks_.ZeroPadding(flat_gradients);
  return {};
}

Dropout VitEmbedding::DropoutOf(const MicroBatch& micro_batch) const {
  return {micro_batch.training ? dropout_ : 0,
          MaskSeed(micro_batch.seed, layer_, /*mask=*/0)};
}

}  // namespace hydra
