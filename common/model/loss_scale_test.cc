#include "common/model/loss_scale.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

namespace hydra {
namespace {

using checkpoint::v1::LossScale;

hydra::v1::TrainSpec Train(double scale, int growth_interval) {
  hydra::v1::TrainSpec train;
  train.set_fp16(true);
  train.set_loss_scale(scale);
  train.set_loss_scale_growth_interval(growth_interval);
  return train;
}

// Of each step, and of the one behind them.
std::vector<double> ScalesOf(const std::vector<bool>& overflows,
                             const hydra::v1::TrainSpec& train) {
  LossScale state;
  std::vector<double> scales = {ScaleOf(state, train)};
  for (bool overflowed : overflows) {
    state = AfterStep(state, overflowed, train);
    scales.push_back(ScaleOf(state, train));
  }
  return scales;
}

// torch.amp.GradScaler(init_scale=1024, growth_interval=2) with found_inf as in
// the list.
TEST(LossScaleTest, ChangesAsGradScalers) {
  EXPECT_EQ(
      ScalesOf({true, true, false, false, false, true, false, false},
               Train(1024, 2)),
      (std::vector<double>{1024, 512, 256, 256, 512, 512, 256, 256, 512}));
}

TEST(LossScaleTest, GoodStepsBeforeAnOverflowDoNotCount) {
  EXPECT_EQ(ScalesOf({false, false, true, false, false, false}, Train(1024, 3)),
            (std::vector<double>{1024, 1024, 1024, 512, 512, 512, 1024}));
}

TEST(LossScaleTest, HasALeastAndALargest) {
  EXPECT_EQ(ScalesOf({true, true, true}, Train(2, 5)),
            (std::vector<double>{2, 1, 1, 1}));
  EXPECT_EQ(ScalesOf({false, false}, Train(0x1p63, 1)),
            (std::vector<double>{0x1p63, 0x1p64, 0x1p64}));
  LossScale state;
  EXPECT_TRUE(CanShrink(state, Train(2, 5)));
  state = AfterStep(state, /*overflowed=*/true, Train(2, 5));
  EXPECT_FALSE(CanShrink(state, Train(2, 5)));
}

TEST(LossScaleTest, WithoutGrowthItIsFixed) {
  const hydra::v1::TrainSpec train = Train(128, 0);
  EXPECT_EQ(ScalesOf({true, false, true}, train),
            (std::vector<double>{128, 128, 128, 128}));
  EXPECT_FALSE(CanShrink(LossScale(), train));
}

TEST(LossScaleTest, CountsTheStepsThatUpdatedNothing) {
  const hydra::v1::TrainSpec train = Train(1024, 2000);
  LossScale state;
  for (bool overflowed : {true, false, true, true, false, false}) {
    state = AfterStep(state, overflowed, train);
  }
  EXPECT_EQ(state.skipped_steps(), 3);
  EXPECT_EQ(state.good_steps(), 2);
  EXPECT_EQ(AfterStep(LossScale(), true, Train(128, 0)).skipped_steps(), 1);
}

}  // namespace
}  // namespace hydra
