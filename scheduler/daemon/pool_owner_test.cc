#include "scheduler/daemon/pool_owner.h"

#include <gtest/gtest.h>

namespace hydra {
namespace {

const PoolMark kOurs = {"7", "/ours"};

TEST(OwnerOfTest, OurNewestPoolIsOurs) {
  EXPECT_EQ(OwnerOf({"7", "/ours"}, kOurs, false), PoolOwner::kThisDaemon);
}

TEST(OwnerOfTest, AnOlderPoolOfOursIsNobodys) {
  EXPECT_EQ(OwnerOf({"6", "/ours"}, kOurs, false), PoolOwner::kNobody);
  EXPECT_EQ(OwnerOf({"6", "/ours"}, {"", "/ours"}, false), PoolOwner::kNobody);
}

TEST(OwnerOfTest, APoolOfAStateDirectoryThatIsThereIsItsOwn) {
  EXPECT_EQ(OwnerOf({"6", "/other"}, kOurs, true), PoolOwner::kAnother);
}

TEST(OwnerOfTest, APoolOfAStateDirectoryThatIsGoneIsNobodys) {
  EXPECT_EQ(OwnerOf({"6", "/other"}, kOurs, false), PoolOwner::kNobody);
}

TEST(OwnerOfTest, AMovedStateDirectoryTakesItsPoolAlongAndACopyDoesNot) {
  EXPECT_EQ(OwnerOf({"7", "/before"}, kOurs, false), PoolOwner::kThisDaemon);
  EXPECT_EQ(OwnerOf({"7", "/before"}, kOurs, true), PoolOwner::kAnother);
}

TEST(OwnerOfTest, APoolThatDoesNotSayWhoseItIsMayBeAnothers) {
  EXPECT_EQ(OwnerOf({"7", ""}, kOurs, false), PoolOwner::kThisDaemon);
  EXPECT_EQ(OwnerOf({"6", ""}, kOurs, false), PoolOwner::kAnother);
}

TEST(OwnerOfTest, APoolThatWasNeverBegunIsNobodys) {
  EXPECT_EQ(OwnerOf({}, kOurs, true), PoolOwner::kNobody);
}

TEST(DefaultPoolPathsTest, BeginWithTheLastPlaceOfTheJobs) {
  EXPECT_EQ(DefaultPoolPaths(7, "").front(), "/dev/shm/hydra-7.pool");
  EXPECT_EQ(DefaultPoolPaths(7, "").size(), 16);
  const auto paths = DefaultPoolPaths(7, "/dev/shm/hydra-7-3.pool");
  EXPECT_EQ(paths[0], "/dev/shm/hydra-7-3.pool");
  EXPECT_EQ(paths[1], "/dev/shm/hydra-7.pool");
  EXPECT_EQ(paths[2], "/dev/shm/hydra-7-2.pool");
  EXPECT_EQ(paths.size(), 16);
}

TEST(DefaultPoolPathsTest, APlaceThatWasConfiguredIsNoDefault) {
  EXPECT_EQ(DefaultPoolPaths(7, "/data/pool").front(), "/dev/shm/hydra-7.pool");
}

}  // namespace
}  // namespace hydra
