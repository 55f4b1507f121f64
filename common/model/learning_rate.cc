#include "common/model/learning_rate.h"

#include <algorithm>
#include <cmath>

namespace hydra {
namespace {

constexpr double kPi = 3.14159265358979323846;

// What is left of the rate after the part `progress`, from 0 to 1, of the steps
// that follow warm-up.
double Left(hydra::v1::LrSchedulerType schedule, double progress) {
  switch (schedule) {
    case hydra::v1::LR_SCHEDULER_TYPE_LINEAR:
      return std::max(0.0, 1 - progress);
    case hydra::v1::LR_SCHEDULER_TYPE_COSINE:
      return std::max(0.0, 0.5 * (1 + std::cos(kPi * progress)));
    default:
      return 1;
  }
}

}  // namespace

int64_t WarmupSteps(const hydra::v1::TrainSpec& train, int64_t total_steps) {
  if (train.warmup_steps() > 0) return train.warmup_steps();
  return static_cast<int64_t>(
      std::ceil(train.warmup_ratio() * static_cast<double>(total_steps)));
}

double LearningRateAt(const hydra::v1::TrainSpec& train, int64_t step,
                      int64_t total_steps) {
  const int64_t warmup = WarmupSteps(train, total_steps);
  const double highest = train.learning_rate();
  if (step < warmup) {
    return highest * (static_cast<double>(step) / static_cast<double>(warmup));
  }
  const auto after =
      static_cast<double>(std::max<int64_t>(1, total_steps - warmup));
  const double left = Left(train.lr_scheduler_type(),
                           static_cast<double>(step - warmup) / after);
  const double lowest = train.min_learning_rate();
  if (lowest == 0) return highest * left;
  return lowest + (highest - lowest) * left;
}

}  // namespace hydra
