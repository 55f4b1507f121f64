#include "worker/exec/trial_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "common/chain/block_key.h"
#include "common/chain/task_chain.h"
#include "common/model/gpt2_table.h"

namespace hydra {
namespace {

using ::testing::UnorderedElementsAreArray;
using SizedBlocks = std::vector<std::pair<BlockKey, int64_t>>;

JobShape Shape(const std::vector<int>& cuts, bool tied, int64_t state_factor) {
  Gpt2Config config;
  config.vocab_size = 97;
  config.n_positions = 16;
  config.n_embd = 8;
  config.n_layer = 3;
  config.n_head = 2;
  config.n_inner = 32;
  config.tie_word_embeddings = tied;
  JobShape shape;
  shape.table = BuildGpt2Table(config);
  shape.micro_batch_size = 2;
  shape.micro_batches = 2;
  shape.context_length = 16;
  shape.eval_batch_size = 3;
  shape.state_factor = state_factor;
  shape.shards = ShardsOf(cuts, shape.table->layer_count());
  return shape;
}

template <typename Versions>
SizedBlocks BlocksOf(const Versions& versions) {
  SizedBlocks blocks;
  for (const auto& version : versions) {
    blocks.emplace_back(BlockKeyOf(version), version.size_bytes());
  }
  return blocks;
}

// Follows the job's chain, and the size that each block was made with. At each
// task of a pass, a pilot's trial of that shard names the same blocks.
void ExpectTrialsAreTheChainsTasks(const JobShape& shape) {
  ChainPlan plan;
  plan.total_steps = 1;
  plan.validation_batches = 6;
  std::map<BlockKey, int64_t> made;
  for (int block = 0; block < shape.table->parameter_blocks.size(); ++block) {
    made[StateKey(block)] = shape.StateBytes(block);
  }
  for (ChainPosition at; !at.done(); at = Next(shape, plan, at)) {
    const ChainTask task = TaskAt(shape, plan, at);
    SizedBlocks reads;
    for (const BlockKey& key : task.reads)
      reads.emplace_back(key, made.at(key));
    SizedBlocks writes;
    for (const BlockWrite& write : task.writes) {
      made[write.key] = write.size_bytes;
      writes.emplace_back(write.key, write.size_bytes);
    }
    if (at.phase == ChainPosition::Phase::kInit) continue;
    const worker::v1::Task trial =
        TrialTask(shape, task.kind, task.layers,
                  task.last_micro_batch - task.first_micro_batch);
    EXPECT_EQ(trial.kind(), task.kind);
    EXPECT_THAT(BlocksOf(trial.reads()), UnorderedElementsAreArray(reads));
    EXPECT_THAT(BlocksOf(trial.writes()), UnorderedElementsAreArray(writes));
  }
}

TEST(TrialTaskTest, APilotMeasuresTheVeryTasksThatRun) {
  for (const std::vector<int>& cuts :
       {std::vector<int>{}, {1}, {2, 4}, {1, 2, 3, 4}}) {
    for (bool tied : {false, true}) {
      for (int64_t state_factor : {0, 1, 2}) {
        ExpectTrialsAreTheChainsTasks(Shape(cuts, tied, state_factor));
      }
    }
  }
}

TEST(TrialTaskTest, WhatIsMadeLiesApartFromWhatIsRead) {
  const worker::v1::Task trial =
      TrialTask(Shape({2}, /*tied=*/true, /*state_factor=*/2),
                worker::v1::TASK_KIND_BACKWARD, {0, 2}, /*count=*/1);
  ASSERT_GT(trial.reads_size(), 0);
  ASSERT_GT(trial.writes_size(), 0);
  for (const auto& read : trial.reads()) EXPECT_EQ(read.offset_bytes(), 0);
  for (const auto& made : trial.writes()) {
    EXPECT_EQ(made.offset_bytes(), kMadeOffset);
  }
}

}  // namespace
}  // namespace hydra
