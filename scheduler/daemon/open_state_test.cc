#include "scheduler/daemon/open_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "common/file/scratch_directory.h"
#include "scheduler/daemon/journal_files.h"
#include "scheduler/daemon/state_directory.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/recovery.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace jv1 = hydra::journal::v1;
using ::testing::HasSubstr;

// A process that does nothing, as a worker's.
class Sleeper {
 public:
  Sleeper() : pid_(fork()) {
    while (pid_ == 0) pause();
  }
  ~Sleeper() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  pid_t pid() const { return pid_; }
  bool lives() const { return StartTimeOf(pid_).ok(); }

 private:
  const pid_t pid_;
};

// Files cannot grow, as on a full disk.
class FullDisk {
 public:
  FullDisk() {
    signal(SIGXFSZ, SIG_IGN);
    EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &before_), 0);
    rlimit limit = before_;
    limit.rlim_cur = 100;
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~FullDisk() { EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &before_), 0); }

 private:
  rlimit before_;
};

// A daemon that was killed left job 1, whose cancellation was acknowledged and
// is only in the outbox, and a living worker.
class OpenStateTest : public testing::Test {
 protected:
  OpenStateTest() {
    config_.mutable_pool()->set_path(scratch_.PathOf("pool"));
    config_.mutable_pool()->set_size_bytes(1 << 20);
    config_.add_devices()->set_name("cpu:0");
    UseStateDirectory("state");
    absl::StatusOr<DaemonState> state = OpenDaemonState(config_);
    EXPECT_TRUE(state.ok()) << state.status();
    EXPECT_TRUE(state->pool_is_new);
    instance_ = state->pool->instance_id();
    EXPECT_TRUE(state->jobs->Apply({MakePut(kSubmittedTable, 1, 0, "")}).ok());
    jv1::JobProgress progress;
    progress.set_reason("acknowledged");
    jv1::OutboxEntry entry;
    *entry.add_changes() =
        MakePut(kProgressTable, 1, 0, progress.SerializeAsString());
    jv1::WorkerProcess process;
    process.set_pid(worker_.pid());
    process.set_start_time(*StartTimeOf(worker_.pid()));
    EXPECT_TRUE(
        state->pool_records
            ->Apply({MakePut(kOutboxTable, 3, 0, entry.SerializeAsString()),
                     MakePut(kWorkersTable, 1, 0, process.SerializeAsString())})
            .ok());
  }

  void UseStateDirectory(const std::string& name) {
    config_.set_state_dir(scratch_.PathOf(name));
    ASSERT_TRUE(StateDirectory::Open(config_.state_dir()).ok());
  }

  // Changes what the daemon left.
  void ChangePoolJournal(const jv1::Change& change) {
    SqliteRecordStore::Options options;
    options.durable = false;
    options.schema = PoolSchema();
    auto records = SqliteRecordStore::Open(PoolJournalPath(config_), options);
    ASSERT_TRUE(records.ok()) << records.status();
    ASSERT_TRUE((*records)->Apply({change}).ok());
  }
  void ChangeJobsJournal(const jv1::Change& change) {
    auto records = OpenJobsJournal(JobsJournalPath(config_));
    ASSERT_TRUE(records.ok()) << records.status();
    ASSERT_TRUE((*records)->Apply({change}).ok());
  }

  void ExpectTakenOver() {
    const auto state = OpenDaemonState(config_);
    ASSERT_TRUE(state.ok()) << state.status();
    EXPECT_FALSE(state->pool_is_new);
    EXPECT_EQ(state->pool->instance_id(), instance_);
    EXPECT_EQ(state->workers.size(), 1);
    EXPECT_EQ(state->generation, 2);
    ExpectDelivered(*state);
    EXPECT_TRUE(worker_.lives());
  }

  static void ExpectDelivered(const DaemonState& state) {
    EXPECT_EQ(state.recovered.jobs.at(JobId(1)).progress.reason(),
              "acknowledged");
    EXPECT_EQ(state.last_sequence, 3);
  }

  // As another daemon's pool.
  void ExpectRefusedNaming(const std::string& what) {
    const absl::Status refused = OpenDaemonState(config_).status();
    EXPECT_TRUE(absl::IsAlreadyExists(refused)) << refused;
    EXPECT_THAT(refused.message(), HasSubstr(what));
    EXPECT_TRUE(worker_.lives());
  }

  // Nothing of it, so that nothing can be mistaken.
  void ExpectNewPool(const DaemonState& state) {
    EXPECT_TRUE(state.pool_is_new);
    EXPECT_NE(state.pool->instance_id(), instance_);
    EXPECT_TRUE(state.workers.empty());
    EXPECT_TRUE(state.recovered.workers.empty());
    Recovered in_pool;
    EXPECT_TRUE(ReadWorkers(*state.pool_records, in_pool).ok());
    EXPECT_TRUE(in_pool.workers.empty());
  }

