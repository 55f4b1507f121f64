#include "common/chain/streamed_block.h"

#include "common/model/frozen_type.h"
#include "common/model/gpt2_table.h"
#include "common/model/product_type.h"
#include "common/model/trained_type.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;
// Layers of GPT-2 124M: embedding, twelve blocks, head.
constexpr int kHead = 13;

JobShape Gpt2(bool tied, int64_t vocabulary = 50257) {
  Gpt2Config config;
  config.vocab_size = vocabulary;
  config.n_positions = 1024;
  config.n_embd = 768;
  config.n_layer = 12;
  config.n_head = 12;
  config.n_inner = 3072;
  config.tie_word_embeddings = tied;
  JobShape shape;
  shape.table = BuildGpt2Table(config);
  shape.micro_batch_size = 4;
  shape.context_length = 256;
  shape.eval_batch_size = 4;
  return shape;
}

int HeadTable(const JobShape& shape) {
  return shape.table->layers[kHead].parameter_blocks[1];
}

TEST(StreamedBlockTest, ATableThatFitsBesideItsGradientIsHeldWhole) {
  for (bool tied : {true, false}) {
    const JobShape shape = Gpt2(tied);
    EXPECT_EQ(StreamedBlock(shape, {12, 14}, 500 * kMiB), kNoBlock);
    EXPECT_EQ(StreamedBlock(shape, {12, 14}, 334 * kMiB), kNoBlock);
    EXPECT_EQ(StreamedBlock(shape, {12, 14}, 320 * kMiB), HeadTable(shape));
    EXPECT_EQ(StreamedBlock(shape, {13, 14}, 100 * kMiB), HeadTable(shape));
  }
}

// Its rounding lies beside it.
TEST(StreamedBlockTest, ATableThatIsRoundedNeedsHalfAsMuchMoreToBeHeldWhole) {
  JobShape shape = Gpt2(/*tied=*/false);
  const int64_t table_bytes =
      shape.table->parameter_blocks[HeadTable(shape)].size_bytes;
  EXPECT_EQ(StreamedBlock(shape, {12, 14}, 400 * kMiB), kNoBlock);
  shape.table = WithProductType(*shape.table, ElementType::kBFloat16);
  EXPECT_EQ(StreamedBlock(shape, {12, 14}, 400 * kMiB), HeadTable(shape));
  EXPECT_EQ(StreamedBlock(shape, {12, 14}, 400 * kMiB + table_bytes / 2),
            kNoBlock);
}

// With a master the table has half of its bytes, its gradient as many, and a
// range of it is widened.
TEST(StreamedBlockTest, ATableWithAMasterIsHeldWholeWhereItFits) {
  JobShape shape = Gpt2(/*tied=*/true);
  shape.table = WithTrainedType(*shape.table, ElementType::kBFloat16);
  const int64_t saved = shape.ParameterBytes(HeadTable(shape));
  constexpr int64_t kRange = int64_t{8192} * 768 * 4;
  EXPECT_EQ(StreamedBlock(shape, {12, 14}, 334 * kMiB - saved + kRange),
            kNoBlock);
  EXPECT_EQ(StreamedBlock(shape, {12, 14}, 320 * kMiB - saved),
            HeadTable(shape));
}

// It has a quarter of its bytes, and no gradient; a range of it is dequantized.
TEST(StreamedBlockTest, ATableOfInt8IsHeldWholeWhereOneOfFloat32IsNot) {
  JobShape shape = Gpt2(/*tied=*/true);
  ModelTable table = *shape.table;
  for (ParameterBlock& block : table.parameter_blocks) block.frozen = true;
  shape.table = table;
  EXPECT_EQ(StreamedBlock(shape, {12, 14}, 120 * kMiB), HeadTable(shape));
  shape.table = WithFrozenType(std::move(table), ElementType::kInt8);
  EXPECT_EQ(StreamedBlock(shape, {12, 14}, 120 * kMiB), kNoBlock);
  EXPECT_EQ(StreamedBlock(shape, {12, 14}, 60 * kMiB), HeadTable(shape));
}

TEST(StreamedBlockTest, OnlyTheLastLayersTableIsStreamed) {
  const JobShape shape = Gpt2(/*tied=*/true);
  EXPECT_EQ(StreamedBlock(shape, {0, 13}, 100 * kMiB), kNoBlock);
  EXPECT_EQ(StreamedBlock(shape, {0, 1}, 100 * kMiB), kNoBlock);
}

TEST(StreamedBlockTest, ATiedTableIsHeldWholeBesideItsOwner) {
  EXPECT_EQ(StreamedBlock(Gpt2(/*tied=*/true), {0, 14}, 100 * kMiB), kNoBlock);
  const JobShape untied = Gpt2(/*tied=*/false);
  EXPECT_EQ(StreamedBlock(untied, {0, 14}, 100 * kMiB), HeadTable(untied));
}

TEST(StreamedBlockTest, ATableOfOneRangeIsNeverStreamed) {
  EXPECT_EQ(
      StreamedBlock(Gpt2(/*tied=*/true, /*vocabulary=*/8000), {13, 14}, kMiB),
      kNoBlock);
}

}  // namespace
}  // namespace hydra
