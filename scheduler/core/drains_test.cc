#include "scheduler/core/drains.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "scheduler/core/testing/hands_fixture.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

namespace jv1 = hydra::journal::v1;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;

class DrainsTest : public HandsFixture {
 protected:
  DrainsTest() { TakeRecords(); }
  // What was recorded of it since the last call.
  std::vector<jv1::DrainRecord> TakeRecords() {
    std::vector<jv1::DrainRecord> records;
    journal_.pool_changes();
    for (const Journal::Entry& entry : journal_.TakeEntries()) {
      for (const jv1::Change& change : entry.changes) {
        if (change.table() != kJobsMetaTable || change.b() != kDrained)
          continue;
        EXPECT_TRUE(records.emplace_back().ParseFromString(change.value()));
      }
    }
    return records;
  }

  Drains drains_{&roster_, &journal_};
};

TEST_F(DrainsTest, ADeviceIsNotUsableUntilItIsUndrained) {
  EXPECT_THAT(drains_.SetDevices({"cpu:1"}, "new fan").value(), true);
  EXPECT_TRUE(roster_.IsDraining(At(2)));
  EXPECT_FALSE(At(2).usable());
  EXPECT_FALSE(roster_.IsDraining(At(1)));
  EXPECT_THAT(TakeRecords(), SizeIs(1));
  EXPECT_FALSE(drains_.SetDevices({"cpu:1"}, "new fan").value());
  EXPECT_THAT(TakeRecords(), IsEmpty());
  EXPECT_TRUE(drains_.SetDevices({"cpu:1"}, "new fans").value());
  EXPECT_THAT(At(2).drained, Optional(std::string("new fans")));
  EXPECT_TRUE(drains_.SetDevices({"cpu:0", "cpu:1"}, std::nullopt).value());
  EXPECT_TRUE(At(2).usable());
}

TEST_F(DrainsTest, AnUnknownDeviceKeepsAllAsTheyWere) {
  const absl::Status status =
      drains_.SetDevices({"cpu:1", "gpu0"}, "new fan").status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("'gpu0'; the server has cpu:0, cpu:1"));
  EXPECT_FALSE(roster_.IsDraining(At(2)));
  EXPECT_THAT(TakeRecords(), IsEmpty());
}

TEST_F(DrainsTest, MaintenanceLeavesDevicesOwnStateAsItIs) {
  EXPECT_TRUE(drains_.SetDevices({"cpu:1"}, "new fan").value());
  EXPECT_TRUE(drains_.SetMaintenance(""));
  EXPECT_FALSE(drains_.SetMaintenance(""));
  EXPECT_TRUE(roster_.IsDraining(At(1)));
  // Jobs may count on it: maintenance is soon over.
  EXPECT_TRUE(At(1).usable());
  EXPECT_TRUE(drains_.SetMaintenance(std::nullopt));
  EXPECT_FALSE(drains_.SetMaintenance(std::nullopt));
  EXPECT_FALSE(roster_.IsDraining(At(1)));
  EXPECT_TRUE(roster_.IsDraining(At(2)));
}

TEST_F(DrainsTest, StatusesSayWhichReasonCounts) {
  EXPECT_TRUE(drains_.SetDevices({"cpu:1"}, "new fan").value());
  EXPECT_TRUE(drains_.SetMaintenance("driver update"));
  const auto statuses = roster_.Statuses(now_);
  EXPECT_TRUE(statuses[0].draining());
  EXPECT_EQ(statuses[0].drain_reason(), "driver update");
  EXPECT_EQ(statuses[1].drain_reason(), "new fan");
  EXPECT_TRUE(drains_.SetMaintenance(std::nullopt));
  EXPECT_FALSE(roster_.Statuses(now_)[0].draining());
  EXPECT_TRUE(roster_.Statuses(now_)[1].draining());
}

TEST_F(DrainsTest, AnotherDaemonGoesOnFromTheRecord) {
  EXPECT_TRUE(drains_.SetDevices({"cpu:1"}, "new fan").value());
  EXPECT_TRUE(drains_.SetMaintenance("driver update"));
  const std::vector<jv1::DrainRecord> records = TakeRecords();
  ASSERT_FALSE(records.empty());
  jv1::DrainRecord record = records.back();
  record.add_devices()->set_device("cpu:7");
  Roster again(&options_, &book_, &queue_, &journal_, &actions_);
  Drains(&again, &journal_).Restore(record);
  EXPECT_THAT(again.maintenance(), Optional(std::string("driver update")));
  EXPECT_FALSE(again.At(WorkerId(1)).drained.has_value());
  EXPECT_THAT(again.At(WorkerId(2)).drained, Optional(std::string("new fan")));
  EXPECT_THAT(TakeRecords(), IsEmpty());
}

}  // namespace
}  // namespace hydra
