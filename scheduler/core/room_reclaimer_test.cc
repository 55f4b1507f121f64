#include "scheduler/core/room_reclaimer.h"

#include <gtest/gtest.h>

#include "absl/time/time.h"
#include "scheduler/core/account_of.h"
#include "scheduler/core/testing/results_fixture.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

const Caller kAnn{1000};
const Caller kBob{1001};

// Two users of a pool in which each has a half, 500 bytes.
class RoomReclaimerTest : public ResultsFixture {
 protected:
  static constexpr int64_t kPool = 1000;

  RoomReclaimerTest() { options_.reclaim_room = true; }

  // In the pool, and inside of a step.
  Job& AddIn(uint64_t id, const Caller& owner, int64_t bytes,
             absl::Duration ago) {
    Job& job = AddAt(id, InStep(3, 1));
    job.owner = owner;
    job.admitted_at = now_ - ago;
    quotas_.NoteAdmitted(job.id, AccountOf(job), bytes);
    return job;
  }
  Job& AddWaiting(uint64_t id, const Caller& owner, int64_t bytes,
                  absl::Duration ago) {
    Job& job = AddSmallJob(id, book_);
    job.owner = owner;
    v1::PoolDemand demand;
    demand.set_total_bytes(bytes);
    job.demand = demand;
    queue_.WaitForRoom(job, "no room", now_ - ago);
    return job;
  }

  RoomReclaimer reclaimer_{{&options_, &book_, &queue_, &quotas_, &life_},
                           kPool};
};

TEST_F(RoomReclaimerTest, TheJobThatCameInLastGivesItsRoom) {
  const Job& first = AddIn(1, kAnn, 400, absl::Hours(2));
  const Job& last = AddIn(2, kAnn, 300, absl::Hours(1));
  AddWaiting(3, kBob, 500, RoomReclaimer::kPatience);
  reclaimer_.Tick(now_);
  EXPECT_EQ(first.intent, Intent::kGoOn);
  EXPECT_EQ(last.intent, Intent::kPause);
  EXPECT_TRUE(last.yields);
  // That is kept for the one that waits.
  EXPECT_TRUE(queue_.IsRoomKept(first, now_));
  EXPECT_FALSE(queue_.IsRoomKept(book_.At(JobId(3)), now_));
}

TEST_F(RoomReclaimerTest, OneGivesWayAtATime) {
  const Job& first = AddIn(1, kAnn, 400, absl::Hours(2));
  AddIn(2, kAnn, 400, absl::Hours(1));
  AddWaiting(3, kBob, 500, RoomReclaimer::kPatience);
  for (int i = 0; i < 3; ++i) reclaimer_.Tick(now_);
  EXPECT_EQ(first.intent, Intent::kGoOn);
}

TEST_F(RoomReclaimerTest, OneThatKeptItsRoomIsNotAskedAgainAtOnce) {
  const Job& first = AddIn(1, kAnn, 400, absl::Hours(2));
  Job& last = AddIn(2, kAnn, 300, absl::Hours(1));
  AddWaiting(3, kBob, 500, RoomReclaimer::kPatience);
  reclaimer_.Tick(now_);
  ASSERT_TRUE(life_.Resume(last, now_));
  reclaimer_.Tick(now_);
  EXPECT_EQ(last.intent, Intent::kGoOn);
  EXPECT_EQ(first.intent, Intent::kPause);
  ASSERT_TRUE(life_.Resume(book_.At(JobId(1)), now_));
  reclaimer_.Tick(now_ + RoomReclaimer::kTenure - absl::Seconds(1));
  EXPECT_EQ(last.intent, Intent::kGoOn);
  // The other one is asked later, since it kept its own later.
  reclaimer_.Tick(now_ + RoomReclaimer::kTenure);
  EXPECT_EQ(last.intent, Intent::kPause);
}

TEST_F(RoomReclaimerTest, NobodyGivesHisRoomWithoutNeed) {
  struct Case {
    const char* name;
    int64_t has = 700;
    int64_t needs = 300;
    absl::Duration had_for = absl::Hours(1);
    absl::Duration waited = RoomReclaimer::kPatience;
    double weight = 1;
    bool asked_for = true;
  };
  const Case cases[] = {
      {"no more than his part", 500},
      {"the other would have more than his", 700, 501},
      {"he has just got it", 700, 300,
       RoomReclaimer::kTenure - absl::Seconds(1)},
      {"the other has just come", 700, 300, absl::Hours(1),
       RoomReclaimer::kPatience - absl::Seconds(1)},
      {"his part is larger", 700, 200, absl::Hours(1), RoomReclaimer::kPatience,
       3},
      {"it is not wanted", 700, 300, absl::Hours(1), RoomReclaimer::kPatience,
       1, false},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    options_.shares.weights[AccountOf(kAnn)] = each.weight;
    options_.reclaim_room = each.asked_for;
    const Job& held = AddIn(1, kAnn, each.has, each.had_for);
    AddWaiting(2, kBob, each.needs, each.waited);
    reclaimer_.Tick(now_);
    EXPECT_EQ(held.intent, Intent::kGoOn);
    EXPECT_FALSE(held.yields);
    quotas_.NoteLeft(JobId(1));
    blocks_.EndAll(JobId(1));
    for (uint64_t id : {1, 2}) {
      queue_.Leave(JobId(id));
      book_.Erase(JobId(id));
    }
  }
}

}  // namespace
}  // namespace hydra
