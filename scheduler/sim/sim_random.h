#ifndef HYDRA_SCHEDULER_SIM_SIM_RANDOM_H_
#define HYDRA_SCHEDULER_SIM_SIM_RANDOM_H_

#include <cstdint>
#include <random>

#include "absl/time/time.h"

namespace hydra {

// What chance decides in a simulated world. One seed, one course of answers.
// Not thread-safe.
class SimRandom {
 public:
  explicit SimRandom(uint64_t seed) : random_(seed) {}

  // Up to `longest`.
  absl::Duration Delay(absl::Duration longest) { return longest * Share(); }
  bool Chance(double probability) {
    return probability > 0 && Share() < probability;
  }
  // Below `count`.
  uint64_t Any(uint64_t count) { return random_() % count; }

 private:
  double Share() {
    return std::uniform_real_distribution<double>(0, 1)(random_);
  }

  std::mt19937_64 random_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_SIM_RANDOM_H_
