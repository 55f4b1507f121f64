// Every call to the system fails once, and from then on, in a short life of a
// file: nothing crashes, what was acknowledged is there, and the rest is there
// whole or not at all. (The method is SQLite's own.)

#include <memory>
#include <string>
#include <tuple>

#include "common/file/scratch_directory.h"
#include "gtest/gtest.h"
#include "scheduler/journal/sqlite_record_store.h"
#include "scheduler/journal/testing/fault_vfs.h"
#include "scheduler/journal/testing/record_scenario.h"

namespace hydra {
namespace {

constexpr int kOpenings = 3;
constexpr int kTransactionsPerOpening = 4;

using Case = std::tuple</*durable=*/bool, FaultVfs::Duration, FaultVfs::Error>;

std::string NameOf(const Case& parameters) {
  const auto [durable, duration, error] = parameters;
  return std::string(durable ? "Durable" : "Fast") +
         (duration == FaultVfs::Duration::kOnce ? "Once" : "FromThenOn") +
         (error == FaultVfs::Error::kNoRoom ? "NoRoom" : "InputOutput");
}

class SqliteFaultTest : public testing::TestWithParam<Case> {
 protected:
  absl::StatusOr<std::unique_ptr<SqliteRecordStore>> Open(
      const std::string& vfs) {
    SqliteRecordStore::Options options;
    options.durable = std::get<bool>(GetParam());
    options.schema = ScenarioSchema();
    options.vfs = vfs;
    return SqliteRecordStore::Open(path_, options);
  }

  void ExpectTheInjectedError(const absl::Status& status) const {
    const bool no_room =
        std::get<FaultVfs::Error>(GetParam()) == FaultVfs::Error::kNoRoom;
    EXPECT_EQ(absl::IsResourceExhausted(status), no_room) << status;
    EXPECT_FALSE(absl::IsDataLoss(status)) << status;
  }

  // Goes on with the transaction after the last one that was acknowledged, and
  // tries it again after a failure, once.
  void Live() {
    for (int opening = 0; opening < kOpenings; ++opening) {
      auto store = Open(vfs_.name());
      if (!store.ok()) {
        ExpectTheInjectedError(store.status());
        continue;
      }
      for (int tries = 0; tries < kTransactionsPerOpening; ++tries) {
        absl::Status applied =
            (*store)->Apply(ScenarioTransaction(acknowledged_ + 1));
        if (applied.ok()) {
          ++acknowledged_;
        } else {
          ExpectTheInjectedError(applied);
          ++refused_;
        }
        const absl::StatusOr<int> count = CountTransactions(**store);
        // Reading may have to undo what a failed transaction has done.
        ASSERT_TRUE(count.ok() || vfs_.is_failing()) << count.status();
        if (count.ok()) {
          ASSERT_EQ(*count, acknowledged_) << applied;
        }
      }
    }
  }

  void ExpectAcknowledgedOnes() {
    auto store = Open("");
    ASSERT_TRUE(store.ok()) << store.status();
    ASSERT_TRUE((*store)->CheckAll().ok()) << (*store)->CheckAll();
    const absl::StatusOr<int> count = CountTransactions(**store);
    ASSERT_TRUE(count.ok()) << count.status();
    EXPECT_GE(*count, acknowledged_);
    // The last one that failed may be there, whole.
    EXPECT_LE(*count, acknowledged_ + (refused_ > 0 ? 1 : 0));
  }

  const ScratchDirectory directory_{ScratchPlace::kMemory};
  const std::string path_ = directory_.PathOf("records.db");
  FaultVfs vfs_;
  int acknowledged_ = 0;
  int refused_ = 0;
};

TEST_P(SqliteFaultTest, NothingAcknowledgedIsLostAndNothingIsTorn) {
  const auto [durable, duration, error] = GetParam();
  int failing_call = 0;
  do {
    ++failing_call;
    SCOPED_TRACE(testing::Message() << "call " << failing_call);
    directory_.Empty();
    acknowledged_ = refused_ = 0;
    vfs_.FailAt(failing_call, duration, error);
    Live();
    vfs_.Heal();
    ExpectAcknowledgedOnes();
  } while (vfs_.has_failed() && !HasFailure());
  // The last round was one without a failure.
  EXPECT_EQ(acknowledged_, kOpenings * kTransactionsPerOpening);
  EXPECT_GT(failing_call, 50);
}

INSTANTIATE_TEST_SUITE_P(
    All, SqliteFaultTest,
    testing::Combine(testing::Bool(),
                     testing::Values(FaultVfs::Duration::kOnce,
                                     FaultVfs::Duration::kFromThenOn),
                     testing::Values(FaultVfs::Error::kNoRoom,
                                     FaultVfs::Error::kInputOutput)),
    [](const auto& info) { return NameOf(info.param); });

}  // namespace
}  // namespace hydra
