#include "worker/model/autograd_layer.h"

#include <utility>

#include "ATen/core/Tensor.h"
#include "ATen/ops/full_like.h"
#include "ATen/ops/zeros_like.h"
#include "c10/core/GradMode.h"
#include "c10/util/Exception.h"
#include "common/model/model_table.h"
#include "torch/csrc/autograd/autograd.h"

namespace hydra {
namespace {

// A leaf of a new graph in the same memory; what has no gradient is itself.
at::Tensor Leaf(const at::Tensor& tensor, bool is_frozen = false) {
  at::Tensor leaf = tensor.detach();
  return leaf.is_floating_point() && !is_frozen ? leaf.requires_grad_() : leaf;
}

LossSum LossOf(const at::Tensor& loss, const MicroBatch& micro_batch) {
  return {loss.item<double>(), micro_batch.target_count()};
}

}  // namespace

AutogradLayer::AutogradLayer(const LayerContext& context)
    : blocks_(context), makes_loss_(context.entry.outputs.empty()) {
  for (const ParameterBlock& block : context.blocks) {
    TORCH_CHECK(!block.gathered_by(context.layer), "layer ", context.layer,
                " (", context.entry.op, ") gathers no rows");
  }
}

LayerOutput AutogradLayer::Forward(const LayerInput& input) const {
  const at::NoGradGuard no_grad;
  LayerOutput output;
  output.boundary =
      Compute(ViewsOf(input.flats), input.boundary, input.micro_batch);
  if (makes_loss_) {
    output.loss = LossOf(output.boundary.front(), input.micro_batch);
    output.boundary.clear();
  }
  return output;
}

Tape AutogradLayer::Record(const LayerInput& input) const {
  const at::AutoGradMode grad(true);
  Tape tape;
  tape.micro_batch = input.micro_batch;
  for (size_t i = 0; i < blocks_.size(); ++i) {
    const Tensors views = blocks_.WidenedViews(i, input.flats);
    for (size_t j = 0; j < views.size(); ++j) {
      tape.parameters.push_back(Leaf(views[j], blocks_.IsFrozen(i, j)));
    }
  }
  for (const at::Tensor& tensor : input.boundary) {
    tape.inputs.push_back(Leaf(tensor));
  }
  tape.outputs = Compute(tape.parameters, tape.inputs, input.micro_batch);
  return tape;
}

LayerGradients AutogradLayer::Backward(Tape tape,
                                       const Tensors& output_gradients,
                                       const Tensors& flat_gradients,
                                       bool accumulate) const {
  if (!accumulate) {
    for (const at::Tensor& flat : flat_gradients) {
      if (flat.defined()) flat.zero_();
    }
  }
  // LibTorch adds a leaf's gradient to what stands here as soon as it is made,
  // so no second copy of the block's gradient ever exists.
  const Tensors views = ViewsOf(flat_gradients);
  for (size_t i = 0; i < views.size(); ++i) {
    if (views[i].defined()) tape.parameters[i].mutable_grad() = views[i];
  }
  LayerGradients gradients;
  const Tensors outputs = std::exchange(tape.outputs, {});
  if (makes_loss_) {
    gradients.loss = LossOf(outputs.front(), tape.micro_batch);
    torch::autograd::backward(
        {outputs.front()},
        {at::full_like(outputs.front(), tape.micro_batch.gradient_scale)});
  } else {
    Tensors roots, root_gradients;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!outputs[i].requires_grad()) continue;
      roots.push_back(outputs[i]);
      root_gradients.push_back(output_gradients[i]);
    }
    if (!roots.empty()) torch::autograd::backward(roots, root_gradients);
  }
  for (const at::Tensor& input : tape.inputs) {
    const bool unused = input.requires_grad() && !input.grad().defined();
    gradients.inputs.push_back(unused ? at::zeros_like(input) : input.grad());
  }
  return gradients;
}

Tensors AutogradLayer::ViewsOf(const Tensors& flats) const {
  Tensors views;
  for (size_t i = 0; i < blocks_.size(); ++i) {
    for (at::Tensor& view : blocks_.WidenedViews(i, flats)) {
      views.push_back(std::move(view));
    }
  }
  return views;
}

}  // namespace hydra
