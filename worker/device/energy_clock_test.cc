#include "worker/device/energy_clock.h"

#include "gtest/gtest.h"

namespace hydra {
namespace {

absl::Time At(double seconds) {
  return absl::FromUnixSeconds(100) + absl::Seconds(seconds);
}

TEST(EnergyClockTest, KnowsNothingBeforeItIsToldOfACard) {
  EnergyClock clock;
  EXPECT_FALSE(clock.JoulesAt(At(0)).has_value());
  clock.Add(At(0), std::nullopt, std::nullopt);
  EXPECT_FALSE(clock.JoulesAt(At(1)).has_value());
}

TEST(EnergyClockTest, ACounterIsTrustedAndPowerBridgesTheTimeSinceIt) {
  EnergyClock clock;
  clock.Add(At(0), 5000, 100);
  EXPECT_DOUBLE_EQ(clock.JoulesAt(At(0)).value(), 0);
  EXPECT_DOUBLE_EQ(clock.JoulesAt(At(0.5)).value(), 50);
  clock.Add(At(1), 5300, 200);
  EXPECT_DOUBLE_EQ(clock.JoulesAt(At(1)).value(), 300);
  EXPECT_DOUBLE_EQ(clock.JoulesAt(At(2)).value(), 500);
}

TEST(EnergyClockTest, WithoutACounterPowerIsAddedUp) {
  EnergyClock clock;
  clock.Add(At(0), std::nullopt, 100);
  clock.Add(At(2), std::nullopt, 300);
  EXPECT_DOUBLE_EQ(clock.JoulesAt(At(2)).value(), 400);
  EXPECT_DOUBLE_EQ(clock.JoulesAt(At(3)).value(), 700);
}

TEST(EnergyClockTest, WithoutPowerTheCounterSaysIt) {
  EnergyClock clock;
  clock.Add(At(0), 0, std::nullopt);
  clock.Add(At(2), 100, std::nullopt);
  EXPECT_DOUBLE_EQ(clock.JoulesAt(At(3)).value(), 150);
}

TEST(EnergyClockTest, WhatWasToldIsNotTakenBack) {
  EnergyClock clock;
  clock.Add(At(0), 0, 500);
  EXPECT_DOUBLE_EQ(clock.JoulesAt(At(1)).value(), 500);
  clock.Add(At(1), 100, 100);
  EXPECT_DOUBLE_EQ(clock.JoulesAt(At(1)).value(), 500);
  EXPECT_DOUBLE_EQ(clock.JoulesAt(At(6)).value(), 600);
}

TEST(EnergyClockTest, OfASilentDriverNothingIsMadeUpForLong) {
  EnergyClock clock;
  clock.Add(At(0), 0, 100);
  EXPECT_DOUBLE_EQ(clock.JoulesAt(At(60)).value(), 6000);
  EXPECT_DOUBLE_EQ(clock.JoulesAt(At(3600)).value(), 6000);
  clock.Add(At(3600), 360000, 100);
  EXPECT_DOUBLE_EQ(clock.JoulesAt(At(3600)).value(), 360000);
}

// A driver that is loaded anew counts from 0.
TEST(EnergyClockTest, ACounterThatFellIsNotCounted) {
  EnergyClock clock;
  clock.Add(At(0), 5000, 100);
  clock.Add(At(1), 10, 100);
  EXPECT_DOUBLE_EQ(clock.JoulesAt(At(1)).value(), 100);
}

}  // namespace
}  // namespace hydra
