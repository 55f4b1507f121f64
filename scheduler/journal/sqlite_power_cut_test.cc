// The power goes before every single write, synchronisation, truncation or
// removal in a short life of a durable file. The disk keeps what was
// synchronised, and any of the rest.

#include <memory>
#include <string>

#include "common/file/scratch_directory.h"
#include "gtest/gtest.h"
#include "scheduler/journal/sqlite_record_store.h"
#include "scheduler/journal/testing/power_cut_vfs.h"
#include "scheduler/journal/testing/record_scenario.h"

namespace hydra {
namespace {

constexpr int kOpenings = 3;
constexpr int kTransactionsPerOpening = 4;
constexpr int kSeeds = 8;

class SqlitePowerCutTest : public testing::Test {
 protected:
  static absl::StatusOr<std::unique_ptr<SqliteRecordStore>> Open(
      const std::string& path, const std::string& vfs) {
    SqliteRecordStore::Options options;
    options.schema = ScenarioSchema();
    options.vfs = vfs;
    return SqliteRecordStore::Open(path, options);
  }

  void Live() {
    for (int opening = 0; opening < kOpenings; ++opening) {
      auto store = Open(before_.PathOf("records.db"), vfs_.name());
      ASSERT_TRUE(store.ok()) << store.status();
      for (int number = 0; number < kTransactionsPerOpening; ++number) {
        ASSERT_TRUE(
            (*store)->Apply(ScenarioTransaction(acknowledged_ + 1)).ok());
        ++acknowledged_;
      }
    }
  }

  // Begins anew on what the disk held at the cut.
  void ExpectAcknowledgedOnesAtCut() {
    for (const auto& [name, bytes] : vfs_.survivors()) {
      WriteFile(after_.PathOf(name), bytes);
    }
    auto store = Open(after_.PathOf("records.db"), "");
    ASSERT_TRUE(store.ok()) << store.status();
    ASSERT_TRUE((*store)->CheckAll().ok()) << (*store)->CheckAll();
    const absl::StatusOr<int> count = CountTransactions(**store);
    ASSERT_TRUE(count.ok()) << count.status();
    EXPECT_GE(*count, acknowledged_at_cut_);
    EXPECT_LE(*count, acknowledged_at_cut_ + 1);
  }

  const ScratchDirectory before_{ScratchPlace::kMemory};
  const ScratchDirectory after_{ScratchPlace::kMemory};
  PowerCutVfs vfs_;
  int acknowledged_ = 0;
  int acknowledged_at_cut_ = 0;
};

TEST_F(SqlitePowerCutTest, NothingAcknowledgedIsLostAndNothingIsTorn) {
  int call = 0;
  do {
    ++call;
    for (int seed = 0; seed < kSeeds; ++seed) {
      SCOPED_TRACE(testing::Message() << "call " << call << " seed " << seed);
      before_.Empty();
      after_.Empty();
      acknowledged_ = 0;
      vfs_.CutAt(call, call * kSeeds + seed,
                 [this] { acknowledged_at_cut_ = acknowledged_; });
      Live();
      if (vfs_.was_cut()) ExpectAcknowledgedOnesAtCut();
      if (HasFailure()) return;
    }
  } while (vfs_.was_cut());
  EXPECT_GT(call, 100);
}

}  // namespace
}  // namespace hydra
