#include "scheduler/core/wait_list.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "scheduler/policy/account.h"

namespace hydra {
namespace {

constexpr Account kAnn{1};
constexpr Account kBob{2};
constexpr Account kCarol{3};

const absl::Time kStart = absl::FromUnixSeconds(1000);

std::vector<uint64_t> TakeAll(WaitList& list) {
  std::vector<uint64_t> taken;
  while (const auto job = list.Take()) taken.push_back(job->value());
  return taken;
}

TEST(WaitListTest, WakesThoseAloneThatWaitForIt) {
  WaitList list;
  list.WaitFor(JobId(3), "data");
  list.WaitFor(JobId(1), "cuts");
  list.WaitFor(JobId(2), "data");
  EXPECT_FALSE(list.has_next());
  list.Wake("data");
  list.Wake("nothing");
  EXPECT_EQ(TakeAll(list), (std::vector<uint64_t>{2, 3}));
  EXPECT_TRUE(list.contains(JobId(1)));
  EXPECT_FALSE(list.contains(JobId(2)));
}

TEST(WaitListTest, AJobWaitsForTheNewestThingAlone) {
  WaitList list;
  list.WaitFor(JobId(1), "data");
  list.WaitFor(JobId(1), "cuts");
  list.Wake("data");
  EXPECT_FALSE(list.has_next());
  list.WaitForRoom(JobId(1), kAnn, kStart);
  list.Wake("cuts");
  EXPECT_FALSE(list.has_next());
  list.OfferRoom();
  EXPECT_EQ(TakeAll(list), (std::vector<uint64_t>{1}));
}

TEST(WaitListTest, OffersRoomUntilTheFirstGetsNone) {
  WaitList list;
  for (uint64_t id : {4, 2, 3}) list.WaitForRoom(JobId(id), kAnn, kStart);
  EXPECT_TRUE(list.WaitsBehindOthers(JobId(3), kAnn));
  EXPECT_FALSE(list.WaitsBehindOthers(JobId(2), kAnn));
  list.OfferRoom();
  EXPECT_EQ(list.Take(), JobId(2));
  EXPECT_EQ(list.Take(), JobId(3));
  list.WaitForRoom(JobId(3), kAnn, kStart);
  EXPECT_FALSE(list.has_next());
  EXPECT_TRUE(list.contains(JobId(4)));
}

TEST(WaitListTest, ALaterJobThatWaitsForRoomTakesNoOfferBack) {
  WaitList list;
  list.WaitForRoom(JobId(1), kAnn, kStart);
  list.OfferRoom();
  list.WaitForRoom(JobId(2), kAnn, kStart);
  EXPECT_EQ(TakeAll(list), (std::vector<uint64_t>{1, 2}));
}

// --- Room, among accounts ---

TEST(WaitListTest, AJobThatGetsNoRoomKeepsItsOwnAccountsJobsWaiting) {
  WaitList list;
  list.WaitForRoom(JobId(1), kAnn, kStart);
  list.WaitForRoom(JobId(2), kAnn, kStart);
  list.WaitForRoom(JobId(3), kBob, kStart);
  EXPECT_TRUE(list.WaitsBehindOthers(JobId(2), kAnn));
  EXPECT_FALSE(list.WaitsBehindOthers(JobId(3), kBob));
  EXPECT_FALSE(list.WaitsBehindOthers(JobId(4), kCarol));
  list.OfferRoom();
  EXPECT_EQ(list.Take(), JobId(1));
  list.WaitForRoom(JobId(1), kAnn, kStart);
  EXPECT_EQ(list.Take(), JobId(3));
  EXPECT_EQ(list.Take(), std::nullopt);
}

TEST(WaitListTest, AccountsAreOfferedRoomInTurns) {
  WaitList list;
  for (uint64_t id : {1, 2, 3}) list.WaitForRoom(JobId(id), kAnn, kStart);
  for (uint64_t id : {4, 5}) list.WaitForRoom(JobId(id), kBob, kStart);
  list.WaitForRoom(JobId(6), kCarol, kStart);
  list.OfferRoom();
  std::vector<uint64_t> taken;
  const auto account_of = [](JobId job) {
    return job.value() <= 3 ? kAnn : job.value() <= 5 ? kBob : kCarol;
  };
  while (const auto job = list.Take()) {
    taken.push_back(job->value());
    list.NoteRoomTaken(account_of(*job));
  }
  EXPECT_EQ(taken, (std::vector<uint64_t>{1, 4, 6, 2, 5, 3}));
}

TEST(WaitListTest, RoomIsKeptForTheJobThatHasWaitedLongest) {
  WaitList list;
  const absl::Time late = kStart + WaitList::kPatience;
  list.WaitForRoom(JobId(5), kAnn, kStart + absl::Seconds(2));
  list.WaitForRoom(JobId(7), kBob, kStart);
  // Looked at again in vain: it waits since then all the same.
  list.OfferRoom();
  EXPECT_EQ(TakeAll(list), (std::vector<uint64_t>{5, 7}));
  list.WaitForRoom(JobId(5), kAnn, kStart + absl::Minutes(1));
  list.WaitForRoom(JobId(7), kBob, kStart + absl::Minutes(1));
  EXPECT_FALSE(list.IsRoomKept(JobId(9), kCarol, late - absl::Seconds(1)));
  EXPECT_TRUE(list.IsRoomKept(JobId(9), kCarol, late));
  // That of its own account is before it in any case.
  EXPECT_FALSE(list.IsRoomKept(JobId(9), kBob, late));
  list.WaitForRoom(JobId(9), kCarol, late);
  list.OfferRoom();
  EXPECT_EQ(list.Take(), JobId(5));
  EXPECT_TRUE(list.IsRoomKept(JobId(5), kAnn, late));
  list.WaitForRoom(JobId(5), kAnn, late);
  EXPECT_EQ(list.Take(), JobId(7));
  EXPECT_FALSE(list.IsRoomKept(JobId(7), kBob, late));
  list.NoteRoomTaken(kBob);
  // What it left is offered to those that were held back.
  EXPECT_EQ(list.Take(), JobId(5));
  EXPECT_FALSE(list.IsRoomKept(JobId(5), kAnn, late));
}

TEST(WaitListTest, RoomCanBeKeptForAJobThatHasNotWaitedLongest) {
  WaitList list;
  const absl::Time late = kStart + 2 * WaitList::kPatience;
  list.WaitForRoom(JobId(1), kAnn, kStart);
  list.WaitForRoom(JobId(2), kBob, late);
  EXPECT_TRUE(list.IsRoomKept(JobId(2), kBob, late));
  list.KeepRoomFor(JobId(2));
  EXPECT_FALSE(list.IsRoomKept(JobId(2), kBob, late));
  EXPECT_TRUE(list.IsRoomKept(JobId(1), kAnn, late));
  EXPECT_EQ(list.WaitingForRoom().size(), 2);
  EXPECT_EQ(list.WaitingForRoom()[1].job, JobId(2));
  EXPECT_EQ(list.WaitingForRoom()[1].since, late);
  // It has got it.
  list.Remove(JobId(2));
  list.NoteRoomTaken(kBob);
  EXPECT_FALSE(list.IsRoomKept(JobId(1), kAnn, late));
}

// It comes after the other, and goes before it: neither waits for the other.
TEST(WaitListTest, RoomThatIsKeptForAJobIsItsAccountsEarlierOnesToo) {
  WaitList list;
  const absl::Time late = kStart + 2 * WaitList::kPatience;
  list.WaitForRoom(JobId(1), kAnn, kStart);
  list.WaitForRoom(JobId(9), kBob, kStart);
  list.KeepRoomFor(JobId(9));
  EXPECT_FALSE(list.IsRoomKept(JobId(5), kBob, late));
  EXPECT_TRUE(list.IsRoomKept(JobId(1), kAnn, late));
  list.WaitForRoom(JobId(5), kBob, late);
  EXPECT_FALSE(list.IsRoomKept(JobId(5), kBob, late));
  EXPECT_TRUE(list.IsRoomKept(JobId(1), kAnn, late));
  // It may be in the way of nobody else while its own user's jobs are in its.
  list.WaitForRoom(JobId(5), kBob, absl::InfiniteFuture());
  EXPECT_FALSE(list.IsRoomKept(JobId(1), kAnn, late));
}

TEST(WaitListTest, RoomIsKeptForAJobOnce) {
  WaitList list;
  list.WaitForRoom(JobId(1), kAnn, kStart);
  list.WaitForRoom(JobId(2), kBob, kStart);
  list.KeepRoomFor(JobId(2));
  list.OfferRoom();
  EXPECT_EQ(TakeAll(list), (std::vector<uint64_t>{1, 2}));
  // It gets none yet.
  list.WaitForRoom(JobId(1), kAnn, kStart);
  list.WaitForRoom(JobId(2), kBob, kStart);
  EXPECT_TRUE(list.IsRoomKept(JobId(1), kAnn, kStart));
  list.Remove(JobId(2));
  list.NoteRoomTaken(kBob);
  // It was paused, and waits as all others do.
  list.WaitForRoom(JobId(2), kBob, kStart);
  EXPECT_FALSE(list.IsRoomKept(JobId(1), kAnn, kStart));
}

TEST(WaitListTest, NothingIsKeptForOneThatWaitsForItsOwnAccount) {
  WaitList list;
  list.WaitForRoom(JobId(1), kAnn, absl::InfiniteFuture());
  EXPECT_FALSE(
      list.IsRoomKept(JobId(2), kBob, kStart + 2 * WaitList::kPatience));
  // From then on it does wait for room.
  list.WaitForRoom(JobId(1), kAnn, kStart);
  EXPECT_TRUE(list.IsRoomKept(JobId(2), kBob, kStart + WaitList::kPatience));
}

TEST(WaitListTest, NothingIsKeptForOneThatIsGone) {
  WaitList list;
  list.WaitForRoom(JobId(1), kAnn, kStart);
  list.WaitForRoom(JobId(3), kAnn, kStart);
  list.Remove(JobId(1));
  EXPECT_FALSE(list.IsRoomKept(JobId(2), kBob, kStart + absl::Hours(1)));
  // It comes again.
  list.WaitForRoom(JobId(1), kAnn, kStart + absl::Hours(1));
  EXPECT_FALSE(list.IsRoomKept(JobId(2), kBob, kStart + absl::Hours(1)));
}

TEST(WaitListTest, ARemovedJobIsForgotten) {
  WaitList list;
  list.WaitFor(JobId(1), "data");
  list.WaitForRoom(JobId(2), kAnn, kStart);
  list.Wake(JobId(3));
  for (uint64_t id : {1, 2, 3, 4}) list.Remove(JobId(id));
  list.Wake("data");
  list.OfferRoom();
  EXPECT_FALSE(list.has_next());
}

}  // namespace
}  // namespace hydra
