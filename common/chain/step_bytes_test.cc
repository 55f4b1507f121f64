#include "common/chain/step_bytes.h"

#include <gtest/gtest.h>

#include <vector>

#include "common/chain/testing/tiny_shape.h"
#include "common/model/trained_type.h"

namespace hydra {
namespace {

using hydra::v1::UPDATE_PLACE_DEVICE;
using hydra::v1::UPDATE_PLACE_HOST;

constexpr int64_t kWidth = 8;
constexpr int kMicroBatches = 2;
constexpr int64_t kTokens = kMicroBatches * 2 * 16;

// A GPT-2 of five layers whose head uses the token table.
JobShape Shape(std::vector<int> cuts) {
  TinySizes sizes;
  sizes.width = kWidth;
  JobShape shape = TinyShape(sizes, cuts);
  shape.micro_batches = kMicroBatches;
  return shape;
}

// Of all blocks of a shard but the token table.
int64_t OwnBytes(const JobShape& shape, int shard) {
  int64_t bytes = 0;
  for (const ParameterBlock& block : shape.table->parameter_blocks) {
    if (!block.rows_are_gathered &&
        shape.shards[shard].Contains(block.owner())) {
      bytes += block.size_bytes;
    }
  }
  return bytes;
}

int64_t TableBytes(const JobShape& shape) { return shape.ParameterBytes(0); }

// Numbers and gradients of the gathered rows.
constexpr int64_t kRowBytes = kTokens * (kWidth * 4 + 8);

TEST(StepBytesTest, WithUpdatesOnTheHostNoStateMoves) {
  const JobShape shape = Shape({2, 4});
  const int64_t last = OwnBytes(shape, 2);
  const int64_t others = OwnBytes(shape, 0) + OwnBytes(shape, 1);
  const StepBytes bytes = PredictStepBytes(shape, UPDATE_PLACE_HOST);
  // The last shard goes forward and back in one.
  EXPECT_EQ(bytes.promoted.parameters(), 2 * others + last + TableBytes(shape));
  EXPECT_EQ(bytes.demoted.parameters(), others + last + kRowBytes);
  EXPECT_EQ(bytes.promoted.optimizer_state(), 0);
  EXPECT_EQ(bytes.demoted.optimizer_state(), 0);
  // The table's, from the head's shard; the host adds it where it is.
  EXPECT_EQ(bytes.demoted.parameter_gradients(), TableBytes(shape));
  EXPECT_EQ(bytes.promoted.parameter_gradients(), 0);
}

TEST(StepBytesTest, WithUpdatesOnTheDeviceStateComesAndGoes) {
  const JobShape shape = Shape({2, 4});
  const int64_t last = OwnBytes(shape, 2);
  const int64_t others = OwnBytes(shape, 0) + OwnBytes(shape, 1);
  const int64_t all = others + last + TableBytes(shape);
  const StepBytes bytes = PredictStepBytes(shape, UPDATE_PLACE_DEVICE);
  // The table for the head, and for its update.
  EXPECT_EQ(bytes.promoted.parameters(),
            2 * others + last + 2 * TableBytes(shape));
  EXPECT_EQ(bytes.demoted.parameters(), all);
  EXPECT_EQ(bytes.promoted.optimizer_state(), 2 * all);
  EXPECT_EQ(bytes.demoted.optimizer_state(), 2 * all);
  EXPECT_EQ(bytes.demoted.parameter_gradients(), TableBytes(shape));
  EXPECT_EQ(bytes.promoted.parameter_gradients(), TableBytes(shape));
}

// Parameters have half of a gradient's bytes; the table's own update does not
// read it.
TEST(StepBytesTest, MastersAreState) {
  JobShape shape = Shape({2, 4});
  shape.table = WithTrainedType(*shape.table, ElementType::kBFloat16);
  const int64_t last = OwnBytes(shape, 2);
  const int64_t others = OwnBytes(shape, 0) + OwnBytes(shape, 1);
  const int64_t all = others + last + TableBytes(shape);
  StepBytes bytes = PredictStepBytes(shape, UPDATE_PLACE_HOST);
  EXPECT_EQ(bytes.promoted.parameters(), 2 * others + last + TableBytes(shape));
  EXPECT_EQ(bytes.demoted.parameters(), 2 * (others + last) + kRowBytes);
  EXPECT_EQ(bytes.promoted.optimizer_state(), 0);
  EXPECT_EQ(bytes.demoted.parameter_gradients(), 2 * TableBytes(shape));
  bytes = PredictStepBytes(shape, UPDATE_PLACE_DEVICE);
  EXPECT_EQ(bytes.promoted.parameters(), 2 * others + last + TableBytes(shape));
  EXPECT_EQ(bytes.demoted.parameters(), all);
  EXPECT_EQ(bytes.promoted.optimizer_state(), 3 * 2 * all);
  EXPECT_EQ(bytes.demoted.optimizer_state(), 3 * 2 * all);
  EXPECT_EQ(bytes.promoted.parameter_gradients(), 2 * TableBytes(shape));
}

TEST(StepBytesTest, EachCutIsWrittenOnceAndReadAsOftenAsItsShardRuns) {
  const JobShape shape = Shape({2, 4});
  const int64_t cut = kMicroBatches * shape.TrainBoundaryBytes(2);
  const StepBytes bytes = PredictStepBytes(shape, UPDATE_PLACE_HOST);
  EXPECT_EQ(bytes.promoted.activations(), 3 * cut);
  EXPECT_EQ(bytes.demoted.activations(), 2 * cut);
  EXPECT_EQ(bytes.promoted.activation_gradients(), 2 * cut);
  EXPECT_EQ(bytes.demoted.activation_gradients(), 2 * cut);
}

// The model moves once for each round, boundaries for each micro-batch, and the
// sums of all gradients between two rounds.
TEST(StepBytesTest, RoundsMoveTheModelAgainAndTheSumsBetweenThem) {
  JobShape shape = Shape({2, 4});
  shape.micro_batches = 7;
  const StepBytes in_one = PredictStepBytes(shape, UPDATE_PLACE_HOST);
  shape.rounds = 3;
  const StepBytes on_host = PredictStepBytes(shape, UPDATE_PLACE_HOST);
  EXPECT_EQ(on_host.promoted.activations(), in_one.promoted.activations());
  EXPECT_EQ(on_host.demoted.activation_gradients(),
            in_one.demoted.activation_gradients());
  EXPECT_EQ(on_host.promoted.parameters(), 3 * in_one.promoted.parameters());
  const int64_t own =
      OwnBytes(shape, 0) + OwnBytes(shape, 1) + OwnBytes(shape, 2);
  const int64_t head = TableBytes(shape);
  EXPECT_EQ(on_host.promoted.parameter_gradients(), 2 * (own + head))
      << "the rows' sum stays on the host";
  constexpr int64_t kRowBytesOfMicroBatch = kRowBytes / kMicroBatches;
  EXPECT_EQ(on_host.demoted.parameter_gradients(),
            2 * (own + head) + 4 * kRowBytesOfMicroBatch + head)
      << "rows of rounds of 2 and 2 micro-batches; the head's part";
  EXPECT_EQ(on_host.demoted.parameters(), own + 3 * kRowBytesOfMicroBatch)
      << "a last round of 3";

  const StepBytes on_device = PredictStepBytes(shape, UPDATE_PLACE_DEVICE);
  const StepBytes device_in_one = [&shape] {
    JobShape one = shape;
    one.rounds = 1;
    return PredictStepBytes(one, UPDATE_PLACE_DEVICE);
  }();
  EXPECT_EQ(on_device.demoted.parameters(), device_in_one.demoted.parameters());
  EXPECT_EQ(on_device.promoted.optimizer_state(),
            device_in_one.promoted.optimizer_state());
  EXPECT_EQ(on_device.demoted.parameter_gradients(),
            2 * (own + 2 * head) + head);
}

TEST(StepBytesTest, OneShardMovesItsParametersOnceEachWay) {
  JobShape shape = Shape({});
  const int64_t all = OwnBytes(shape, 0) + TableBytes(shape);
  StepBytes bytes = PredictStepBytes(shape, UPDATE_PLACE_HOST);
  EXPECT_EQ(bytes.promoted.parameters(), all);
  EXPECT_EQ(bytes.demoted.parameters(), all + kRowBytes);
  EXPECT_EQ(bytes.promoted.activations(), 0);
  EXPECT_EQ(bytes.demoted.parameter_gradients(), 0);
  // SGD.
  shape.state_factor = 0;
  bytes = PredictStepBytes(shape, UPDATE_PLACE_DEVICE);
  EXPECT_EQ(bytes.promoted.parameters(), all);
  EXPECT_EQ(bytes.demoted.parameters(), all);
  EXPECT_EQ(bytes.demoted.optimizer_state(), 0);
}

}  // namespace
}  // namespace hydra
