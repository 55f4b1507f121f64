#include "scheduler/core/wait_list.h"

#include <gtest/gtest.h>

#include <vector>

namespace hydra {
namespace {

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
  list.WaitForRoom(JobId(1));
  list.Wake("cuts");
  EXPECT_FALSE(list.has_next());
  list.OfferRoom();
  EXPECT_EQ(TakeAll(list), (std::vector<uint64_t>{1}));
}

TEST(WaitListTest, OffersRoomUntilTheFirstGetsNone) {
  WaitList list;
  for (uint64_t id : {4, 2, 3}) list.WaitForRoom(JobId(id));
  EXPECT_TRUE(list.WaitsBehindOthers(JobId(3)));
  EXPECT_FALSE(list.WaitsBehindOthers(JobId(2)));
  list.OfferRoom();
  EXPECT_EQ(list.Take(), JobId(2));
  EXPECT_EQ(list.Take(), JobId(3));
  list.WaitForRoom(JobId(3));
  EXPECT_FALSE(list.has_next());
  EXPECT_TRUE(list.contains(JobId(4)));
}

TEST(WaitListTest, ALaterJobThatWaitsForRoomTakesNoOfferBack) {
  WaitList list;
  list.WaitForRoom(JobId(1));
  list.OfferRoom();
  list.WaitForRoom(JobId(2));
  EXPECT_EQ(TakeAll(list), (std::vector<uint64_t>{1, 2}));
}

TEST(WaitListTest, ARemovedJobIsForgotten) {
  WaitList list;
  list.WaitFor(JobId(1), "data");
  list.WaitForRoom(JobId(2));
  list.Wake(JobId(3));
  for (uint64_t id : {1, 2, 3, 4}) list.Remove(JobId(id));
  list.Wake("data");
  list.OfferRoom();
  EXPECT_FALSE(list.has_next());
}

}  // namespace
}  // namespace hydra
