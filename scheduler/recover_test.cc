#include "scheduler/recover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "common/file/scratch_directory.h"
#include "hydra/v1/status.pb.h"
#include "scheduler/daemon/journal_files.h"
#include "scheduler/daemon/state_directory.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/sqlite_record_store.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using State = RecoverOutcome::State;
using ::testing::HasSubstr;

constexpr int kRecords = 2000;

// About so many bytes of a record.
std::string Evaluation(int bytes) {
  v1::EvaluationMetrics metrics;
  metrics.set_split(std::string(bytes, 'x'));
  return metrics.SerializeAsString();
}

class RecoverTest : public testing::Test {
 protected:
  RecoverTest() {
    config_.set_state_dir(directory_.PathOf("state"));
    EXPECT_TRUE(StateDirectory::Open(config_.state_dir()).ok());
    path_ = JobsJournalPath(config_);
    auto store = Open();
    EXPECT_TRUE(store.ok()) << store.status();
    changes_.push_back(MakePut(kSubmittedTable, 1, 0, ""));
    for (int i = 1; i <= kRecords; ++i) {
      changes_.push_back(MakePut(kEvaluationsTable, 1, i, Evaluation(80)));
    }
    EXPECT_TRUE((*store)->Apply(changes_).ok());
  }

  absl::StatusOr<std::unique_ptr<SqliteRecordStore>> Open() {
    return OpenJobsJournal(path_);
  }

  void Damage() {
    std::string bytes = ReadFile(path_);
    for (size_t i = bytes.size() / 2; i < bytes.size() / 2 + 4096; ++i) {
      bytes[i] ^= 0x55;
    }
    WriteFile(path_, bytes);
  }

  int RecordCount() {
    auto store = Open();
    EXPECT_TRUE(store.ok()) << store.status();
    int count = 0;
    EXPECT_TRUE((*store)
                    ->ForEach(kEvaluationsTable,
                              [&](int64_t, int64_t, absl::string_view) {
                                ++count;
                                return absl::OkStatus();
                              })
                    .ok());
    return count;
  }

  const ScratchDirectory directory_{ScratchPlace::kMemory};
  config::v1::DaemonConfig config_;
  std::string path_;
  std::vector<journal::v1::Change> changes_;
};

TEST_F(RecoverTest, SaysThatAWholeFileIsWholeAndLeavesIt) {
  const std::string before = ReadFile(path_);
  const auto outcome = Recover(config_, /*write=*/true);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->state, State::kWhole);
  EXPECT_THAT(outcome->text, HasSubstr("is whole"));
  EXPECT_EQ(ReadFile(path_), before);
}

TEST_F(RecoverTest, ExplainsTheDamageAndLeavesTheFile) {
  Damage();
  const std::string damaged = ReadFile(path_);
  // A second time too, in spite of what the first one left.
  for (int i = 0; i < 2; ++i) {
    const auto outcome = Recover(config_, /*write=*/false);
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_EQ(outcome->state, State::kDamaged);
    EXPECT_THAT(outcome->text, HasSubstr("is damaged"));
    EXPECT_THAT(outcome->text, HasSubstr("table evaluations"));
    EXPECT_THAT(outcome->text, HasSubstr("jobs.db.recovered"));
    EXPECT_EQ(ReadFile(path_), damaged);
  }
}

TEST_F(RecoverTest, PutsWhatCanBeReadInPlaceAndKeepsTheDamagedFiles) {
  for (const char* kept : {".damaged-1", ".damaged-2"}) {
    Damage();
    const std::string damaged = ReadFile(path_);
    EXPECT_EQ(Open().status().code(), absl::StatusCode::kDataLoss);
    const int before = kRecords;
    const auto outcome = Recover(config_, /*write=*/true);
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_EQ(outcome->state, State::kRepaired);
    EXPECT_THAT(outcome->text, HasSubstr(kept));
    EXPECT_EQ(ReadFile(path_ + kept), damaged);
    EXPECT_FALSE(std::filesystem::exists(path_ + ".recovered"));
    const int left = RecordCount();
    EXPECT_LT(left, before);
    EXPECT_GT(left, before / 2);
  }
}

TEST_F(RecoverTest, TheLogOfTheDamagedFileIsNotThatOfTheNewOne) {
  // As a killed daemon leaves them: the newest records are in the log alone.
  const std::string file = ReadFile(path_);
  {
    auto store = Open();
    ASSERT_TRUE((*store)
                    ->Apply({MakePut(kEvaluationsTable, 1, 1, Evaluation(90))})
                    .ok());
    const std::string log = ReadFile(path_ + "-wal");
    ASSERT_FALSE(log.empty());
    store->reset();
    WriteFile(path_, file);
    WriteFile(path_ + "-wal", log);
  }
  Damage();
  const auto outcome = Recover(config_, /*write=*/true);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->state, State::kRepaired);
  EXPECT_FALSE(ReadFile(path_ + ".damaged-1-wal").empty());
  EXPECT_GT(RecordCount(), kRecords / 2);
}

TEST_F(RecoverTest, RefusesTheDirectoryOfALiveDaemonAndAMissingFile) {
  {
    const auto live = StateDirectory::Open(config_.state_dir());
    EXPECT_EQ(Recover(config_, false).status().code(),
              absl::StatusCode::kFailedPrecondition);
  }
  unlink(path_.c_str());
  EXPECT_EQ(Recover(config_, false).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace hydra
