#include "scheduler/sim/forecast_mix.h"

#include <gtest/gtest.h>

#include <vector>

namespace hydra {
namespace {

// The core does what was forecast: each job of two hundred ends about then. How
// near that is, forecast_error shows; these are bounds for what is sound at
// all. Later on the pool decides who trains at all, and what is left is short
// beside what that changes.
TEST(ForecastMixTest, AForecastIsAboutWhatTheCoreDoes) {
  const std::vector<ForecastErrors> made = MeasureForecasts({});
  ASSERT_EQ(made.size(), 3);
  EXPECT_EQ(made[0].jobs, 200);
  for (const ForecastErrors& errors : made) {
    EXPECT_EQ(errors.without, 0) << errors.made_at;
    EXPECT_GT(errors.jobs, 0) << errors.made_at;
    const bool is_first = &errors == &made[0];
    EXPECT_LT(errors.median, is_first ? 0.25 : 0.75) << errors.made_at;
  }
}

TEST(ForecastMixTest, OneSeedIsOneMix) {
  ForecastMix mix;
  mix.seed = 7;
  mix.jobs = 20;
  mix.devices = 2;
  const std::vector<ForecastErrors> once = MeasureForecasts(mix);
  const std::vector<ForecastErrors> again = MeasureForecasts(mix);
  ASSERT_EQ(once.size(), again.size());
  for (size_t i = 0; i < once.size(); ++i) {
    EXPECT_EQ(once[i].median, again[i].median);
    EXPECT_EQ(once[i].until_end, again[i].until_end);
  }
}

}  // namespace
}  // namespace hydra
