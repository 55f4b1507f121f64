#include "worker/exec/step_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "absl/time/time.h"
#include "common/model/gpt2_table.h"
#include "common/model/trained_type.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kPlenty = int64_t{1} << 40;

// Six blocks of about 3 MB, with an untied embedding and head of 1 MB.
JobShape Shape(int micro_batches = 1, int64_t vocabulary = 1024) {
  Gpt2Config config;
  config.vocab_size = vocabulary;
  config.n_positions = 16;
  config.n_embd = 256;
  config.n_layer = 6;
  config.n_head = 4;
  config.n_inner = 1024;
  config.tie_word_embeddings = false;
  JobShape shape;
  shape.table = BuildGpt2Table(config);
  shape.micro_batches = micro_batches;
  shape.context_length = 16;
  shape.state_factor = 2;
  return shape;
}

// Each layer computes as long, forward and half of backward.
std::vector<LayerCost> Costs(const JobShape& shape, absl::Duration time) {
  return std::vector<LayerCost>(shape.table->layer_count(),
                                {time, 2 * time, 1 << 10, 1 << 10});
}

StepModel::Device WithLink(double bytes_per_second, int64_t memory_bytes) {
  StepModel::Device device;
  device.to_device = device.to_host = bytes_per_second;
  device.copies_beside = true;
  device.memory_bytes = device.most_needed_bytes = memory_bytes;
  device.table_room_bytes = kPlenty;
  return device;
}

int64_t BytesOf(const JobShape& shape, int layer) {
  int64_t bytes = 0;
  for (int block : shape.table->layers[layer].parameter_blocks) {
    bytes += shape.ParameterBytes(block);
  }
  return bytes;
}

TEST(StepModelTest, AShardNeedsItsParametersWhatWasSavedAndItsLayersOwn) {
  const JobShape shape = Shape();
  const StepModel model(shape, WithLink(1e9, kPlenty), /*state_moves=*/false,
                        Costs(shape, absl::Milliseconds(1)));
  EXPECT_EQ(model.NeededBytes({2, 4}),
            BytesOf(shape, 2) + BytesOf(shape, 3) + 2 * (1 << 10));
}

TEST(StepModelTest, SeveralMicroBatchesKeepAllGradients) {
  const JobShape shape = Shape(/*micro_batches=*/2);
  const StepModel model(shape, WithLink(1e9, kPlenty), /*state_moves=*/false,
                        Costs(shape, absl::Milliseconds(1)));
  EXPECT_EQ(model.NeededBytes({2, 4}),
            2 * (BytesOf(shape, 2) + BytesOf(shape, 3)) + 2 * (1 << 10));
}

TEST(StepModelTest, GradientsOfParametersWithMastersHaveFourBytes) {
  JobShape shape = Shape(/*micro_batches=*/2);
  shape.table = WithTrainedType(*shape.table, ElementType::kBFloat16);
  const StepModel model(shape, WithLink(1e9, kPlenty), /*state_moves=*/false,
                        Costs(shape, absl::Milliseconds(1)));
  EXPECT_EQ(model.NeededBytes({2, 4}),
            3 * (BytesOf(shape, 2) + BytesOf(shape, 3)) + 2 * (1 << 10));
  // On a slow link, masters without moments are state all the same.
  shape.state_factor = 0;
  const auto costs = Costs(shape, absl::Milliseconds(1));
  const StepModel on_host(shape, WithLink(1e7, kPlenty),
                          /*state_moves=*/false, costs);
  const StepModel on_device(shape, WithLink(1e7, kPlenty),
                            /*state_moves=*/true, costs);
  EXPECT_GT(on_device.StepTime({{0, 4}, {4, 8}}),
            on_host.StepTime({{0, 4}, {4, 8}}));
}