  // Before a pool is open: it would share the lock.
  const Sleeper worker_;
  const ScratchDirectory scratch_{ScratchPlace::kMemory};
  config::v1::DaemonConfig config_;
  InstanceId instance_;
};

TEST_F(OpenStateTest, TakesOverThePoolAndDeliversTheOutbox) {
  ExpectTakenOver();
}

TEST_F(OpenStateTest, TakesOverWhatAnEarlierVersionLeft) {
  ChangeJobsJournal(MakeErase(kJobsMetaTable, 0, kPoolOfJobs));
  ChangePoolJournal(MakeErase(kPoolMetaTable, 0, kPoolBoot));
  ChangePoolJournal(MakeErase(kPoolMetaTable, 0, kPoolStateDir));
  ExpectTakenOver();
}

TEST_F(OpenStateTest, AfterAStartOfTheMachineOnlyTheOutboxIsBelieved) {
  ChangePoolJournal(MakePut(kPoolMetaTable, 0, kPoolBoot, "another"));
  const auto state = OpenDaemonState(config_);
  ASSERT_TRUE(state.ok()) << state.status();
  ExpectNewPool(*state);
  ExpectDelivered(*state);
  // It is somebody else, with the number of the worker of before.
  EXPECT_TRUE(worker_.lives());
}

TEST_F(OpenStateTest, ANewJournalCountsOnFromOutputsAndThenItAloneDecides) {
  UseStateDirectory("new");
  // The other one holds the jobs of another state directory.
  config_.mutable_pool()->set_path(scratch_.PathOf("new-pool"));
  const std::string outputs = config_.state_dir() + "/outputs/";
  for (const char* name : {"j2-small", "j10-large", "j-x", "other",
                           "j18446744073709551614-x", "j020-x", "j+30-x"}) {
    fs::create_directories(outputs + name);
  }
  EXPECT_EQ(OpenDaemonState(config_)->first_job, 11);
  fs::create_directories(outputs + "j500-x");
  EXPECT_EQ(OpenDaemonState(config_)->first_job, 11);
}

TEST_F(OpenStateTest, ANewStateDirectoryGetsNothingOfTheOldOne) {
  std::filesystem::remove_all(config_.state_dir());
  UseStateDirectory("state");
  const auto state = OpenDaemonState(config_);
  ASSERT_TRUE(state.ok()) << state.status();
  ExpectNewPool(*state);
  EXPECT_TRUE(state->recovered.jobs.empty());
  EXPECT_EQ(state->last_sequence, 0);
  EXPECT_FALSE(worker_.lives());
}

TEST_F(OpenStateTest, AnotherStateDirectoryGetsNothingOfThisOne) {
  UseStateDirectory("other");
  ChangeJobsJournal(MakePut(kSubmittedTable, 1, 0, ""));
  ExpectRefusedNaming(scratch_.PathOf("state"));
  UseStateDirectory("state");
  ExpectTakenOver();
}

