#ifndef HYDRA_WORKER_MODEL_BERT_CLASSIFIER_H_
#define HYDRA_WORKER_MODEL_BERT_CLASSIFIER_H_

#include "ATen/core/Tensor.h"
#include "worker/model/dropout.h"
#include "worker/model/layer.h"
#include "worker/model/layer_blocks.h"
#include "worker/model/layer_registry.h"
#include "worker/model/projection.h"

namespace hydra {

// The last layer of a BERT that classifies sequences: the pooler, a linear map
// of each one's first token with tanh, dropout, a linear map to the classes,
// and cross entropy in nats. Forward and backward are one: Record keeps the
// input and computes nothing.
class BertClassifier : public Layer {
 public:
  explicit BertClassifier(const LayerContext& context);

  // Counts what is correct, too: of equally likely classes, the first one is
  // the most likely.
  LayerOutput Forward(const LayerInput& input) const override;
  Tape Record(const LayerInput& input) const override;
  LayerGradients Backward(Tape tape, const Tensors& output_gradients,
                          const Tensors& flat_gradients,
                          bool accumulate) const override;

 private:
  // The block's tensors, or where their gradients go.
  struct Views {
    Projection pooler, classifier;
  };

  Views ViewsOf(const Tensors& flats) const;
  Dropout DropoutOf(const MicroBatch& micro_batch) const;

  const LayerBlocks blocks_;
  const double dropout_;
  const int layer_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_BERT_CLASSIFIER_H_
