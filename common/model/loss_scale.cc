#include "common/model/loss_scale.h"

#include <algorithm>

namespace hydra {
namespace {

using checkpoint::v1::LossScale;
using hydra::v1::TrainSpec;

bool IsFixed(const TrainSpec& train) {
  return train.loss_scale_growth_interval() == 0;
}

}  // namespace

bool ScalesLoss(const TrainSpec& train) { return train.fp16(); }

double ScaleOf(const LossScale& state, const TrainSpec& train) {
  return state.scale() > 0 ? state.scale() : train.loss_scale();
}

bool CanShrink(const LossScale& state, const TrainSpec& train) {
  return !IsFixed(train) && ScaleOf(state, train) > kLeastLossScale;
}

LossScale AfterStep(const LossScale& state, bool overflowed,
                    const TrainSpec& train) {
  const double scale = ScaleOf(state, train);
  LossScale after = state;
  after.set_scale(scale);
  if (overflowed) {
    after.set_good_steps(0);
    after.set_skipped_steps(state.skipped_steps() + 1);
    if (CanShrink(state, train)) {
      after.set_scale(std::max(kLeastLossScale, scale / 2));
    }
    return after;
  }
  if (IsFixed(train)) return after;
  after.set_good_steps(state.good_steps() + 1);
  if (after.good_steps() >= train.loss_scale_growth_interval()) {
    after.set_good_steps(0);
    after.set_scale(std::min(kLargestLossScale, scale * 2));
  }
  return after;
}

}  // namespace hydra
