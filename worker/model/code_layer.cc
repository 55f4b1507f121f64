#include "worker/model/code_layer.h"

#include <cstdint>
#include <utility>

#include "ATen/core/Tensor.h"
#include "ATen/ops/argmax.h"
#include "c10/core/GradMode.h"
#include "c10/util/Exception.h"
#include "common/model/chain_table.h"
#include "worker/model/cross_entropy.h"

namespace hydra {
namespace {

// [sequences, the shape of one].
std::vector<int64_t> BatchShape(int64_t sequences,
                                const std::vector<int64_t>& shape) {
  std::vector<int64_t> sizes = {sequences};
  sizes.insert(sizes.end(), shape.begin(), shape.end());
  return sizes;
}

// As if the logits were a boundary.
LayerEntry LogitsEntry(const LayerEntry& head) {
  LayerEntry layer = head;
  BoundaryTensor logits;
  logits.shape = {kBatchSequences,
                  static_cast<int64_t>(head.attributes.at(chain::kClasses))};
  layer.outputs = {logits};
  return layer;
}

// Turns the logits into their exponentials.
CrossEntropy LossOf(const MicroBatch& micro_batch, at::Tensor& logits) {
  CrossEntropy loss(micro_batch, {{0, logits.size(1)}}, logits.options());
  loss.Add(/*first_token=*/0, /*range=*/0, logits);
  loss.Finish(/*first_token=*/0, logits.size(0));
  return loss;
}

}  // namespace

CodeLayer::CodeLayer(const LayerContext& context)
    : AutogradLayer(context),
      file_(context.entry.file.value()),
      output_(context.entry.outputs.at(0)),
      code_(context.code) {
  TORCH_CHECK(code_ != nullptr, "the code of ", file_.name, " is not there");
}

Tensors CodeLayer::Compute(const Tensors& parameters, const Tensors& inputs,
                           const MicroBatch& micro_batch) const {
  const int64_t sequences = micro_batch.sequences();
  const at::Tensor input =
      inputs.empty()
          ? micro_batch.examples.view(BatchShape(sequences, file_.input_shape))
          : inputs.front();
  const auto version = input._version();
  const at::Tensor output = code_->Run(file_.parameters, parameters, input);
  TORCH_CHECK(input._version() == version, file_.name,
              " writes into the tensor that it is given");
  const std::vector<int64_t> shape =
      output_.ShapeOf(sequences, micro_batch.context());
  TORCH_CHECK(output.scalar_type() == at::kFloat && output.sizes() == shape,
              file_.name, " makes ", output.scalar_type(), " of shape ",
              output.sizes(), ", and chain.json says ", at::kFloat, " of ",
              at::IntArrayRef(shape));
  return {output.contiguous()};
}

CodeHead::CodeHead(const LayerContext& context)
    : logits_(LayerContext{LogitsEntry(context.entry), context.blocks,
                           context.layer, context.code}) {}

LayerOutput CodeHead::Forward(const LayerInput& input) const {
  const at::NoGradGuard no_grad;
  // The code may have returned what it was given.
  at::Tensor logits = logits_.Forward(input).boundary.front().clone();
  const at::Tensor likely = at::argmax(logits, /*dim=*/1, /*keepdim=*/true);
  LayerOutput output;
  output.loss = LossOf(input.micro_batch, logits).Loss();
  output.loss.correct =
      likely.eq(input.micro_batch.Targets()).sum().item<int64_t>();
  return output;
}

Tape CodeHead::Record(const LayerInput& input) const {
  return logits_.Record(input);
}

LayerGradients CodeHead::Backward(Tape tape,
                                  const Tensors& /*output_gradients*/,
                                  const Tensors& flat_gradients,
                                  bool accumulate) const {
  const at::NoGradGuard no_grad;
  at::Tensor logits = tape.outputs.front().detach().clone();
  const CrossEntropy loss = LossOf(tape.micro_batch, logits);
  loss.ToGradient(/*first_token=*/0, /*range=*/0, logits);
  logits.mul_(tape.micro_batch.gradient_scale);
  LayerGradients gradients =
      logits_.Backward(std::move(tape), {logits}, flat_gradients, accumulate);
  gradients.loss = loss.Loss();
  return gradients;
}

}  // namespace hydra
