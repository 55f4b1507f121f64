// kill -9 of the process, again and again, on one file.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <random>
#include <string>

#include "common/file/scratch_directory.h"
#include "gtest/gtest.h"
#include "scheduler/journal/sqlite_record_store.h"
#include "scheduler/journal/testing/record_scenario.h"

namespace hydra {
namespace {

constexpr int kRounds = 50;
// The kill comes after at most so many, and somewhere inside the next ones.
constexpr int kMostAcknowledgements = 40;

class SqliteKillTest : public testing::TestWithParam<bool> {
 protected:
  absl::StatusOr<std::unique_ptr<SqliteRecordStore>> Open() {
    SqliteRecordStore::Options options;
    options.durable = GetParam();
    options.schema = ScenarioSchema();
    return SqliteRecordStore::Open(path_, options);
  }

  // In the child: applies what comes after `number` until it is killed, and
  // writes each number once it is acknowledged.
  [[noreturn]] void ApplyForEver(int number, int acknowledgements) {
    auto store = Open();
    while (store.ok()) {
      ++number;
      if (!(*store)->Apply(ScenarioTransaction(number)).ok() ||
          write(acknowledgements, &number, sizeof(number)) != sizeof(number)) {
        break;
      }
    }
    _exit(1);
  }

  // The last number that a killed child acknowledged.
  int KillAChild(int number, int wait_for) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) ApplyForEver(number, ends[1]);
    close(ends[1]);
    int acknowledged = number;
    for (int heard = 0; heard < wait_for; ++heard) {
      EXPECT_EQ(read(ends[0], &acknowledged, sizeof(acknowledged)),
                sizeof(acknowledged));
    }
    EXPECT_EQ(kill(child, SIGKILL), 0);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status));
    int heard = 0;
    while (read(ends[0], &heard, sizeof(heard)) == sizeof(heard)) {
      acknowledged = heard;
    }
    close(ends[0]);
    return acknowledged;
  }

  const ScratchDirectory directory_{ScratchPlace::kMemory};
  const std::string path_ = directory_.PathOf("records.db");
};

TEST_P(SqliteKillTest, NothingAcknowledgedIsLostAndNothingIsTorn) {
  std::mt19937 random(5);
  int number = 0;
  for (int round = 0; round < kRounds; ++round) {
    const int acknowledged =
        KillAChild(number, random() % kMostAcknowledgements);
    auto store = Open();
    ASSERT_TRUE(store.ok()) << store.status();
    ASSERT_TRUE((*store)->CheckAll().ok()) << (*store)->CheckAll();
    const absl::StatusOr<int> count = CountTransactions(**store);
    ASSERT_TRUE(count.ok()) << count.status();
    ASSERT_GE(*count, acknowledged);
    ASSERT_LE(*count, acknowledged + 1);
    number = *count;
  }
  EXPECT_GT(number, kRounds);
}

INSTANTIATE_TEST_SUITE_P(All, SqliteKillTest, testing::Bool(),
                         [](const auto& info) {
                           return info.param ? "Durable" : "Fast";
                         });

}  // namespace
}  // namespace hydra
