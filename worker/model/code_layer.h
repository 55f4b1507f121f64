#ifndef HYDRA_WORKER_MODEL_CODE_LAYER_H_
#define HYDRA_WORKER_MODEL_CODE_LAYER_H_

#include <memory>
#include <vector>

#include "common/model/model_table.h"
#include "worker/model/autograd_layer.h"
#include "worker/model/layer.h"
#include "worker/model/layer_code.h"
#include "worker/model/layer_registry.h"

namespace hydra {

// A layer of an exported chain: what its file's code makes of one tensor, the
// batch's examples or the boundary before it. What it hands on lies row by row,
// whatever the code made, so that a cut behind it changes nothing.
//
// Throws c10::Error where the code makes another type or shape than the table
// says, or writes into what it was given.
class CodeLayer : public AutogradLayer {
 public:
  explicit CodeLayer(const LayerContext& context);

 protected:
  Tensors Compute(const Tensors& parameters, const Tensors& inputs,
                  const MicroBatch& micro_batch) const override;

 private:
  const LayerFile file_;
  const BoundaryTensor output_;
  const std::shared_ptr<const LayerCode> code_;
};

// The last one: its code makes logits, one for each class, of which cross
// entropy in nats is the loss, as ClassifierLayer has it.
class CodeHead : public Layer {
 public:
  explicit CodeHead(const LayerContext& context);

  // Counts what is correct, too: of equally likely classes, the first one is
  // the most likely.
  LayerOutput Forward(const LayerInput& input) const override;
  // Its outputs are the logits.
  Tape Record(const LayerInput& input) const override;
  LayerGradients Backward(Tape tape, const Tensors& output_gradients,
                          const Tensors& flat_gradients,
                          bool accumulate) const override;

 private:
  const CodeLayer logits_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_CODE_LAYER_H_
