#include "scheduler/service/core_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "scheduler/core/effect_buffer.h"
#include "scheduler/journal/journal.h"
#include "scheduler/policy/sharded_lrtf.h"

namespace hydra {
namespace {

class CoreThreadTest : public ::testing::Test {
 protected:
  // Turns end as `recorded_` says.
  void Start() {
    thread_.Start(&core_, [this] {
      ++turns_;
      return recorded_.load();
    });
  }
  // Each turn is a try to record.
  void AwaitTurns(int more) {
    const int wanted = turns_ + more;
    while (turns_ < wanted) thread_.Post([](Core&, absl::Time) {});
  }
  std::optional<int> AskForSeven() {
    return thread_.Ask([](Core&, absl::Time) { return 7; });
  }

  ShardedLrtf policy_;
  Journal journal_;
  EffectBuffer effects_;
  Core core_{Core::Options(), &policy_, &journal_, &effects_};
  std::atomic<int> turns_ = 0;
  std::atomic<bool> recorded_ = true;
  CoreThread thread_;
};

TEST_F(CoreThreadTest, AnswersWhenTheTurnHasEnded) {
  Start();
  int turns_before = 0;
  const auto answer = thread_.Ask([&](Core&, absl::Time) {
    turns_before = turns_;
    return 7;
  });
  EXPECT_EQ(answer, 7);
  EXPECT_GT(turns_, turns_before);
}

TEST_F(CoreThreadTest, WhatWasPostedBeforeTheStartRunsThen) {
  std::atomic<bool> ran = false;
  thread_.Post([&](Core&, absl::Time) { ran = true; });
  EXPECT_FALSE(ran);
  Start();
  thread_.Stop();
  EXPECT_TRUE(ran);
}

TEST_F(CoreThreadTest, WithholdsAnswersUntilTheTurnIsRecorded) {
  recorded_ = false;
  Start();
  std::atomic<bool> asked = false;
  std::atomic<bool> answered = false;
  std::thread client([&] {
    EXPECT_EQ(thread_.Ask([&](Core&, absl::Time) {
      asked = true;
      return 7;
    }),
              7);
    answered = true;
  });
  while (!asked) std::this_thread::yield();
  AwaitTurns(3);
  EXPECT_FALSE(answered);
  recorded_ = true;
  client.join();
  EXPECT_TRUE(answered);
}

TEST_F(CoreThreadTest, WithoutPatienceNobodyWaitsForATurnThatFails) {
  recorded_ = false;
  Start();
  std::atomic<bool> asked = false;
  std::thread client([&] {
    EXPECT_EQ(thread_.Ask([&](Core&, absl::Time) {
      asked = true;
      return 7;
    }),
              std::nullopt);
  });
  while (!asked) std::this_thread::yield();
  thread_.EndPatience();
  client.join();
  EXPECT_EQ(AskForSeven(), std::nullopt);
  recorded_ = true;
  EXPECT_EQ(AskForSeven(), 7);
}

TEST_F(CoreThreadTest, AfterTheStopThereIsNoAnswer) {
  Start();
  thread_.Stop();
  EXPECT_EQ(AskForSeven(), std::nullopt);
}

}  // namespace
}  // namespace hydra
