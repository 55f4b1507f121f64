#include "worker/exec/backward_pass.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "common/chain/block_key.h"
#include "common/chain/chain_task.h"
#include "worker/exec/pool_rows.h"
#include "worker/exec/shard_gradients.h"
#include "worker/exec/shard_parameters.h"

namespace hydra {
namespace {

using worker::v1::PassResult;

class BackwardPass {
 public:
  explicit BackwardPass(const Pass& pass)
      : pass_(pass),
        first_trained_(
            std::max(pass.first_layer(), pass.model.table.FirstTrainedLayer())),
        parameters_(pass),
        gradients_(pass),
        tapes_(pass.model.table.layer_count()) {}

  PassResult Run() {
    for (int batch = pass_.first_batch(); batch < pass_.last_batch(); ++batch) {
      RunMicroBatch(batch);
    }
    return result_;
  }

 private:
  using Phase = LayerMeter::Phase;

  void RunMicroBatch(int batch) {
    pass_.meter.SetMicroBatch(batch);
    Recompute(batch);
    Tensors gradient;
    if (!pass_.makes_loss()) {
      gradient = PromoteBoundary(
          pass_, ActivationGradientKey(pass_.last_layer(), batch),
          BlockIo::Reuse::kNever);
    }
    for (int layer = pass_.last_layer() - 1; layer >= first_trained_; --layer) {
      pass_.meter.Begin(layer, Phase::kBackward);
      Prefetch(batch);
      const bool accumulate =
          pass_.continues_sums() || batch > pass_.first_batch();
      gradient = Differentiate(layer, std::move(gradient), accumulate);
      if (pass_.is_last(batch)) UpdateLayer(layer);
      pass_.meter.End();
    }
    if (HandsGradientsDown(pass_.model.table, pass_.first_layer())) {
      DemoteBoundary(pass_, ActivationGradientKey(pass_.first_layer(), batch),
                     gradient);
    }
  }

  // In the order in which it is needed: for this pass, for its updates, for the
  // next task.
  void Prefetch(int batch) {
    Prefetcher* const prefetcher = pass_.prefetcher;
    if (prefetcher == nullptr) return;
    prefetcher->FetchOwn();
    if (!pass_.is_last(batch)) return;
    MomentStream& moments = gradients_.moments();
    moments.Prefetch(prefetcher->room_bytes());
    if (moments.all_begun()) prefetcher->FetchNext(moments.begun_bytes());
  }

  // Records every layer of the shard that gradients come to.
  void Recompute(int batch) {
    LayerInput input;
    input.micro_batch = PromoteBatch(pass_, batch);
    input.boundary =
        PromoteBoundary(pass_, ActivationKey(pass_.first_layer(), batch),
                        BlockIo::Reuse::kNever);
    for (int layer = pass_.first_layer(); layer < pass_.last_layer(); ++layer) {
      pass_.meter.Begin(layer, Phase::kForward);
      Prefetch(batch);
      parameters_.Place(layer);
      pass_.meter.ParametersPlaced();
      input.flats = parameters_.FlatsOf(layer);
      input.rows = parameters_.RowsOf(layer);
      if (layer < first_trained_) {
        input.boundary =
            pass_.model.layers.layer(layer).Forward(input).boundary;
      } else {
        tapes_[layer] = pass_.model.layers.layer(layer).Record(input);
        input.boundary = tapes_[layer].outputs;
      }
      // Only the first layer takes them.
      input.micro_batch.examples.reset();
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
      result_.add_batch_loss_sums(made.loss.loss_sum);
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
    PoolRows* const rows = parameters_.RowsOf(layer);
    if (rows != nullptr && !pass_.block(pass_.streamed_block).frozen) {
      rows->SpoilGradient();
    }
  }

  void UpdateLayer(int layer) {
    pass_.meter.BeginUpdate();
    for (int block : pass_.layer(layer).parameter_blocks) {
      gradients_.Finish(layer, block, parameters_);
    }
  }

  const Pass& pass_;
  // Gradients go from the last layer down to this one.
  const int first_trained_;
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
