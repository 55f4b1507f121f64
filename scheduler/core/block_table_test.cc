#include "scheduler/core/block_table.h"

#include <gtest/gtest.h>

namespace hydra {
namespace {

constexpr JobId kJob(1);
const BlockKey kKey{hydra::worker::v1::BLOCK_KIND_PARAMETERS, 0, 0};

TEST(BlockTableTest, ACommitFreesTheVersionBefore) {
  BlockTable table(/*first_byte=*/4096, /*size_bytes=*/256);
  const Version first = *table.Make(128);
  table.Commit(kJob, kKey, first);
  const Version second = *table.Make(128);
  EXPECT_FALSE(table.Make(64).has_value());
  EXPECT_EQ(table.Find(kJob, kKey)->id, first.id);
  table.CheckInvariants({second});
  table.Commit(kJob, kKey, second);
  EXPECT_EQ(table.Find(kJob, kKey)->id, second.id);
  EXPECT_EQ(table.used_bytes(), 128);
  table.CheckInvariants({});
}

TEST(BlockTableTest, NoVersionIdIsIssuedTwiceThoughItsSlotIs) {
  BlockTable table(0, 64);
  const Version first = *table.Make(64);
  table.Discard(first);
  const Version second = *table.Make(64);
  EXPECT_EQ(*first.slot, *second.slot);
  EXPECT_NE(first.id, second.id);
}

TEST(BlockTableTest, ZeroVersionsTakeNoSlot) {
  BlockTable table(0, 64);
  table.CommitZero(kJob, kKey, 1 << 20);
  EXPECT_EQ(table.used_bytes(), 0);
  EXPECT_FALSE(table.Find(kJob, kKey)->slot.has_value());
  table.Commit(kJob, kKey, *table.Make(64));
  table.CheckInvariants({});
}

TEST(BlockTableTest, EndingAJobFreesAllOfIt) {
  BlockTable table(0, 128);
  table.Commit(kJob, kKey, *table.Make(64));
  table.Commit(JobId(2), kKey, *table.Make(64));
  table.EndAll(kJob);
  EXPECT_EQ(table.Find(kJob, kKey), nullptr);
  EXPECT_NE(table.Find(JobId(2), kKey), nullptr);
  EXPECT_EQ(table.used_bytes(), 64);
}

TEST(BlockTableTest, APinnedVersionKeepsItsSlotWhenItIsReplaced) {
  BlockTable table(0, 1024);
  const BlockKey key{hydra::worker::v1::BLOCK_KIND_PARAMETERS, 0, 0};
  const Version first = *table.Make(256);
  table.Commit(JobId(1), key, first);
  table.Pin(JobId(1), first);
  EXPECT_EQ(table.kept_bytes(), 0);
  const Version second = *table.Make(256);
  table.Commit(JobId(1), key, second);
  EXPECT_EQ(table.kept_bytes(JobId(1)), 256);
  EXPECT_EQ(table.kept_bytes(JobId(2)), 0);
  EXPECT_EQ(table.used_bytes(), 512);
  table.CheckInvariants({});
  table.Unpin(first);
  EXPECT_EQ(table.kept_bytes(), 0);
  EXPECT_EQ(table.used_bytes(), 256);
  table.CheckInvariants({});
}

TEST(BlockTableTest, ASharedVersionGoesWithItsLastBlock) {
  const BlockKey key{hydra::worker::v1::BLOCK_KIND_PARAMETERS, 0, 0};
  BlockTable table(0, 1024);
  const Version version = *table.Make(256);
  table.Commit(JobId(1), key, version);
  table.Share(version, JobId(2), key);
  table.Share(version, JobId(3), key);
  EXPECT_EQ(table.Find(JobId(3), key)->id, version.id);
  EXPECT_EQ(table.used_bytes(), 256);
  table.CheckInvariants({});
  table.EndAll(JobId(1));
  table.CheckInvariants({});
  // A version of its own leaves the others theirs.
  table.Commit(JobId(3), key, *table.Make(128));
  EXPECT_EQ(table.used_bytes(), 256 + 128);
  table.CheckInvariants({});
  EXPECT_EQ(table.Find(JobId(2), key)->id, version.id);
  table.EndAll(JobId(2));
  EXPECT_EQ(table.used_bytes(), 128);
  table.CheckInvariants({});
}

TEST(BlockTableTest, IsRebuiltFromWhatAnEarlierOneHeld) {
  const BlockKey key{hydra::worker::v1::BLOCK_KIND_PARAMETERS, 0, 0};
  const Version current{VersionId(3), 256, Slot{512, 256}};
  const Version fresh{VersionId(4), 128, Slot{0, 128}};
  BlockTable table(0, 1024, /*last_version=*/100);
  EXPECT_TRUE(table.AdoptCurrent(JobId(1), key, current));
  EXPECT_TRUE(table.AdoptFresh(fresh));
  EXPECT_FALSE(table.AdoptFresh(Version{VersionId(5), 64, Slot{576, 64}}));
  EXPECT_EQ(table.Find(JobId(1), key)->id, VersionId(3));
  table.CheckInvariants({fresh});
  EXPECT_GT(table.Make(64)->id.value(), 100);
}

}  // namespace
}  // namespace hydra