TEST_F(OpenStateTest, ADamagedPoolJournalIsLeftToTheJobsOfItsPool) {
  UseStateDirectory("other");
  WriteFile(PoolJournalPath(config_), std::string(10'000, 'x'));
  ExpectRefusedNaming(PoolJournalPath(config_));
  UseStateDirectory("state");
  const auto state = OpenDaemonState(config_);
  ASSERT_TRUE(state.ok()) << state.status();
  ExpectNewPool(*state);
}

TEST_F(OpenStateTest, AStateDirectoryThatMovesTakesItsPoolAlong) {
  std::filesystem::rename(config_.state_dir(), scratch_.PathOf("moved"));
  UseStateDirectory("moved");
  ExpectTakenOver();
}

TEST_F(OpenStateTest, LinksToTheStateDirectoryAreFollowedAndNoOthers) {
  jv1::SubmittedJob own;
  own.set_output_dir(config_.state_dir() + "/outputs");
  ChangeJobsJournal(MakePut(kSubmittedTable, 1, 0, own.SerializeAsString()));
  jv1::SubmittedJob users;
  users.set_output_dir(scratch_.PathOf("users"));
  ChangeJobsJournal(MakePut(kSubmittedTable, 2, 0, users.SerializeAsString()));
  fs::create_directory(scratch_.PathOf("another"));
  fs::create_directory_symlink("another", scratch_.PathOf("users"));
  const std::string before = config_.state_dir();
  fs::rename(before, scratch_.PathOf("moved"));
  fs::create_directory_symlink("moved", before);
  const auto state = OpenDaemonState(config_);
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_FALSE(state->pool_is_new);
  const auto output_dir = [&](int job) {
    return state->recovered.jobs.at(JobId(job)).submitted.output_dir();
  };
  EXPECT_EQ(output_dir(1), scratch_.PathOf("moved/outputs"));
  EXPECT_EQ(output_dir(2), scratch_.PathOf("users"));
}

TEST_F(OpenStateTest, ACopyOfAStateDirectoryDoesNotTakeThePool) {
  std::filesystem::copy(config_.state_dir(), scratch_.PathOf("copy"),
                        std::filesystem::copy_options::recursive);
  UseStateDirectory("copy");
  ExpectRefusedNaming(scratch_.PathOf("state"));
  UseStateDirectory("state");
  ExpectTakenOver();
}

TEST_F(OpenStateTest, ThePoolOfAStateDirectoryThatIsGoneIsReplaced) {
  std::filesystem::remove_all(config_.state_dir());
  UseStateDirectory("other");
  const auto state = OpenDaemonState(config_);
  ASSERT_TRUE(state.ok()) << state.status();
  ExpectNewPool(*state);
  EXPECT_FALSE(worker_.lives());
}

TEST_F(OpenStateTest, APoolOfBeforeTheNewestIsNotBelieved) {
  const std::string path = config_.pool().path();
  config_.mutable_pool()->set_path(scratch_.PathOf("newer"));
  ASSERT_TRUE(OpenDaemonState(config_).ok());
  config_.mutable_pool()->set_path(path);
  const auto state = OpenDaemonState(config_);
  ASSERT_TRUE(state.ok()) << state.status();
  ExpectNewPool(*state);
  EXPECT_EQ(state->recovered.jobs.at(JobId(1)).progress.reason(), "");
}

TEST_F(OpenStateTest, OtherDevicesGetTheOutboxAndANewPool) {
  config_.mutable_devices(0)->set_memory_limit_bytes(1 << 30);
  const auto state = OpenDaemonState(config_);
  ASSERT_TRUE(state.ok()) << state.status();
  ExpectNewPool(*state);
  ExpectDelivered(*state);
  EXPECT_FALSE(worker_.lives());
}

TEST_F(OpenStateTest, AFullDiskLosesNothing) {
  for (const int64_t limit_bytes : {1 << 30, 0}) {
    config_.mutable_devices(0)->set_memory_limit_bytes(limit_bytes);
    absl::Status status;
    {
      const FullDisk full;
      status = OpenDaemonState(config_).status();
    }
    EXPECT_FALSE(status.ok());
    EXPECT_FALSE(absl::IsDataLoss(status)) << status;
    EXPECT_THAT(status.message(), HasSubstr("free disk space"));
    EXPECT_TRUE(worker_.lives());
  }
  ExpectTakenOver();
}

TEST_F(OpenStateTest, ADamagedPoolJournalCostsThePoolAlone) {
  WriteFile(PoolJournalPath(config_), std::string(10'000, 'x'));
  const auto state = OpenDaemonState(config_);
  ASSERT_TRUE(state.ok()) << state.status();
  ExpectNewPool(*state);
  EXPECT_EQ(state->recovered.jobs.count(JobId(1)), 1);
}

TEST_F(OpenStateTest, ADamagedRecordOfThePoolCostsThePoolAlone) {
  ChangePoolJournal(MakePut(kBlocksTable, 1, 0, "\xff\xff"));
  const auto state = OpenDaemonState(config_);
  ASSERT_TRUE(state.ok()) << state.status();
  ExpectNewPool(*state);
  ExpectDelivered(*state);
  EXPECT_FALSE(worker_.lives());
}

TEST_F(OpenStateTest, ADamagedJobsJournalIsLeftWithThePool) {
  ChangeJobsJournal(MakePut(kSubmittedTable, 1, 0, "\xff\xff"));
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(absl::IsDataLoss(OpenDaemonState(config_).status()));
  }
  EXPECT_TRUE(worker_.lives());
  ChangeJobsJournal(MakePut(kSubmittedTable, 1, 0, ""));
  ExpectTakenOver();
}

TEST_F(OpenStateTest, ThePoolOfALiveDaemonIsLeft) {
  const auto live = OpenDaemonState(config_);
  ASSERT_TRUE(live.ok()) << live.status();
  UseStateDirectory("other");
  const absl::Status refused = OpenDaemonState(config_).status();
  EXPECT_TRUE(absl::IsAlreadyExists(refused)) << refused;
  EXPECT_THAT(refused.message(), HasSubstr("owned by a live daemon"));
  EXPECT_TRUE(worker_.lives());
}

TEST_F(OpenStateTest, ANewPoolTakesThePlaceOfOneThatContradictsItself) {
  auto state = OpenDaemonState(config_);
  ASSERT_TRUE(state.ok()) << state.status();
  ASSERT_TRUE(StartWithNewPool(*state).ok());
  ExpectNewPool(*state);
  ExpectDelivered(*state);
  EXPECT_FALSE(worker_.lives());
}

}  // namespace
}  // namespace hydra
