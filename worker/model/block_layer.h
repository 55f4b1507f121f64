#ifndef HYDRA_WORKER_MODEL_BLOCK_LAYER_H_
#define HYDRA_WORKER_MODEL_BLOCK_LAYER_H_

#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "common/model/lora.h"
#include "common/model/model_table.h"
#include "worker/model/layer.h"
#include "worker/model/layer_blocks.h"
#include "worker/model/layer_registry.h"
#include "worker/model/parameter_gradients.h"
#include "worker/model/projection.h"

namespace hydra {

// A layer in the middle of a model, from one boundary tensor to one like it,
// that differentiates by hand. Behind that one the boundary may have the
// sequences' lengths (MicroBatch::lengths), which it hands on. It has a block
// of parameters of its own and, where the table gives it any, one of adapters
// of its linear maps. What each such layer does alike; what one computes is
// Compute and Differentiate.
//
// Tensors are [tokens, width] there, and nothing is recorded.
class BlockLayer : public Layer {
 public:
  // The masks of adapters' inputs are this one plus the number of the map's
  // weight among the tensors of the block, see MaskSeed.
  static constexpr int kAdapterMask = 16;

  LayerOutput Forward(const LayerInput& input) const final;
  Tape Record(const LayerInput& input) const final;
  LayerGradients Backward(Tape tape, const Tensors& output_gradients,
                          const Tensors& flat_gradients,
                          bool accumulate) const final;

 protected:
  // The tensors of a layer's block, taken in the table's order, or where their
  // gradients go: undefined for those that nobody wants.
  class Parameters {
   public:
    // In fp32.
    at::Tensor Next();
    // A linear map's weight, with its adapter, and its bias.
    Projection NextProjection(bool has_bias);

   private:
    friend class BlockLayer;

    const std::vector<TensorEntry>* entries_ = nullptr;
    Tensors tensors_;
    // By the tensor that they adapt.
    std::vector<Adapter> adapters_;
    ElementType product_type_ = ElementType::kFloat32;
    int next_ = 0;
  };

  // What Differentiate is given.
  struct Derivation {
    const Parameters& parameters;
    // Where their gradients go.
    const Parameters& to;
    const ParameterGradients& store;
    // The layer's input.
    const at::Tensor& input;
    const MicroBatch& micro_batch;
    // What Compute saved; whatever is taken out is freed.
    Tensors& saved;
  };

  // Throws c10::Error where the adapters' block is none of the layer's.
  explicit BlockLayer(const LayerContext& context);

  // The output; `saved`, unless it is null, gets what Differentiate needs.
  virtual at::Tensor Compute(const at::Tensor& input,
                             const Parameters& parameters,
                             const MicroBatch& micro_batch,
                             Tensors* saved) const = 0;

  // The gradient of the input.
  virtual at::Tensor Differentiate(const at::Tensor& output_gradient,
                                   const Derivation& derivation) const = 0;

  static at::Tensor Take(at::Tensor& tensor) {
    return std::exchange(tensor, {});
  }

  // Of its block.
  const std::vector<TensorEntry>& tensors() const {
    return blocks_.tensors(kOwn);
  }
  int layer() const { return layer_; }

 private:
  enum Block { kOwn, kAdapters };

  Parameters ParametersOf(const Tensors& flats,
                          const MicroBatch& micro_batch) const;
  at::Tensor Output(const LayerInput& input, Tensors* saved) const;

  const LayerBlocks blocks_;
  const int layer_;
  std::vector<AdapterPlace> places_;
  const ElementType product_type_;
  double adapter_scale_ = 0;
  double adapter_dropout_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_BLOCK_LAYER_H_
