#include "scheduler/core/intent.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace hydra {
namespace {

const std::vector<Intent> kAll = {
    Intent::kGoOn,
    Intent::kPause,
    Intent::kBeginAgain,
    Intent::kSaveAndBeginAgain,
    Intent::kBeginAgainAndPause,
    Intent::kSaveBeginAgainAndPause,
    Intent::kHold,
};

TEST(IntentTest, WhatAUserTakesBackIsAsBefore) {
  for (Intent intent : kAll) {
    const std::optional<Intent> pausing = After(intent, IntentEvent::kPause);
    // Refused where it would change nothing.
    EXPECT_EQ(pausing.has_value(), !Pauses(intent) && intent != Intent::kHold);
    if (!pausing.has_value()) continue;
    EXPECT_TRUE(Pauses(*pausing));
    EXPECT_EQ(GoesBack(*pausing), GoesBack(intent));
    EXPECT_EQ(SavesBefore(*pausing), SavesBefore(intent));
    EXPECT_EQ(After(*pausing, IntentEvent::kResume), intent);
  }
}

TEST(IntentTest, OnlyAPausingJobCanBeResumed) {
  for (Intent intent : kAll) {
    EXPECT_EQ(After(intent, IntentEvent::kResume).has_value(), Pauses(intent));
  }
}

// Cutting anew does not overtake a pause: it pauses once it is saved.
TEST(IntentTest, APauseOutlivesAnotherCut) {
  const Intent cut = *After(Intent::kPause, IntentEvent::kCutAnew);
  EXPECT_TRUE(SavesBefore(cut));
  EXPECT_EQ(WentBack(cut), Intent::kPause);
}

TEST(IntentTest, WhoCouldNotBeSavedGoesBackAllTheSameAndDoesNotPause) {
  for (Intent intent : kAll) {
    const std::optional<Intent> after = After(intent, IntentEvent::kNotSaved);
    ASSERT_TRUE(after.has_value());
    EXPECT_EQ(GoesBack(*after), GoesBack(intent));
    EXPECT_FALSE(SavesBefore(*after));
    if (Pauses(intent) && intent != Intent::kBeginAgainAndPause) {
      EXPECT_FALSE(Pauses(*after));
    }
  }
}

TEST(IntentTest, WhoGoesBackHearsNothingMoreOfItsTasks) {
  for (Intent intent : kAll) {
    if (!GoesBack(intent)) continue;
    EXPECT_EQ(After(intent, IntentEvent::kCutAnew), std::nullopt);
    EXPECT_EQ(After(intent, IntentEvent::kFallBack), std::nullopt);
  }
}

TEST(IntentTest, GoingBackIsDoneOnce) {
  for (Intent intent : kAll) {
    const Intent after = WentBack(intent);
    EXPECT_EQ(Pauses(after), Pauses(intent));
    EXPECT_EQ(GoesBack(after), intent == Intent::kHold);
  }
}

TEST(IntentTest, WhoHasComeToRestGoesOnWhenItIsWoken) {
  EXPECT_EQ(After(Intent::kPause, IntentEvent::kWakeUp), Intent::kGoOn);
  EXPECT_EQ(After(Intent::kHold, IntentEvent::kWakeUp), Intent::kGoOn);
}

}  // namespace
}  // namespace hydra
