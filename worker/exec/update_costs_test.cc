#include "worker/exec/update_costs.h"

#include <memory>

#include "common/status/proto_time.h"
#include "gtest/gtest.h"
#include "worker/device/cpu/cpu_device.h"
#include "worker/device/cpu/linked_device.h"

namespace hydra {
namespace {

using hydra::v1::UPDATE_PLACE_AUTO;
using hydra::v1::UPDATE_PLACE_DEVICE;
using hydra::v1::UPDATE_PLACE_HOST;

// A million.
UpdatedParameters WithMoments(int moments, bool have_masters = false) {
  return {1'000'000, moments, have_masters};
}

TEST(UpdateCostsTest,
     TheLinkIsBusyWithMomentsOnTheDeviceAndGradientsOnTheHost) {
  const UpdateRates rates = {1e6, 1e6, 1e12};
  const UpdateCosts costs = CostsOfUpdates(rates, WithMoments(2));
  EXPECT_EQ(costs.on_host, absl::Seconds(4));
  EXPECT_EQ(costs.on_device, absl::Seconds(12));
}

TEST(UpdateCostsTest, TheSlowerDirectionCounts) {
  const UpdateCosts costs = CostsOfUpdates({{1e6, 4e6}, 1e12}, WithMoments(2));
  EXPECT_EQ(costs.on_host, absl::Seconds(4));
  EXPECT_EQ(costs.on_device, absl::Seconds(8));
}

TEST(UpdateCostsTest, ASlowHostIsBusyWithAllVersions) {
  const UpdateCosts costs = CostsOfUpdates({{1e9, 1e9}, 1e6}, WithMoments(2));
  EXPECT_EQ(costs.on_host, absl::Seconds(28));
  EXPECT_EQ(costs.on_device, absl::Milliseconds(12));
}

// Two bytes of a parameter and four of everything else: a gradient, moments and
// a master.
TEST(UpdateCostsTest, MastersAreStateAndParametersAreHalfAsLong) {
  const UpdatedParameters parameters = WithMoments(2, /*have_masters=*/true);
  UpdateCosts costs = CostsOfUpdates({{1e6, 1e6}, 1e12}, parameters);
  EXPECT_EQ(costs.on_host, absl::Seconds(4));
  EXPECT_EQ(costs.on_device, absl::Seconds(2 + 3 * 4));
  costs = CostsOfUpdates({{1e6, 1e15}, 1e12}, parameters);
  EXPECT_EQ(costs.on_host, absl::Seconds(2));
  EXPECT_EQ(costs.on_device, absl::Seconds(3 * 4));
  costs = CostsOfUpdates({{1e9, 1e9}, 1e6}, parameters);
  EXPECT_EQ(costs.on_host, absl::Seconds(4 + 2 + 2 * 3 * 4));
  // Without moments there is state all the same.
  costs =
      CostsOfUpdates({{1e6, 1e6}, 1e12}, WithMoments(0, /*have_masters=*/true));
  EXPECT_EQ(costs.on_host, absl::Seconds(4));
  EXPECT_EQ(costs.on_device, absl::Seconds(2 + 4));
}

TEST(UpdateCostsTest, ASlowLinkMakesTheHostUpdate) {
  LinkedDevice device(CpuDevice::Create(0, 8 << 20).value(),
                      ParseLink("1e7,1e7").value());
  const hydra::v1::UpdatePlan plan =
      PlanUpdates(UPDATE_PLACE_AUTO, WithMoments(2),
                  /*device_can_update=*/true, MeasureCopyRates(device));
  EXPECT_EQ(plan.place(), UPDATE_PLACE_HOST);
  EXPECT_NEAR(absl::ToDoubleSeconds(FromProto(plan.on_device())), 1.2, 0.4);
  EXPECT_EQ(device.arena().used_bytes(), 0);
}

TEST(UpdateCostsTest, WhatTheJobAsksForIsDone) {
  const CopyRates slow_link{1e3, 1e3};
  const hydra::v1::UpdatePlan plan =
      PlanUpdates(UPDATE_PLACE_DEVICE, WithMoments(2),
                  /*device_can_update=*/true, slow_link);
  EXPECT_EQ(plan.place(), UPDATE_PLACE_DEVICE);
  EXPECT_FALSE(plan.has_on_host());
}

TEST(UpdateCostsTest, ADeviceThatCannotUpdateLeavesItToTheHost) {
  const CopyRates fast_link{1e15, 1e15};
  EXPECT_EQ(PlanUpdates(UPDATE_PLACE_AUTO, WithMoments(2),
                        /*device_can_update=*/false, fast_link)
                .place(),
            UPDATE_PLACE_HOST);
}

}  // namespace
}  // namespace hydra