TEST(StepModelTest, AStreamedTableNeedsNoRoomAndItsCopiesTakeTime) {
  const JobShape shape = Shape(/*micro_batches=*/1, /*vocabulary=*/100'000);
  const auto costs = Costs(shape, absl::Milliseconds(1));
  StepModel::Device device = WithLink(1e7, kPlenty);
  const StepModel whole(shape, device, /*state_moves=*/false, costs);
  device.table_room_bytes = 0;
  const StepModel streamed(shape, device, /*state_moves=*/false, costs);
  const int64_t table =
      shape.ParameterBytes(shape.table->layers.back().parameter_blocks.back());
  EXPECT_EQ(whole.NeededBytes({7, 8}) - streamed.NeededBytes({7, 8}), table);
  EXPECT_GE(streamed.StepTime({{0, 8}}), whole.StepTime({{0, 8}}));
}

TEST(StepModelTest, AStepOnAFastLinkTakesWhatItComputes) {
  const JobShape shape = Shape();
  const StepModel model(shape, WithLink(1e15, kPlenty), /*state_moves=*/false,
                        Costs(shape, absl::Milliseconds(100)));
  const absl::Duration one = model.StepTime({{0, 8}});
  EXPECT_GE(one, absl::Milliseconds(8 * 300));
  EXPECT_LT(one, absl::Milliseconds(8 * 300 + 10));
  EXPECT_GE(model.StepTime({{0, 4}, {4, 8}}) - one, absl::Milliseconds(4 * 100))
      << "the first shard's forward is computed twice";
}

TEST(StepModelTest, ASlowLinkIsWaitedForAndPartsOfItAreNot) {
  const JobShape shape = Shape();
  const std::vector<LayerRange> shards = {{0, 4}, {4, 8}};
  const auto costs = Costs(shape, absl::Milliseconds(100));
  const StepModel fast(shape, WithLink(1e15, kPlenty), /*state_moves=*/false,
                       costs);
  const StepModel slow(shape, WithLink(1e7, kPlenty), /*state_moves=*/false,
                       costs);
  EXPECT_GT(slow.StepTime(shards), fast.StepTime(shards));
  StepModel::Device one_after_another = WithLink(1e7, kPlenty);
  one_after_another.copies_beside = false;
  EXPECT_GT(StepModel(shape, one_after_another, /*state_moves=*/false, costs)
                .StepTime(shards),
            slow.StepTime(shards));
}

TEST(StepModelTest, WhereEverythingFitsAndTheLinkIsFastOneShardIsFastest) {
  const JobShape shape = Shape();
  const StepModel model(shape, WithLink(1e15, kPlenty), /*state_moves=*/false,
                        Costs(shape, absl::Milliseconds(10)));
  EXPECT_THAT(model.FastestShards(), ElementsAre(LayerRange{0, 8}));
}

// Two shards as large as the device leave no room for what comes next; smaller
// ones do.
TEST(StepModelTest, ASlowLinkMakesRoomForWhatComes) {
  const JobShape shape = Shape();
  const int64_t block = BytesOf(shape, 1);
  const auto costs = Costs(shape, absl::Milliseconds(40));
  const StepModel::Device device =
      WithLink(static_cast<double>(block) / 0.05, /*memory_bytes=*/5 * block);
  const StepModel model(shape, device, /*state_moves=*/false, costs);
  const std::vector<LayerRange> longest = {{0, 5}, {5, 8}};
  const std::vector<LayerRange> fastest = model.FastestShards();
  EXPECT_THAT(fastest, SizeIs(testing::Gt(2)));
  EXPECT_LT(model.StepTime(fastest), 0.9 * model.StepTime(longest));
}

// Against all ways to cut.
TEST(StepModelTest, NoOtherWayToCutIsFaster) {
  const JobShape shape = Shape();
  const int layers = shape.table->layer_count();
  std::vector<LayerCost> costs = Costs(shape, absl::Milliseconds(10));
  for (int layer = 0; layer < layers; ++layer) {
    costs[layer].forward *= 1 + layer % 3;
    costs[layer].own_bytes *= 1 + layer % 4;
  }
  for (double rate : {1e7, 1e8, 1e9}) {
    for (int64_t memory : {9, 14, 40}) {
      const StepModel model(shape, WithLink(rate, memory << 20),
                            /*state_moves=*/false, costs);
      absl::Duration best = absl::InfiniteDuration();
      for (int cuts = 0; cuts < 1 << (layers - 1); ++cuts) {
        std::vector<LayerRange> shards = {{0, 0}};
        bool fits = true;
        for (int layer = 1; layer <= layers; ++layer) {
          if (layer < layers && (cuts & 1 << (layer - 1)) == 0) continue;
          shards.back().last = layer;
          fits = fits && model.NeededBytes(shards.back()) <= memory << 20;
          if (layer < layers) shards.push_back({layer, 0});
        }
        if (fits) best = std::min(best, model.StepTime(shards));
      }
      const std::vector<LayerRange> found = model.FastestShards();
      ASSERT_FALSE(found.empty());
      EXPECT_EQ(model.StepTime(found), best) << rate << " " << memory;
    }
  }
}

TEST(StepModelTest, WhereALayerFitsNoDeviceThereIsNoCut) {
  const JobShape shape = Shape();
  const StepModel model(shape, WithLink(1e9, 1 << 10), /*state_moves=*/false,
                        Costs(shape, absl::Milliseconds(1)));
  EXPECT_THAT(model.FastestShards(), IsEmpty());
}

}  // namespace
}  // namespace hydra
