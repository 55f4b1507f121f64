#ifndef HYDRA_WORKER_MODEL_HEAD_LAYER_H_
#define HYDRA_WORKER_MODEL_HEAD_LAYER_H_

#include <cstdint>
#include <memory>

#include "ATen/core/Tensor.h"
#include "common/model/model_table.h"
#include "worker/model/cross_entropy.h"
#include "worker/model/final_norm.h"
#include "worker/model/layer.h"
#include "worker/model/layer_blocks.h"
#include "worker/model/layer_registry.h"
#include "worker/model/row_stream.h"

namespace hydra {

// The last layer of GPT-2, of Llama, and of a BERT of masked tokens: final norm
// or transform, projection to the vocabulary, with a bias where there is one,
// cross entropy in nats. Forward and backward are one: Record keeps the input
// and computes nothing.
//
// The vocabulary is taken in TableRanges. With the table held whole, a slice of
// tokens has its logits of all ranges at once, and each product is made once;
// streamed, a range has its slices one after another, in two sweeps over the
// table, and its logits are made twice. The bits are the same: the products
// are, and so is the order of every sum. Beside its arguments, the normalized
// input and, streamed, that one's gradient it needs SliceBytes of the
// vocabulary, or of one range. Where products are rounded, so is the table, or
// one range, once for all of its slices: it lies beside them in two bytes.
// To float16 it is the gradients of the scaled loss that are rounded, as
// torch.amp has it, and not those of each token's loss, which may be too small.
class HeadLayer : public Layer {
 public:
  explicit HeadLayer(const LayerContext& context);

  // Bytes of one slice of logits for so many rows of the vocabulary.
  static int64_t SliceBytes(int64_t rows) {
    return kLossSliceTokens * rows * kFloatBytes;
  }

  LayerOutput Forward(const LayerInput& input) const override;
  Tape Record(const LayerInput& input) const override;
  LayerGradients Backward(Tape tape, const Tensors& output_gradients,
                          const Tensors& flat_gradients,
                          bool accumulate) const override;

 private:
  enum Block { kNorm, kWeight };

  // The table's bias, and where its gradient goes; undefined: nowhere.
  struct Bias {
    at::Tensor values;
    at::Tensor gradient;
  };

  // With the table held whole. Turns `normalized` into its gradient.
  LossSum BackwardWhole(const Tape& tape, const Bias& bias,
                        const Tensors& flat_gradients, bool accumulate,
                        const at::Tensor& normalized) const;
  // Streamed: its gradient.
  at::Tensor BackwardStreamed(const Tape& tape, const Bias& bias,
                              bool accumulate, const at::Tensor& normalized,
                              LossSum& loss) const;

  void AddWeightGradient(const at::Tensor& logit_gradient,
                         const at::Tensor& slice, double scale, bool add,
                         const at::Tensor& to) const;
  // Of the bias of a range's rows.
  void AddBiasGradient(const at::Tensor& logit_gradient, double scale, bool add,
                       const at::Tensor& to) const;
  void AddSliceGradient(const at::Tensor& logit_gradient,
                        const at::Tensor& weight, double scale, bool add,
                        at::Tensor to) const;

  // What the losses' gradients by the logits are multiplied with before
  // products are made of them, and what the products are.
  struct Scales {
    double of_logits = 1;
    double of_products = 1;
  };
  Scales ScalesOf(const MicroBatch& micro_batch) const;

  CrossEntropy LossOf(const MicroBatch& micro_batch,
                      const at::Tensor& normalized) const;
  // The table's bias among the tensors of the norm's block; undefined: none.
  at::Tensor BiasOf(const Tensors& norm) const;
  int64_t vocabulary() const { return blocks_.tensors(kWeight)[0].shape[0]; }

  const LayerBlocks blocks_;
  const std::unique_ptr<const FinalNorm> norm_;
  // Unless it is kFloat32, the products with the table are RoundedProducts of
  // this type.
  const ElementType product_type_;
  const bool has_bias_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_HEAD_LAYER_H_
