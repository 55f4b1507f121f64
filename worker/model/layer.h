#ifndef HYDRA_WORKER_MODEL_LAYER_H_
#define HYDRA_WORKER_MODEL_LAYER_H_

#include <vector>

#include "ATen/core/Tensor.h"
#include "worker/model/micro_batch.h"

namespace hydra {

// The recorded forward of one layer. Owns its graph, and keeps the memory of
// the parameters that it was recorded with in use.
struct Tape {
  at::Tensor input;
  at::Tensor output;
  std::vector<at::Tensor> parameters;
};

// A layer in the middle of the chain: a boundary tensor in, one out, both fp32
// [sequences, context, width].
//
// `flats` and `flat_gradients` are the layer's parameter blocks in the table's
// order, each flat as in TensorViews. Immutable: one object may serve any
// number of passes, but see SeedLayer. LibTorch's exceptions pass through; the
// gradients are undefined after one.
class ChainLayer {
 public:
  virtual ~ChainLayer() = default;

  // Keeps nothing. Same bits as Record's output.
  virtual at::Tensor Forward(const std::vector<at::Tensor>& flats,
                             const at::Tensor& input,
                             const MicroBatch& micro_batch) const = 0;

  // Keeps what Backward needs.
  virtual Tape Record(const std::vector<at::Tensor>& flats,
                      const at::Tensor& input,
                      const MicroBatch& micro_batch) const = 0;

  // Returns the gradient of the tape's input, and adds the parameters'
  // gradients to `flat_gradients`; unless `accumulate`, whatever they held
  // before is overwritten, padding included. What the tape owns is freed on the
  // way: hand it in with std::move.
  virtual at::Tensor Backward(Tape tape, const at::Tensor& output_gradient,
                              const std::vector<at::Tensor>& flat_gradients,
                              bool accumulate) const = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_LAYER_H_
