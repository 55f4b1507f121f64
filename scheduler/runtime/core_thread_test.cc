#include "scheduler/runtime/core_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "common/clock/steady_time.h"
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
      return recorded_ ? absl::OkStatus()
                       : absl::ResourceExhaustedError("no room");
    });
  }
  std::optional<int> AskForSeven() {
    return thread_.Ask([](Core&, absl::Time) { return 7; });
  }

  ShardedLrtf policy_;
  Journal journal_;
  Core core_{Core::Options(), &policy_, &journal_};
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

TEST_F(CoreThreadTest, KnowsWhenItsTurnBegan) {
  Start();
  const absl::Time before = SteadyNow();
  thread_.Ask([&](Core&, absl::Time now) {
    EXPECT_GE(thread_.turn_began(), before);
    EXPECT_LE(thread_.turn_began(), now);
    return true;
  });
}

TEST_F(CoreThreadTest, WhatWasPostedBeforeTheStartRunsThen) {
  std::atomic<bool> ran = false;
  thread_.Post([&](Core&, absl::Time) { ran = true; });
  EXPECT_FALSE(ran);
  Start();
  thread_.Stop();
  EXPECT_TRUE(ran);
}

TEST_F(CoreThreadTest, AnOrderThatCannotBeRecordedIsNotAnswered) {
  Start();
  bool carried_out = false;
  const auto order = [&](Core&, absl::Time) {
    carried_out = true;
    return 7;
  };
  // No turn fails before this one.
  EXPECT_EQ(thread_.Tell([&](Core&, absl::Time) {
    recorded_ = false;
    return 7;
  }),
            std::nullopt);
  EXPECT_EQ(thread_.trouble().message(), "no room");
  EXPECT_EQ(thread_.Tell(order), std::nullopt);
  EXPECT_FALSE(carried_out);
  recorded_ = true;
  EXPECT_EQ(thread_.Tell(order), 7);
  EXPECT_TRUE(thread_.trouble().ok());
}

TEST_F(CoreThreadTest, QuestionsAreAnsweredAlthoughATurnIsNotRecorded) {
  recorded_ = false;
  Start();
  EXPECT_EQ(AskForSeven(), 7);
}

TEST_F(CoreThreadTest, WhatIsPostedWaitsUntilTheTurnIsRecorded) {
  recorded_ = false;
  Start();
  std::vector<int> done;
  for (int i : {1, 2}) {
    thread_.Post([&done, i](Core&, absl::Time) { done.push_back(i); });
  }
  const auto look = [&](Core&, absl::Time) { return done; };
  EXPECT_EQ(thread_.Ask(look), std::vector<int>());
  recorded_ = true;
  EXPECT_EQ(thread_.Ask(look), std::vector<int>({1, 2}));
}

TEST_F(CoreThreadTest, WithoutPatienceTheCoreGoesOnUnrecorded) {
  recorded_ = false;
  Start();
  bool done = false;
  thread_.Post([&](Core&, absl::Time) { done = true; });
  const auto look = [&](Core&, absl::Time) { return done; };
  EXPECT_EQ(thread_.Ask(look), false);
  thread_.EndPatience();
  EXPECT_EQ(thread_.Ask(look), true);
  EXPECT_EQ(thread_.Tell(look), std::nullopt);
}

TEST_F(CoreThreadTest, AfterTheStopThereIsNoAnswer) {
  Start();
  thread_.Stop();
  EXPECT_EQ(AskForSeven(), std::nullopt);
}

}  // namespace
}  // namespace hydra
