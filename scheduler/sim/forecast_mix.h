#ifndef HYDRA_SCHEDULER_SIM_FORECAST_MIX_H_
#define HYDRA_SCHEDULER_SIM_FORECAST_MIX_H_

#include <cstdint>
#include <vector>

#include "absl/time/time.h"

namespace hydra {

// A mix of jobs: sweeps of ten, of three users of whom one has twice the share
// of the others, short and long ones, some of a higher priority, and more than
// have room in the pool. How long their tasks take differs by up to a quarter
// from what a pilot finds, alike for all of a sweep. One seed, one mix.
struct ForecastMix {
  uint64_t seed = 1;
  // A multiple of ten.
  int jobs = 200;
  int devices = 4;
};

// How well one forecast foretold when jobs end.
struct ForecastErrors {
  // Since the first submission, when it was made.
  absl::Duration made_at;
  // The last end after that.
  absl::Duration until_end;
  // That had not ended then.
  int64_t jobs = 0;
  // Of these, the ones without a forecast.
  int64_t without = 0;
  // Of the others, how far it was off, over the time to the end: the one in the
  // middle, and the one that nine tenths are not above.
  double median = 0;
  double ninetieth = 0;
};

// Runs the mix in a simulated world (world.h), in which the core itself
// decides, and makes forecasts as hydrad does: when all jobs are prepared, when
// a third of them has ended, and when two thirds have.
std::vector<ForecastErrors> MeasureForecasts(const ForecastMix& mix);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_FORECAST_MIX_H_
