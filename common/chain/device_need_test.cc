#include "common/chain/device_need.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/chain/testing/tiny_shape.h"

namespace hydra {
namespace {

using ::testing::SizeIs;

constexpr int64_t kPlenty = int64_t{1} << 40;

// Of 97 rows of a vocabulary, and five layers.
JobShape Shape() { return TinyShape({}, {}); }

TEST(DeviceNeedTest, TheLeastLimitHasTheRoomAndNoSmallerOne) {
  for (int64_t room : {1, 49, 50, 98, 1000, 123'456'789}) {
    EXPECT_GE(RoomOn(LimitFor(room)), room);
    EXPECT_LT(RoomOn(LimitFor(room) - 1), room);
  }
}

TEST(DeviceNeedTest, AShardOfMoreLayersTakesMore) {
  const JobShape shape = Shape();
  int64_t before = 0;
  for (int last = 2; last < shape.table->layer_count(); ++last) {
    const int64_t need = DeviceNeedOf(shape, {1, last}, kPlenty).most();
    EXPECT_GT(need, before);
    before = need;
  }
}

TEST(DeviceNeedTest, FrozenLayersHaveNoGradientsAndNoBackward) {
  JobShape shape = Shape();
  shape.micro_batches = 2;
  JobShape frozen = shape;
  ModelTable table = *shape.table;
  for (ParameterBlock& block : table.parameter_blocks) {
    block.frozen = block.owner() < 3;
  }
  frozen.table = std::move(table);
  EXPECT_EQ(DeviceNeedOf(frozen, {1, 3}, kPlenty).backward, 0);
  EXPECT_GT(DeviceNeedOf(shape, {1, 3}, kPlenty).backward, 0);
  EXPECT_LT(DeviceNeedOf(frozen, {2, 4}, kPlenty).backward,
            DeviceNeedOf(shape, {2, 4}, kPlenty).backward);
}

TEST(DeviceNeedTest, ShardsAreAsLongAsTheRoomLetsThemBe) {
  const JobShape shape = Shape();
  const auto whole = LongestShards(shape, kPlenty);
  ASSERT_TRUE(whole.has_value());
  EXPECT_THAT(*whole, SizeIs(1));
  const int64_t least = LeastRoom(shape);
  EXPECT_FALSE(LongestShards(shape, least - 1).has_value());
  const auto shards = LongestShards(shape, least);
  ASSERT_TRUE(shards.has_value());
  int next = 0;
  for (const LayerRange& layers : *shards) {
    EXPECT_EQ(layers.first, next);
    next = layers.last;
    EXPECT_LE(DeviceNeedOf(shape, layers, least).most(), least);
    if (next == shape.table->layer_count()) continue;
    EXPECT_GT(DeviceNeedOf(shape, {layers.first, next + 1}, least).most(),
              least);
  }
  EXPECT_EQ(next, shape.table->layer_count());
}

TEST(DeviceNeedTest, ALargeTableComesInRangesWhereThereIsNoRoomForIt) {
  TinySizes sizes;
  sizes.vocabulary = 50000;
  sizes.width = 64;
  const JobShape shape = TinyShape(sizes, {});
  const LayerRange head{4, 5};
  const int64_t whole = DeviceNeedOf(shape, head, kPlenty).most();
  const int64_t streamed = DeviceNeedOf(shape, head, 0).most();
  EXPECT_LT(streamed, whole);
  EXPECT_LT(LeastRoom(shape), whole);
}

}  // namespace
}  // namespace hydra
