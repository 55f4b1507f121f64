#include "worker/model/block_layer.h"

#include <utility>

#include "ATen/core/Tensor.h"
#include "c10/core/GradMode.h"
#include "c10/util/Exception.h"
#include "common/model/product_type.h"
#include "worker/model/dropout.h"
#include "worker/model/element_type.h"
#include "worker/model/micro_batch.h"

namespace hydra {
namespace {

at::Tensor RowsOf(const at::Tensor& tensor) {
  return tensor.reshape({-1, tensor.size(-1)});
}

// The batch with the lengths that came over the boundary, if they did.
MicroBatch BatchAt(const Tensors& boundary, const MicroBatch& micro_batch) {
  MicroBatch batch = micro_batch;
  if (boundary.size() > 1) batch.lengths = boundary[1];
  return batch;
}

// What a layer makes of the first tensor of its boundary, and copies of the
// others: they are small, and all of them may lie in one memory, which would
// stay as long as they do.
Tensors WithOthers(at::Tensor made, const Tensors& boundary) {
  Tensors tensors = {std::move(made)};
  for (size_t i = 1; i < boundary.size(); ++i) {
    tensors.push_back(boundary[i].clone());
  }
  return tensors;
}

}  // namespace

at::Tensor BlockLayer::Parameters::Next() { return Widened(tensors_[next_++]); }

Projection BlockLayer::Parameters::NextProjection(bool has_bias) {
  Projection projection;
  projection.adapter = adapters_[next_];
  projection.product_type = product_type_;
  const bool is_transposed = (*entries_)[next_].linear == LinearLayout::kInOut;
  projection.weight = tensors_[next_++];
  if (is_transposed && projection.weight.defined()) {
    projection.weight = projection.weight.t();
  }
  if (has_bias) projection.bias = Next();
  return projection;
}

BlockLayer::BlockLayer(const LayerContext& context)
    : blocks_(context),
      layer_(context.layer),
      product_type_(ProductTypeOf(context.entry)) {
  if (blocks_.size() == 1) return;
  places_ = AdapterPlaces(blocks_.block(kOwn), blocks_.block(kAdapters));
  const size_t adapters = blocks_.tensors(kAdapters).size();
  TORCH_CHECK(2 * places_.size() == adapters, "the layer has ", adapters,
              " tensors of adapters, of which ", 2 * places_.size(),
              " are those of its linear maps");
  adapter_scale_ = context.entry.attributes.at(lora::kScale);
  adapter_dropout_ = context.entry.attributes.at(lora::kDropout);
}

BlockLayer::Parameters BlockLayer::ParametersOf(
    const Tensors& flats, const MicroBatch& micro_batch) const {
  Parameters parameters;
  parameters.entries_ = &tensors();
  parameters.product_type_ = product_type_;
  parameters.tensors_ = blocks_.Views(kOwn, flats);
  parameters.adapters_.resize(parameters.tensors_.size());
  if (places_.empty()) return parameters;
  const Tensors matrices = blocks_.Views(kAdapters, flats);
  for (const AdapterPlace& place : places_) {
    Adapter& adapter = parameters.adapters_[place.weight];
    adapter.a = matrices[place.lora_a];
    adapter.b = matrices[place.lora_a + 1];
    adapter.scale = adapter_scale_;
    if (micro_batch.training) {
      adapter.dropout = {
          adapter_dropout_,
          MaskSeed(micro_batch.seed, layer_, kAdapterMask + place.weight)};
    }
  }
  return parameters;
}

at::Tensor BlockLayer::Output(const LayerInput& input, Tensors* saved) const {
  const at::NoGradGuard no_grad;
  const at::Tensor& boundary = input.boundary.front();
  return Compute(RowsOf(boundary), ParametersOf(input.flats, input.micro_batch),
                 BatchAt(input.boundary, input.micro_batch), saved)
      .view(boundary.sizes());
}

LayerOutput BlockLayer::Forward(const LayerInput& input) const {
  LayerOutput output;
  output.boundary =
      WithOthers(Output(input, /*saved=*/nullptr), input.boundary);
  return output;
}

Tape BlockLayer::Record(const LayerInput& input) const {
  Tape tape;
  tape.inputs = input.boundary;
  tape.parameters = input.flats;
  tape.micro_batch = BatchAt(input.boundary, input.micro_batch);
  tape.outputs = WithOthers(Output(input, &tape.saved), input.boundary);
  return tape;
}

LayerGradients BlockLayer::Backward(Tape tape, const Tensors& output_gradients,
                                    const Tensors& flat_gradients,
                                    bool accumulate) const {
  const at::NoGradGuard no_grad;
  tape.outputs.clear();
  const at::Tensor input = RowsOf(tape.inputs.front());
  const Parameters parameters = ParametersOf(tape.parameters, tape.micro_batch);
  const Parameters to = ParametersOf(flat_gradients, tape.micro_batch);
  const ParameterGradients store(accumulate);
  const at::Tensor gradient = Differentiate(
      RowsOf(output_gradients.front()),
      {parameters, to, store, input, tape.micro_batch, tape.saved});
  if (!accumulate) blocks_.ZeroPadding(flat_gradients);
  LayerGradients gradients;
  gradients.inputs.resize(tape.inputs.size());
  gradients.inputs.front() = gradient.view(tape.inputs.front().sizes());
  return gradients;
}

}  // namespace hydra
