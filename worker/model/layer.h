#ifndef HYDRA_WORKER_MODEL_LAYER_H_
#define HYDRA_WORKER_MODEL_LAYER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "ATen/core/Tensor.h"
#include "worker/model/micro_batch.h"
#include "worker/model/row_stream.h"

namespace hydra {

using Tensors = std::vector<at::Tensor>;

// Sum of the target tokens' losses, added in token order. Of a classification,
// examples count as tokens.
struct LossSum {
  double loss_sum = 0;
  int64_t tokens = 0;
  // Of a classification's Forward: examples whose most likely class is theirs.
  int64_t correct = 0;
};

// What a layer computes from.
struct LayerInput {
  // Its parameter blocks in the table's order, each flat as in TensorViews. A
  // block whose rows it gathers may be memory that is not the device's: only
  // the rows in use are read.
  Tensors flats;
  // The boundary tensors before it, in the table's order. The first layer has
  // none.
  Tensors boundary;
  MicroBatch micro_batch;
  // The layer's streamed_block, if that comes in ranges: its flat is undefined
  // then. Else null. Lives until the tape is gone.
  RowStream* rows = nullptr;
};

struct LayerOutput {
  // The boundary tensors behind it, in the table's order. The last layer has
  // none.
  Tensors boundary;
  // The last layer's.
  LossSum loss;
};

// The recorded forward of one layer: whatever its Backward needs. Owns its
// graph, and keeps the memory of the parameters that it was recorded with in
// use.
struct Tape {
  // What Forward would have given.
  Tensors outputs;
  // The layer's own.
  Tensors inputs;
  Tensors parameters;
  Tensors saved;
  MicroBatch micro_batch;
  RowStream* rows = nullptr;
};

// Gradients of rows of a block, one for each of a batch's input tokens.
struct RowGradients {
  // int64 [sequences, context].
  at::Tensor rows;
  // [sequences, context, width].
  at::Tensor gradients;
};

struct LayerGradients {
  // Of the boundary tensors before it, in the table's order; undefined for
  // those that are not fp32.
  Tensors inputs;
  // Of the block whose rows the layer gathers, if it has one that is not
  // frozen.
  std::optional<RowGradients> rows;
  // The last layer's.
  LossSum loss;
};

// The arithmetic of one link of a model's chain, first, middle or last. Every
// family's tests hold it to this contract, see testing/layer_contract.h.
//
// Immutable: one object may serve any number of passes. The same input gives
// the same bits, however often and in whatever order. No
// tensor of the caller is changed or marked, but for the gradients that
// Backward is given. LibTorch's exceptions pass through; the gradients are
// undefined after one.
class Layer {
 public:
  virtual ~Layer() = default;

  // Keeps nothing.
  virtual LayerOutput Forward(const LayerInput& input) const = 0;

  // Keeps what Backward needs. The outputs have the bits that Forward gives.
  // The last layer may leave all of its computing to Backward, which makes its
  // loss.
  virtual Tape Record(const LayerInput& input) const = 0;

  // `output_gradients` has one for each tensor behind the layer, undefined for
  // those that are not fp32. The last layer has none: it differentiates the
  // loss times the micro-batch's gradient_scale.
  //
  // Adds the parameters' gradients to `flat_gradients`, one for each block;
  // unless `accumulate`, whatever they held before is overwritten, padding
  // included. For tensors that are no parameters (TensorUse) they hold what
  // these are to be after this micro-batch, from what they are, or, with
  // `accumulate`, from what `flat_gradients` holds on. That of a frozen block
  // is undefined, and no gradient of it is made. That of a block whose rows are
  // gathered is undefined, and not touched; that of a block which came in
  // ranges is undefined too, and its gradient, unless it is frozen, goes where
  // its rows came from, without padding. Whether it came in ranges does not
  // change a bit. What the tape owns is freed on the way: hand it in with
  // std::move.
  virtual LayerGradients Backward(Tape tape, const Tensors& output_gradients,
                                  const Tensors& flat_gradients,
                                  bool accumulate) const = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_LAYER_H_
