#include "common/chain/task_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/chain/step_numbers.h"
#include "common/chain/testing/tiny_shape.h"
#include "common/model/trained_type.h"

namespace hydra {
namespace {

namespace wv1 = hydra::worker::v1;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

JobShape Shape(std::vector<int> cuts, int micro_batches = 1) {
  JobShape shape = TinyShape({}, cuts);
  shape.micro_batches = micro_batches;
  shape.eval_batch_size = 3;
  return shape;
}

std::vector<std::string> Names(const JobShape& shape, const ChainPlan& plan) {
  std::vector<std::string> names;
  for (ChainPosition at; !at.done(); at = Next(shape, plan, at)) {
    const ChainTask task = TaskAt(shape, plan, at);
    EXPECT_EQ(ShardAt(shape, at), task.shard);
    const std::string kind =
        wv1::TaskKind_Name(task.kind).substr(sizeof("TASK_KIND"));
    names.push_back(absl::StrCat(kind, " ", task.shard));
  }
  return names;
}

TEST(TaskChainTest, AStepGoesForwardTurnsAndComesBack) {
  EXPECT_THAT(Names(Shape({2, 4}), {/*total_steps=*/1}),
              ElementsAre("INIT 0", "INIT 1", "INIT 2", "FORWARD 0",
                          "FORWARD 1", "TURN 2", "BACKWARD 1", "BACKWARD 0"));
}

TEST(TaskChainTest, ClippedGradientsWaitForTheLastOfThem) {
  JobShape shape = Shape({2, 4});
  shape.clips_gradients = true;
  EXPECT_THAT(Names(shape, {/*total_steps=*/1}),
              ElementsAre("INIT 0", "INIT 1", "INIT 2", "FORWARD 0",
                          "FORWARD 1", "TURN 2", "BACKWARD 1", "BACKWARD 0",
                          "UPDATE 0", "UPDATE 1", "UPDATE 2"));
  ChainPosition last_backward{ChainPosition::Phase::kTrain, 0, 4};
  EXPECT_FALSE(CompletesStep(shape, last_backward));
  EXPECT_TRUE(
      CompletesStep(shape, {ChainPosition::Phase::kTrain, 0, /*task=*/7}));
  for (int block = 0; block < shape.table->parameter_blocks.size(); ++block) {
    const ChainTask update =
        TaskAt(shape, {1}, {ChainPosition::Phase::kTrain, 0, /*task=*/5});
    EXPECT_THAT(update.reads, Contains(GradientSquaresKey(block)))
        << "the norm is of all blocks";
  }
}

// Though none of them is clipped.
TEST(TaskChainTest, GradientsOfAScaledLossWaitForTheLastOfThemToo) {
  JobShape clips = Shape({2, 4});
  clips.clips_gradients = true;
  JobShape scales = Shape({2, 4});
  scales.scales_loss = true;
  EXPECT_EQ(Names(scales, {/*total_steps=*/1}),
            Names(clips, {/*total_steps=*/1}));
  ASSERT_EQ(TasksPerStep(scales), TasksPerStep(clips));
  for (int i = 0; i < TasksPerStep(scales); ++i) {
    const ChainPosition at{ChainPosition::Phase::kTrain, 0, i};
    EXPECT_EQ(TaskAt(scales, {1}, at).reads, TaskAt(clips, {1}, at).reads);
    EXPECT_EQ(TaskAt(scales, {1}, at).ends, TaskAt(clips, {1}, at).ends);
    const bool is_turn = TaskAt(scales, {1}, at).kind == wv1::TASK_KIND_TURN;
    EXPECT_EQ(i == FirstTurn(scales), is_turn);
  }
}

TEST(TaskChainTest, AStepMayGoInRoundsOfMicroBatches) {
  JobShape shape = Shape({2}, /*micro_batches=*/7);
  shape.rounds = 3;
  EXPECT_THAT(Names(shape, {/*total_steps=*/1}),
              ElementsAre("INIT 0", "INIT 1", "FORWARD 0", "TURN 1",
                          "BACKWARD 0", "FORWARD 0", "TURN 1", "BACKWARD 0",
                          "FORWARD 0", "TURN 1", "BACKWARD 0"));
  std::vector<std::pair<int, int>> rounds;
  int64_t sequences = 0;
  for (int task : {0, 3, 6}) {
    const ChainTask forward =
        TaskAt(shape, {1}, {ChainPosition::Phase::kTrain, 0, task});
    rounds.emplace_back(forward.first_micro_batch, forward.last_micro_batch);
    sequences += forward.sequences;
    EXPECT_EQ(forward.writes.front().key.micro_batch,
              forward.first_micro_batch);
  }
  EXPECT_THAT(rounds,
              ElementsAre(std::pair(0, 2), std::pair(2, 4), std::pair(4, 7)));
  EXPECT_EQ(sequences, 7 * shape.micro_batch_size);
  EXPECT_EQ(shape.LargestRound(), 3);
  EXPECT_EQ(LastTurn(shape), 7);
}

// What is there at any place of a step, by walking all tasks before it.
TEST(TaskChainTest, BlocksInsideAStepAreThoseThatItsTasksLeft) {
  for (bool clips : {false, true}) {
    for (int rounds : {1, 2, 3}) {
      JobShape shape = Shape({1, 4}, /*micro_batches=*/4);
      shape.rounds = rounds;
      shape.clips_gradients = clips;
      std::set<BlockKey> live;
      for (int task = 0; task < TasksPerStep(shape); ++task) {
        const ChainPosition at{ChainPosition::Phase::kTrain, 0, task};
        std::set<BlockKey> inside;
        for (const BlockWrite& block : BlocksInsideStep(shape, at)) {
          inside.insert(block.key);
        }
        EXPECT_EQ(inside, live) << rounds << " rounds, task " << task;
        const ChainTask next = TaskAt(shape, {1}, at);
        for (const BlockWrite& write : next.writes) {
          if (!IsTrained(write.key)) live.insert(write.key);
        }
        for (const BlockKey& key : next.ends) live.erase(key);
      }
      EXPECT_TRUE(live.empty());
    }
  }
}

// Of the tiny model's five layers, the blocks of those before `trained` are
// frozen; the head has the embedding's table, which then is frozen too.
JobShape FrozenBefore(int trained, std::vector<int> cuts) {
  JobShape shape = Shape(std::move(cuts), /*micro_batches=*/2);
  ModelTable table = *shape.table;
  for (ParameterBlock& block : table.parameter_blocks) {
    block.frozen = block.owner() < trained;
  }
  shape.table = std::move(table);
  return shape;
}

std::vector<int> IndicesOf(const ChainTask& task, wv1::BlockKind kind) {
  std::vector<int> indices;
  for (const BlockWrite& write : task.writes) {
    if (write.key.kind == kind) indices.push_back(write.key.index);
  }
  return indices;
}

TEST(TaskChainTest, GradientsEndAtTheFirstLayerThatIsTrained) {
  // Layers 0 1 | 2 3 | 4: the first shard has none that is trained.
  for (int trained : {2, 3}) {
    EXPECT_THAT(Names(FrozenBefore(trained, {2, 4}), {/*total_steps=*/1}),
                ElementsAre("INIT 0", "INIT 1", "INIT 2", "FORWARD 0",
                            "FORWARD 1", "TURN 2", "BACKWARD 1"));
  }
  EXPECT_THAT(Names(FrozenBefore(1, {2, 4}), {/*total_steps=*/1}),
              ElementsAre("INIT 0", "INIT 1", "INIT 2", "FORWARD 0",
                          "FORWARD 1", "TURN 2", "BACKWARD 1", "BACKWARD 0"));
  JobShape shape = FrozenBefore(4, {2, 4});
  shape.rounds = 2;
  shape.clips_gradients = true;
  EXPECT_THAT(
      Names(shape, {/*total_steps=*/1}),
      ElementsAre("INIT 0", "INIT 1", "INIT 2", "FORWARD 0", "FORWARD 1",
                  "TURN 2", "FORWARD 0", "FORWARD 1", "TURN 2", "UPDATE 2"));
  EXPECT_EQ(LastTurn(shape), 5);
}

TEST(TaskChainTest, AFrozenBlockIsFilledAndReadAndNothingElse) {
  const JobShape shape = FrozenBefore(3, {2, 4});
  for (ChainPosition at; !at.done(); at = Next(shape, {1}, at)) {
    const ChainTask task = TaskAt(shape, {1}, at);
    if (task.kind == wv1::TASK_KIND_INIT) continue;
    for (const BlockWrite& write : task.writes) {
      if (IsBoundary(write.key)) continue;
      EXPECT_FALSE(shape.table->parameter_blocks[write.key.index].frozen)
          << wv1::TaskKind_Name(task.kind) << " " << task.shard;
    }
  }
  const ChainTask init = TaskAt(shape, {1}, {});
  // The tables of tokens and of positions, and the first block.
  EXPECT_THAT(IndicesOf(init, wv1::BLOCK_KIND_PARAMETERS),
              ElementsAre(0, 1, 2));
  ChainPlan resumed{/*total_steps=*/1};
  resumed.resume = ChainPosition{ChainPosition::Phase::kTrain, 0, 0};
  EXPECT_THAT(
      IndicesOf(TaskAt(shape, resumed, {}), wv1::BLOCK_KIND_OPTIMIZER_STATE),
      ElementsAre());
  EXPECT_EQ(shape.StateBytes(1), 0);
  EXPECT_GT(shape.StateBytes(4), 0);
}

JobShape WithMasters(JobShape shape) {
  shape.table = WithTrainedType(*shape.table, ElementType::kBFloat16);
  return shape;
}

TEST(TaskChainTest, InitMakesStateThatDoesNotBeginAsZero) {
  const JobShape plain = Shape({2});
  const JobShape shape = WithMasters(plain);
  ChainPlan resumed{/*total_steps=*/1};
  resumed.resume = ChainPosition{ChainPosition::Phase::kTrain, 0, 0};
  EXPECT_THAT(
      IndicesOf(TaskAt(plain, {1}, {}), wv1::BLOCK_KIND_OPTIMIZER_STATE),
      ElementsAre());
  for (const ChainPlan& plan : {ChainPlan{/*total_steps=*/1}, resumed}) {
    const ChainTask init = TaskAt(shape, plan, {});
    EXPECT_THAT(IndicesOf(init, wv1::BLOCK_KIND_PARAMETERS),
                ElementsAre(0, 1, 2));
    EXPECT_THAT(IndicesOf(init, wv1::BLOCK_KIND_OPTIMIZER_STATE),
                ElementsAre(0, 1, 2));
    for (const BlockWrite& write : init.writes) {
      EXPECT_EQ(write.size_bytes, write.key.kind == wv1::BLOCK_KIND_PARAMETERS
                                      ? shape.ParameterBytes(write.key.index)
                                      : shape.StateBytes(write.key.index));
    }
  }
}

TEST(TaskChainTest, WithMastersGradientsAndStateHaveFourBytesAnElement) {
  JobShape shape = WithMasters(Shape({2}, /*micro_batches=*/2));
  shape.state_factor = 0;
  shape.rounds = 2;
  EXPECT_EQ(shape.StateBytes(1), 2 * shape.ParameterBytes(1));
  bool has_sums = false, has_gradients = false, has_state = false;
  for (int task = 0; task < TasksPerStep(shape); ++task) {
    const ChainTask at =
        TaskAt(shape, {1}, {ChainPosition::Phase::kTrain, 0, task});
    for (const BlockWrite& write : at.writes) {
      const bool is_sum = write.key.kind == wv1::BLOCK_KIND_GRADIENT_SUM;
      const bool is_gradient =
          write.key.kind == wv1::BLOCK_KIND_PARAMETER_GRADIENT;
      const bool is_state = write.key.kind == wv1::BLOCK_KIND_OPTIMIZER_STATE;
      if (!is_sum && !is_gradient && !is_state) continue;
      has_sums |= is_sum;
      has_gradients |= is_gradient;
      has_state |= is_state;
      EXPECT_EQ(write.size_bytes, 2 * shape.ParameterBytes(write.key.index));
      if (!is_state) continue;
      EXPECT_THAT(at.reads, Contains(write.key));
    }
  }
  EXPECT_TRUE(has_sums && has_gradients && has_state);
}

TEST(TaskChainTest, WhatNoBackwardReadsEndsWithItsForward) {
  const JobShape shape = FrozenBefore(3, {1, 2, 4});
  // FORWARD 1 over layer 1, in which nothing is trained.
  const ChainTask forward =
      TaskAt(shape, {1}, {ChainPosition::Phase::kTrain, 0, 1});
  EXPECT_THAT(forward.ends,
              ElementsAre(ActivationKey(1, 0), ActivationKey(1, 1)));
  // FORWARD 2 over layers 2 and 3: its BACKWARD reads its input again, and
  // hands no gradients down.
  EXPECT_THAT(TaskAt(shape, {1}, {ChainPosition::Phase::kTrain, 0, 2}).ends,
              ElementsAre());
  const ChainTask backward =
      TaskAt(shape, {1}, {ChainPosition::Phase::kTrain, 0, 4});
  EXPECT_EQ(backward.kind, wv1::TASK_KIND_BACKWARD);
  EXPECT_THAT(
      backward.ends,
      ElementsAre(ActivationKey(2, 0), ActivationKey(2, 1),
                  ActivationGradientKey(4, 0), ActivationGradientKey(4, 1)));
  EXPECT_THAT(IndicesOf(backward, wv1::BLOCK_KIND_ACTIVATION_GRADIENT),
              ElementsAre());
}

TEST(TaskChainTest, OneShardOnlyTurns) {
  EXPECT_THAT(Names(Shape({}), {/*total_steps=*/2}),
              ElementsAre("INIT 0", "TURN 0", "TURN 0"));
}

TEST(TaskChainTest, EvaluatesAtTheIntervalAndBothSplitsAtTheEnd) {
  ChainPlan plan;
  plan.total_steps = 3;
  plan.eval_steps = 2;
  plan.validation_batches = EvaluationVisitBatches(Shape({})) + 1;
  plan.test_batches = 1;
  EXPECT_THAT(
      Names(Shape({}), plan),
      ElementsAre("INIT 0", "TURN 0", "TURN 0", "EVALUATE 0", "EVALUATE 0",
                  "TURN 0", "EVALUATE 0", "EVALUATE 0", "EVALUATE 0"));
  EXPECT_EQ(IntermediateEvaluations(plan, 0), 1);
  EXPECT_EQ(IntermediateEvaluations(plan, 2), 0);
}

TEST(TaskChainTest, NothingComesBehindTheTestSplitOfAJobThatStoppedEarly) {
  ChainPlan plan;
  plan.total_steps = 100;
  plan.eval_steps = 2;
  plan.validation_batches = 1;
  plan.test_batches = 1;
  ChainPosition place;
  place.phase = ChainPosition::Phase::kEvaluate;
  place.step = 4;
  place.split = wv1::SPLIT_TEST;
  place = Next(Shape({}), plan, place);
  EXPECT_TRUE(place.done());
  EXPECT_EQ(place.step, 4);
}

TEST(TaskChainTest, AVisitRunsAsManyBatchesAsHaveRoom) {
  EXPECT_EQ(EvaluationVisitBatches(Shape({})), kMostVisitBatches)
      << "one shard has no cuts";
  JobShape shape = Shape({1, 2});
  shape.micro_batches = 12;
  shape.micro_batch_size = shape.eval_batch_size = 1000;
  EXPECT_EQ(EvaluationVisitBatches(shape), 12)
      << "a step's boundaries at two cuts, a batch has one read and one made";
  shape.eval_batch_size = 4000;
  EXPECT_EQ(EvaluationVisitBatches(shape), kLeastVisitBatches);
  shape.eval_batch_size = 1;
  EXPECT_EQ(EvaluationVisitBatches(shape), kMostVisitBatches);
}

TEST(TaskChainTest, AVisitReadsNoMoreExamplesThanAWorkerMayHoldAtOnce) {
  JobShape shape = Shape({});
  // Tensors of 1024 numbers, three in a batch.
  const auto set_examples = [&shape](int64_t height) {
    ModelTable table = *shape.table;
    table.examples.emplace().shape = {height, 1024};
    shape.table = std::move(table);
  };
  set_examples(1);
  EXPECT_EQ(EvaluationVisitBatches(shape), kMostVisitBatches);
  const int64_t of_a_batch = kMaxStepNumbers / 1024 / shape.eval_batch_size;
  set_examples(of_a_batch / 7);
  EXPECT_EQ(EvaluationVisitBatches(shape), 7);
  set_examples(of_a_batch / 2);
  EXPECT_EQ(EvaluationVisitBatches(shape), 2) << "fewer than the least";
  set_examples(2 * of_a_batch);
  EXPECT_EQ(EvaluationVisitBatches(shape), 1);

  // And the chain's visits are so long.
  set_examples(of_a_batch / 2);
  ChainPlan plan;
  plan.total_steps = 1;
  plan.test_batches = 5;
  EXPECT_THAT(Names(shape, plan), ElementsAre("INIT 0", "TURN 0", "EVALUATE 0",
                                              "EVALUATE 0", "EVALUATE 0"));
}

TEST(TaskChainTest, AVisitThatWasBegunRunsAsManyAsItBeganWith) {
  const JobShape shape = Shape({2});
  ChainPlan plan;
  plan.validation_batches = 10;
  ChainPosition place;
  place.phase = ChainPosition::Phase::kEvaluate;
  place.split = wv1::SPLIT_VALIDATION;
  EXPECT_EQ(TaskAt(shape, plan, place).last_micro_batch, 4);
  place.visit_batches = 7;
  place.task = 1;
  EXPECT_EQ(TaskAt(shape, plan, place).last_micro_batch, 7);
  place = Next(shape, plan, place);
  EXPECT_EQ(place.first_batch, 7);
  EXPECT_EQ(TaskAt(shape, plan, place).last_micro_batch, 10);
}

TEST(TaskChainTest, AnEvaluationThatBeginsAgainHasVisitsForTheNewCuts) {
  JobShape shape = Shape({1, 2});
  shape.eval_batch_size = 4000;
  ChainPosition place;
  place.phase = ChainPosition::Phase::kEvaluate;
  place.split = wv1::SPLIT_VALIDATION;
  place.visit_batches = kMostVisitBatches;
  ChainPlan plan;
  plan.validation_batches = 100;
  plan.resume = place;
  ChainPosition last_init;
  last_init.task = shape.shard_count() - 1;
  const ChainPosition again = Next(shape, plan, last_init);
  EXPECT_EQ(TaskAt(shape, plan, again).last_micro_batch, kLeastVisitBatches);
}

TEST(TaskChainTest, AStopKeepsAPartOfAStepAndNoneOfAnEvaluation) {
  ChainPosition place;
  place.phase = ChainPosition::Phase::kTrain;
  place.step = 3;
  place.task = 2;
  EXPECT_EQ(ResumePlace(place).task, 2);
  place.phase = ChainPosition::Phase::kEvaluate;
  place.split = wv1::SPLIT_TEST;
  place.first_batch = 8;
  EXPECT_EQ(ResumePlace(place).task, 0);
  EXPECT_EQ(ResumePlace(place).first_batch, 0);
  EXPECT_EQ(ResumePlace(place).step, 3);
  EXPECT_EQ(ResumePlace(place).split, wv1::SPLIT_TEST);
  place.phase = ChainPosition::Phase::kInit;
  EXPECT_EQ(ResumePlace(place).task, 0);
}

TEST(TaskChainTest, AForwardNeverWritesParameters) {
  const ChainTask task =
      TaskAt(Shape({2}), {/*total_steps=*/1},
             {ChainPosition::Phase::kTrain, /*step=*/0, /*task=*/0});
  for (const BlockWrite& write : task.writes) {
    EXPECT_EQ(write.key.kind, wv1::BLOCK_KIND_ACTIVATION);
  }
}

TEST(TaskChainTest, TheTiedGradientGoesFromTheHeadToTheEmbedding) {
  const JobShape shape = Shape({2});
  const ChainPlan plan{/*total_steps=*/1};
  const BlockKey tied{wv1::BLOCK_KIND_PARAMETER_GRADIENT, 0, 0};
  const ChainTask turn =
      TaskAt(shape, plan, {ChainPosition::Phase::kTrain, 0, 1});
  std::vector<BlockKey> written;
  for (const BlockWrite& write : turn.writes) written.push_back(write.key);
  EXPECT_THAT(written, Contains(tied));
  EXPECT_THAT(written, Not(Contains(BlockKey{wv1::BLOCK_KIND_PARAMETERS, 0})));
  const ChainTask backward =
      TaskAt(shape, plan, {ChainPosition::Phase::kTrain, 0, 2});
  EXPECT_THAT(backward.reads, Contains(tied));
  EXPECT_THAT(backward.ends, Contains(tied));
}

// Walks whole chains and follows every block: nothing is read before it is
// made, and nothing but parameters and state is left at the end.
TEST(TaskChainTest, EveryReadWasMadeAndEveryBoundaryEnds) {
  ChainPlan plan;
  plan.total_steps = 3;
  plan.eval_steps = 1;
  plan.validation_batches = 6;
  plan.test_batches = 2;
  const auto walk = [&plan](const JobShape& shape) {
    const auto blocks = static_cast<int>(shape.table->parameter_blocks.size());
    std::set<BlockKey> live;
    for (int block = 0; block < blocks; ++block) live.insert(StateKey(block));
    std::map<BlockKey, int> updates;
    for (ChainPosition at; !at.done(); at = Next(shape, plan, at)) {
      const ChainTask task = TaskAt(shape, plan, at);
      for (const BlockKey& key : task.reads) EXPECT_EQ(live.count(key), 1);
      for (const BlockWrite& write : task.writes) {
        EXPECT_GT(write.size_bytes, 0);
        live.insert(write.key);
        ++updates[write.key];
      }
      for (const BlockKey& key : task.ends) EXPECT_EQ(live.erase(key), 1);
    }
    EXPECT_EQ(live.size(), 2 * blocks);
    for (int block = 0; block < blocks; ++block) {
      EXPECT_EQ(updates[ParametersKey(block)], 1 + plan.total_steps);
    }
  };
  for (const std::vector<int>& cuts :
       {std::vector<int>{}, {1}, {2, 4}, {1, 2, 3, 4}}) {
    for (bool clips : {false, true}) {
      for (int rounds : {1, 2, 3}) {
        JobShape shape = Shape(cuts, /*micro_batches=*/3);
        shape.clips_gradients = clips;
        shape.rounds = rounds;
        walk(shape);
      }
    }
  }
}

}  // namespace
}  // namespace hydra
