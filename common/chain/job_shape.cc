#include "common/chain/job_shape.h"

#include <algorithm>
#include <utility>

#include "common/model/loss_scale.h"
#include "common/model/optimizer.h"

namespace hydra {

JobShape MakeJobShape(const hydra::v1::JobSpec& spec,
                      Shared<ModelTable> table) {
  JobShape shape;
  shape.table = std::move(table);
  shape.micro_batch_size = spec.train().per_device_train_batch_size();
  shape.micro_batches = spec.train().gradient_accumulation_steps();
  shape.rounds = FewestRounds(spec.train());
  shape.context_length = spec.train().context_length();
  shape.eval_batch_size = spec.evaluation().per_device_eval_batch_size();
  shape.state_factor = OptimizerStateFactor(spec.train());
  shape.factors_moments = FactorsMoments(spec.train());
  shape.clips_gradients = spec.train().max_grad_norm() > 0;
  shape.scales_loss = ScalesLoss(spec.train());
  return shape;
}

int FewestRounds(const hydra::v1::TrainSpec& train) {
  if (!train.has_micro_batches_per_round()) return 1;
  const int micro_batches = train.gradient_accumulation_steps();
  const int most = std::min(train.micro_batches_per_round(), micro_batches);
  return (micro_batches + most - 1) / most;
}

std::vector<LayerRange> ShardsOf(const std::vector<int>& cut_points,
                                 int layer_count) {
  std::vector<LayerRange> shards;
  int first = 0;
  for (int cut : cut_points) {
    shards.push_back({first, cut});
    first = cut;
  }
  shards.push_back({first, layer_count});
  return shards;
}

}  // namespace hydra
