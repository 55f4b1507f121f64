#include "client/render/device_time.h"

#include <gtest/gtest.h>

namespace hydra {
namespace {

TEST(DeviceTimeTextTest, SharesAreOfAllThatTheDevicesGaveAndWaited) {
  v1::JobTotals totals;
  EXPECT_EQ(DeviceTimeText(totals), "");
  totals.mutable_device()->set_seconds(150);
  totals.mutable_copy()->set_seconds(30);
  totals.mutable_wait_for_server()->set_seconds(1);
  totals.mutable_idle()->set_seconds(49);
  EXPECT_EQ(DeviceTimeText(totals),
            "3m20s: 60% computing, 15% copies, <1% waiting for hydrad, "
            "0% changing tasks, 25% idle");
}

TEST(EnergyTextTest, IsShownWhereItIsKnown) {
  v1::JobTotals totals;
  EXPECT_EQ(EnergyText(totals), "");
  totals.set_energy_joules(12345);
  EXPECT_EQ(EnergyText(totals), "12.3 kJ (3.4 Wh)");
}

}  // namespace
}  // namespace hydra
