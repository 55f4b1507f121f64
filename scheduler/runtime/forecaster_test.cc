#include "scheduler/runtime/forecaster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "absl/time/time.h"
#include "scheduler/policy/sharded_lrtf.h"
#include "scheduler/runtime/testing/read_model_fixture.h"

namespace hydra {
namespace {

class ForecasterTest : public ReadModelFixture {
 protected:
  std::unique_ptr<Forecaster> MakeForecaster(bool can_ask = true) {
    return std::make_unique<Forecaster>(
        &model_, std::make_unique<ShardedLrtf>(), Machine(),
        [this, can_ask]() -> std::optional<Forecaster::Used> {
          ++asked_;
          if (!can_ask) return std::nullopt;
          return Forecaster::Used();
        });
  }

  int asked_ = 0;
};

TEST_F(ForecasterTest, TheReadModelSaysWhatIsKnownOfEachJobThatGoesOn) {
  Submit(2);
  const auto queued = model_.Find(JobId(2))->queued;
  ASSERT_NE(queued, nullptr);
  EXPECT_EQ(queued->id, JobId(2));
  EXPECT_FALSE(queued->remaining.has_value()) << "its data is not prepared";
  EXPECT_FALSE(queued->admitted);
  core_.Pause({JobId(1)}, now_);
  Settle();
  EXPECT_EQ(model_.Find(JobId(1))->queued, nullptr);
  core_.Resume({JobId(1)}, now_);
  Settle();
  EXPECT_NE(model_.Find(JobId(1))->queued, nullptr);
  Cancel({JobId(2)});
  EXPECT_EQ(model_.Find(JobId(2))->queued, nullptr);
}

TEST_F(ForecasterTest, OfWhatIsNotKnownThereIsNone) {
  Submit(2);
  const auto forecaster = MakeForecaster();
  forecaster->Make(now_);
  EXPECT_EQ(asked_, 1);
  EXPECT_FALSE(forecaster->Of(JobId(1)).has_value());
  EXPECT_FALSE(forecaster->Of(JobId(7)).has_value());
}

TEST_F(ForecasterTest, ACoreThatHasEndedIsNotWaitedFor) {
  Submit(1);
  const auto forecaster = MakeForecaster(/*can_ask=*/false);
  forecaster->Make(now_);
  EXPECT_FALSE(forecaster->Of(JobId(1)).has_value());
}

TEST_F(ForecasterTest, StopsWhetherItBeganOrNot) {
  MakeForecaster()->Stop();
  const auto forecaster = MakeForecaster();
  forecaster->Start();
  forecaster->Stop();
  forecaster->Stop();
}

}  // namespace
}  // namespace hydra
