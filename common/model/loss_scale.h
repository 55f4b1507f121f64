#ifndef HYDRA_COMMON_MODEL_LOSS_SCALE_H_
#define HYDRA_COMMON_MODEL_LOSS_SCALE_H_

#include <cstdint>

#include "hydra/checkpoint/v1/checkpoint.pb.h"
#include "hydra/v1/job.pb.h"

namespace hydra {

// What the loss of a job with train.fp16 is multiplied with, so that small
// gradients are float16 numbers too; as torch.amp.GradScaler changes it, from
// step to step: a step of which any gradient is infinite or no number updates
// nothing and halves the scale, and some good ones in a row double it. Powers
// of two: what is multiplied and divided by them keeps its digits. Pure.
//
// A step's scale follows from which of the steps before it overflowed, and from
// nothing else. `train` has every default filled in. A default LossScale is the
// one before a job's first step.

// Of torch.amp.GradScaler.
inline constexpr double kFirstLossScale = 65536;
inline constexpr int kLossScaleGrowthInterval = 2000;
// GradScaler knows no such ends. Below the least, an overflow is the model's
// own; up to the largest, float32 has room for gradients and for its inverse.
inline constexpr double kLeastLossScale = 1;
inline constexpr double kLargestLossScale = 0x1p64;

// Whether there is one at all.
bool ScalesLoss(const hydra::v1::TrainSpec& train);

double ScaleOf(const checkpoint::v1::LossScale& state,
               const hydra::v1::TrainSpec& train);

// Whether a step with this scale that overflows leads to a lower one.
bool CanShrink(const checkpoint::v1::LossScale& state,
               const hydra::v1::TrainSpec& train);

// Of the step that follows one with `state`.
checkpoint::v1::LossScale AfterStep(const checkpoint::v1::LossScale& state,
                                    bool overflowed,
                                    const hydra::v1::TrainSpec& train);

// Of a task, a batch: 1 where it has none.
inline double ScaleOrOne(double loss_scale) {
  return loss_scale > 0 ? loss_scale : 1;
}

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_LOSS_SCALE_H_
