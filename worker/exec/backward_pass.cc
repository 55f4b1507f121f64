#include "worker/exec/backward_pass.h"

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "worker/exec/shard_gradients.h"
#include "worker/exec/shard_parameters.h"

namespace hydra {
namespace {

using worker::v1::BLOCK_KIND_ACTIVATION;
using worker::v1::BLOCK_KIND_ACTIVATION_GRADIENT;
using worker::v1::PassResult;

class BackwardPass {
 public:
  explicit BackwardPass(const Pass& pass)
      : pass_(pass),
        parameters_(pass),
        gradients_(pass),
        tapes_(pass.model.table.layer_count()) {}

  PassResult Run() {
    const int count = static_cast<int>(pass_.batches.size());
    for (int i = 0; i < count; ++i) RunMicroBatch(i, i + 1 == count);
    return result_;
  }

 private:
  using Phase = LayerMeter::Phase;

  void RunMicroBatch(int index, bool is_last) {
    pass_.meter.SetMicroBatch(index);
    Recompute(index, is_last);
    Tensors gradient;
    if (!pass_.makes_loss()) {
      gradient =
          PromoteBoundary(pass_, BLOCK_KIND_ACTIVATION_GRADIENT,
                          pass_.last_layer(), index, BlockIo::Reuse::kNever);
    }
    for (int layer = pass_.last_layer() - 1; layer >= pass_.first_layer();
         --layer) {
      pass_.meter.Begin(layer, Phase::kBackward);
      Prefetch(is_last);
      gradient = Differentiate(layer, std::move(gradient),
                               /*accumulate=*/index > 0);
      if (is_last) UpdateLayer(layer);
      pass_.meter.End();
    }
    if (pass_.first_layer() > 0) {
      DemoteBoundary(pass_, BLOCK_KIND_ACTIVATION_GRADIENT, pass_.first_layer(),
                     index, gradient);
    }
  }

  // In the order in which it is needed: for this pass, for its updates, for the
  // next task.
  void Prefetch(bool is_last_batch) {
    Prefetcher* const prefetcher = pass_.prefetcher;
    if (prefetcher == nullptr) return;
    prefetcher->FetchOwn();
    if (!is_last_batch) return;
    MomentStream& moments = gradients_.moments();
    moments.Prefetch(prefetcher->room_bytes());
    if (moments.all_begun()) prefetcher->FetchNext(moments.begun_bytes());
  }

  // Records every layer of the shard.
  void Recompute(int index, bool is_last) {
    LayerInput input;
    input.micro_batch = PromoteBatch(pass_.batches[index], pass_.io);
    input.boundary =
        PromoteBoundary(pass_, BLOCK_KIND_ACTIVATION, pass_.first_layer(),
                        index, BlockIo::Reuse::kNever);
    for (int layer = pass_.first_layer(); layer < pass_.last_layer(); ++layer) {
      pass_.meter.Begin(layer, Phase::kForward);
      Prefetch(is_last);
      parameters_.Place(layer);
      pass_.meter.ParametersPlaced();
      input.flats = parameters_.FlatsOf(layer);
      tapes_[layer] = pass_.model.layers.layer(layer).Record(input);
      input.boundary = tapes_[layer].outputs;
      pass_.meter.End();
    }
  }

  // The gradients of the layer's input.
  Tensors Differentiate(int layer, Tensors output_gradients, bool accumulate) {
    LayerGradients made = pass_.model.layers.layer(layer).Backward(
        std::move(tapes_[layer]), output_gradients, gradients_.FlatsOf(layer),
        accumulate);
    if (made.rows.has_value()) gradients_.AddRows(layer, *made.rows);
    if (layer + 1 == pass_.model.table.layer_count()) {
      AddLoss(made.loss, result_);
      if (!std::isfinite(result_.loss_sum())) SpoilGradients(layer, made);
    }
    return std::move(made.inputs);
  }

  // Whatever the arithmetic made of a loss that is not finite: no layer must
  // learn from it, neither here nor in an earlier shard. From here on all
  // gradients of the step are NaN.
  void SpoilGradients(int layer, const LayerGradients& made) {
    for (const Tensors& gradients : {made.inputs, gradients_.FlatsOf(layer)}) {
      for (const at::Tensor& gradient : gradients) {
        if (!gradient.defined()) continue;
        gradient.fill_(std::numeric_limits<float>::quiet_NaN());
      }
    }
  }

  void UpdateLayer(int layer) {
    pass_.meter.BeginUpdate();
    for (int block : pass_.layer(layer).parameter_blocks) {
      if (!gradients_.Finish(layer, block, parameters_)) {
        result_.add_skipped_blocks(block);
      }
    }
  }

  const Pass& pass_;
  ShardParameters parameters_;
  ShardGradients gradients_;
  // By layer.
  std::vector<Tape> tapes_;
  PassResult result_;
};

}  // namespace

PassResult RunBackwardPass(const Pass& pass) {
  return BackwardPass(pass).Run();
}

}  // namespace hydra
