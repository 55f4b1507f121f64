#include "worker/exec/whole_reads.h"

#include <algorithm>
#include <vector>

#include "common/chain/block_key.h"
#include "common/chain/job_shape.h"
#include "common/chain/task_chain.h"
#include "common/model/gpt2_table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using worker::v1::Task;

// Layers: the embedding, two in the middle, the head, whose table is the
// embedding's.
class WholeReadsTest : public testing::Test {
 protected:
  WholeReadsTest() {
    Gpt2Config config;
    config.vocab_size = 97;
    config.n_positions = 16;
    config.n_embd = 8;
    config.n_layer = 2;
    config.n_head = 2;
    config.n_inner = 32;
    config.tie_word_embeddings = true;
    shape_.table = BuildGpt2Table(config);
    shape_.micro_batch_size = 2;
    shape_.micro_batches = 2;
    shape_.context_length = 16;
    shape_.eval_batch_size = 3;
    shape_.state_factor = 2;
  }

  // Its reads are in no order.
  std::vector<BlockKey> ReadsOf(worker::v1::TaskKind kind, int first,
                                int last) const {
    Task task;
    task.set_kind(kind);
    task.set_first_layer(first);
    task.set_last_layer(last);
    const ChainTask pass = PassTask(shape_, kind, {first, last}, 2);
    for (const BlockKey& key : pass.reads) SetBlockKey(key, *task.add_reads());
    std::reverse(task.mutable_reads()->begin(), task.mutable_reads()->end());
    std::vector<BlockKey> keys;
    for (const auto& version :
         WholeReads(task, *shape_.table, streamed_block_)) {
      keys.push_back(BlockKeyOf(version));
    }
    return keys;
  }

  // The one block of a layer in the middle.
  BlockKey Parameters(int layer) const {
    return ParametersKey(shape_.table->layers[layer].parameter_blocks.front());
  }

  JobShape shape_;
  int streamed_block_ = -1;
};

TEST_F(WholeReadsTest, AreInTheOrderOfTheirUse) {
  EXPECT_THAT(ReadsOf(worker::v1::TASK_KIND_FORWARD, 1, 3),
              ElementsAre(ActivationKey(1, 0), Parameters(1), Parameters(2),
                          ActivationKey(1, 1)));
  EXPECT_THAT(ReadsOf(worker::v1::TASK_KIND_BACKWARD, 1, 3),
              ElementsAre(ActivationKey(1, 0), Parameters(1), Parameters(2),
                          ActivationGradientKey(3, 0), ActivationKey(1, 1),
                          ActivationGradientKey(3, 1)))
      << "and no optimizer state, which is read in ranges";
}

TEST_F(WholeReadsTest, LeaveOutWhatIsGatheredOnTheHost) {
  const int table = shape_.table->layers[0].parameter_blocks.front();
  ASSERT_TRUE(shape_.table->parameter_blocks[table].rows_are_gathered);
  EXPECT_THAT(ReadsOf(worker::v1::TASK_KIND_FORWARD, 0, 2),
              testing::Not(testing::Contains(ParametersKey(table))));
  EXPECT_THAT(ReadsOf(worker::v1::TASK_KIND_TURN, 0, 4),
              testing::Contains(ParametersKey(table)))
      << "the head computes with all of it";
}

TEST_F(WholeReadsTest, LeaveOutWhatIsStreamed) {
  const int table = shape_.table->layers[3].parameter_blocks[1];
  EXPECT_THAT(ReadsOf(worker::v1::TASK_KIND_TURN, 2, 4),
              testing::Contains(ParametersKey(table)));
  streamed_block_ = table;
  EXPECT_THAT(ReadsOf(worker::v1::TASK_KIND_TURN, 2, 4),
              testing::Not(testing::Contains(ParametersKey(table))));
}

TEST_F(WholeReadsTest, AreThoseOfPassesAlone) {
  Task task;
  task.set_kind(worker::v1::TASK_KIND_INIT);
  SetBlockKey(Parameters(1), *task.add_reads());
  EXPECT_THAT(WholeReads(task, *shape_.table, streamed_block_), IsEmpty());
}

}  // namespace
}  // namespace hydra
