#include "common/checkpoint/block_layout.h"

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "common/checkpoint/testing.h"
#include "common/model/factored_moments.h"
#include "common/model/frozen_type.h"
#include "common/model/trained_type.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using worker::v1::BLOCK_KIND_ACTIVATION;
using worker::v1::BLOCK_KIND_ACTIVATION_GRADIENT;
using worker::v1::BLOCK_KIND_GRADIENT_SQUARES;
using worker::v1::BLOCK_KIND_GRADIENT_SUM;
using worker::v1::BLOCK_KIND_OPTIMIZER_STATE;
using worker::v1::BLOCK_KIND_PARAMETER_GRADIENT;
using worker::v1::BLOCK_KIND_PARAMETERS;
using worker::v1::BLOCK_KIND_UNSPECIFIED;
using worker::v1::BlockKind;

std::vector<std::string> Names(const BlockLayout& layout) {
  std::vector<std::string> names;
  for (const BlockTensor& tensor : layout.tensors) names.push_back(tensor.name);
  return names;
}

class BlockLayoutTest : public testing::Test {
 protected:
  const ModelTable table_ = SmallTable();
  const int64_t block_bytes_ = table_.parameter_blocks[2].size_bytes;
};

TEST_F(BlockLayoutTest, ParametersAreThoseOfTheTable) {
  const auto layout =
      LayOutBlock({BLOCK_KIND_PARAMETERS, 0, 0},
                  table_.parameter_blocks[0].size_bytes, table_, AdamWSpec());
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_EQ(layout->file, "model.safetensors");
  EXPECT_THAT(Names(*layout), ElementsAre("transformer.wte.weight"));
  EXPECT_EQ(layout->tensors[0].shape,
            table_.parameter_blocks[0].tensors[0].shape);
}

TEST_F(BlockLayoutTest, ACountIsAWholeNumberInItsFileAndItsMomentsAreNot) {
  ModelTable table;
  table.parameter_blocks.resize(1);
  ParameterBlock& block = table.parameter_blocks[0];
  AddStatistic("count", {}, TensorUse::kCount, {}, block);
  auto layout = LayOutBlock({BLOCK_KIND_PARAMETERS, 0, 0}, block.size_bytes,
                            table, AdamWSpec());
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_EQ(FileDtypeOf(layout->tensors[0]), safetensors::Dtype::kI64);
  EXPECT_EQ(layout->tensors[0].size_bytes, kFloatBytes);
  layout = LayOutBlock({BLOCK_KIND_OPTIMIZER_STATE, 0, 0}, 2 * block.size_bytes,
                       table, AdamWSpec());
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_EQ(FileDtypeOf(layout->tensors[0]), safetensors::Dtype::kF32);
}

TEST_F(BlockLayoutTest, CountsAreTheNearestNumbersThatThereAre) {
  const auto kept = [](int64_t count) {
    std::byte in_block[kFloatBytes];
    StoreCount(count, in_block);
    return CountInFile(in_block);
  };
  for (int64_t count : {int64_t{0}, int64_t{1}, int64_t{16'777'216}}) {
    EXPECT_EQ(kept(count), count);
  }
  EXPECT_EQ(kept(16'777'217), 16'777'216);
  EXPECT_EQ(kept(-1), 0);
  EXPECT_EQ(kept(std::numeric_limits<int64_t>::max()), int64_t{1} << 62);
}

TEST_F(BlockLayoutTest, MomentsLieOneBehindTheOther) {
  const auto layout = LayOutBlock({BLOCK_KIND_OPTIMIZER_STATE, 2, 0},
                                  2 * block_bytes_, table_, AdamWSpec());
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_EQ(layout->file, "optimizer.safetensors");
  const auto& tensors = table_.parameter_blocks[2].tensors;
  ASSERT_EQ(layout->tensors.size(), 2 * tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const BlockTensor& first = layout->tensors[i];
    const BlockTensor& second = layout->tensors[tensors.size() + i];
    EXPECT_EQ(first.name, tensors[i].name + ".exp_avg");
    EXPECT_EQ(second.name, tensors[i].name + ".exp_avg_sq");
    EXPECT_EQ(first.offset_bytes, tensors[i].offset_bytes);
    EXPECT_EQ(second.offset_bytes, block_bytes_ + tensors[i].offset_bytes);
    EXPECT_EQ(second.size_bytes, tensors[i].element_count * kFloatBytes);
  }
}

TEST_F(BlockLayoutTest, SgdKeepsOneMomentOrNone) {
  hydra::v1::TrainSpec sgd;
  sgd.set_optim(hydra::v1::OPTIMIZER_SGD);
  EXPECT_TRUE(LayOutBlock({BLOCK_KIND_OPTIMIZER_STATE, 2, 0}, 0, table_, sgd)
                  ->tensors.empty());
  sgd.set_momentum(0.9);
  const auto layout = LayOutBlock({BLOCK_KIND_OPTIMIZER_STATE, 2, 0},
                                  block_bytes_, table_, sgd);
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_EQ(layout->tensors[0].name,
            table_.parameter_blocks[2].tensors[0].name + ".momentum_buffer");
}

TEST_F(BlockLayoutTest, AdafactorKeepsRowsAndColumns) {
  hydra::v1::TrainSpec train;
  train.set_optim(hydra::v1::OPTIMIZER_ADAFACTOR);
  const ParameterBlock& block = table_.parameter_blocks[2];
  const int64_t bytes = FactoredStateBytes(block);
  EXPECT_LT(bytes, block_bytes_);
  const auto layout =
      LayOutBlock({BLOCK_KIND_OPTIMIZER_STATE, 2, 0}, bytes, table_, train);
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_EQ(layout->file, "optimizer.safetensors");
  int64_t end = 0;
  size_t next = 0;
  for (const TensorEntry& tensor : block.tensors) {
    const std::vector<std::string> suffixes =
        tensor.shape.size() > 1
            ? std::vector<std::string>{".exp_avg_sq_row", ".exp_avg_sq_col"}
            : std::vector<std::string>{".exp_avg_sq"};
    for (size_t i = 0; i < suffixes.size(); ++i) {
      ASSERT_LT(next, layout->tensors.size());
      const BlockTensor& moment = layout->tensors[next++];
      EXPECT_EQ(moment.name, tensor.name + suffixes[i]);
      EXPECT_THAT(moment.shape, ElementsAre(tensor.shape[i]));
      EXPECT_EQ(moment.offset_bytes, end);
      EXPECT_EQ(FileDtypeOf(moment), safetensors::Dtype::kF32);
      EXPECT_TRUE(moment.may_be_absent);
      end += AlignedTensorBytes(moment.size_bytes);
    }
  }
  EXPECT_EQ(next, layout->tensors.size());
  EXPECT_EQ(end, bytes);
  EXPECT_TRUE(
      absl::IsFailedPrecondition(LayOutBlock({BLOCK_KIND_OPTIMIZER_STATE, 2, 0},
                                             block_bytes_, table_, train)
                                     .status()));
}

TEST_F(BlockLayoutTest, WhatIsOfInt8IsInTheFileAsFloat32AndNotRestored) {
  ModelTable table = table_;
  EXPECT_TRUE(IsRestored(table, 2));
  table.parameter_blocks[2].frozen = true;
  table = WithFrozenType(table, ElementType::kInt8);
  const ParameterBlock& block = table.parameter_blocks[2];
  const auto layout = LayOutBlock({BLOCK_KIND_PARAMETERS, 2, 0},
                                  block.size_bytes, table, AdamWSpec());
  ASSERT_TRUE(layout.ok()) << layout.status();
  ASSERT_EQ(layout->tensors.size(), block.tensors.size());
  int matrices = 0;
  for (size_t i = 0; i < block.tensors.size(); ++i) {
    const TensorEntry& entry = block.tensors[i];
    const BlockTensor& tensor = layout->tensors[i];
    const bool is_matrix = entry.shape.size() == 2;
    matrices += is_matrix;
    EXPECT_EQ(tensor.type,
              is_matrix ? ElementType::kInt8 : ElementType::kFloat32);
    EXPECT_EQ(tensor.offset_bytes, entry.offset_bytes);
    EXPECT_LE(tensor.offset_bytes + tensor.size_bytes, block.size_bytes);
    EXPECT_EQ(FileDtypeOf(tensor), safetensors::Dtype::kF32);
    EXPECT_EQ(FileBytesOf(tensor), 4 * entry.element_count);
  }
  EXPECT_GT(matrices, 0);
  EXPECT_TRUE(IsInFile(table, 2));
  EXPECT_FALSE(IsRestored(table, 2));
}

TEST_F(BlockLayoutTest, MastersLieBehindTheMomentsInFourBytes) {
  const ModelTable table = WithTrainedType(table_, ElementType::kBFloat16);
  const ParameterBlock& block = table.parameter_blocks[2];
  const auto parameters = LayOutBlock({BLOCK_KIND_PARAMETERS, 2, 0},
                                      block.size_bytes, table, AdamWSpec());
  const auto layout =
      LayOutBlock({BLOCK_KIND_OPTIMIZER_STATE, 2, 0},
                  3 * block.gradient_bytes(), table, AdamWSpec());
  ASSERT_TRUE(parameters.ok()) << parameters.status();
  ASSERT_TRUE(layout.ok()) << layout.status();
  const size_t tensors = block.tensors.size();
  ASSERT_EQ(parameters->tensors.size(), tensors);
  ASSERT_EQ(layout->tensors.size(), 3 * tensors);
  for (size_t i = 0; i < tensors; ++i) {
    const TensorEntry& tensor = block.tensors[i];
    EXPECT_EQ(parameters->tensors[i].type, ElementType::kBFloat16);
    EXPECT_EQ(parameters->tensors[i].size_bytes, 2 * tensor.element_count);
    EXPECT_FALSE(parameters->tensors[i].may_be_absent);
    EXPECT_TRUE(layout->tensors[i].may_be_absent);
    const BlockTensor& master = layout->tensors[2 * tensors + i];
    EXPECT_EQ(master.name, tensor.name + ".master");
    EXPECT_EQ(master.type, ElementType::kFloat32);
    EXPECT_EQ(master.offset_bytes,
              2 * block.gradient_bytes() + 2 * tensor.offset_bytes);
    EXPECT_EQ(master.size_bytes, 4 * tensor.element_count);
    EXPECT_FALSE(master.may_be_absent);
  }
  hydra::v1::TrainSpec sgd;
  sgd.set_optim(hydra::v1::OPTIMIZER_SGD);
  const auto alone = LayOutBlock({BLOCK_KIND_OPTIMIZER_STATE, 2, 0},
                                 block.gradient_bytes(), table, sgd);
  ASSERT_TRUE(alone.ok()) << alone.status();
  EXPECT_EQ(alone->tensors[0].name, block.tensors[0].name + ".master");
}

TEST_F(BlockLayoutTest, MastersLieBehindFactoredMoments) {
  const ModelTable table = WithTrainedType(table_, ElementType::kBFloat16);
  const ParameterBlock& block = table.parameter_blocks[2];
  hydra::v1::TrainSpec train;
  train.set_optim(hydra::v1::OPTIMIZER_ADAFACTOR);
  const int64_t moment_bytes = FactoredStateBytes(block);
  const auto layout =
      LayOutBlock({BLOCK_KIND_OPTIMIZER_STATE, 2, 0},
                  moment_bytes + block.gradient_bytes(), table, train);
  ASSERT_TRUE(layout.ok()) << layout.status();
  const size_t tensors = block.tensors.size();
  ASSERT_GT(layout->tensors.size(), tensors);
  const size_t first = layout->tensors.size() - tensors;
  for (size_t i = 0; i < tensors; ++i) {
    EXPECT_TRUE(layout->tensors[i].may_be_absent);
    const BlockTensor& master = layout->tensors[first + i];
    EXPECT_EQ(master.name, block.tensors[i].name + ".master");
    EXPECT_EQ(master.offset_bytes,
              moment_bytes + 2 * block.tensors[i].offset_bytes);
    EXPECT_EQ(master.size_bytes, 4 * block.tensors[i].element_count);
    EXPECT_FALSE(master.may_be_absent);
  }
  EXPECT_TRUE(
      absl::IsFailedPrecondition(LayOutBlock({BLOCK_KIND_OPTIMIZER_STATE, 2, 0},
                                             moment_bytes, table, train)
                                     .status()));
}

TEST_F(BlockLayoutTest, BoundariesAndGradientsAreFlat) {
  const struct {
    BlockKind kind;
    const char* name;
  } kCases[] = {
      {BLOCK_KIND_ACTIVATION, "activation.3.1"},
      {BLOCK_KIND_ACTIVATION_GRADIENT, "activation_gradient.3.1"},
      {BLOCK_KIND_PARAMETER_GRADIENT, "parameter_gradient.3"},
      {BLOCK_KIND_GRADIENT_SQUARES, "gradient_squares.3"},
      {BLOCK_KIND_GRADIENT_SUM, "gradient_sum.3.1"},
  };
  for (const auto& c : kCases) {
    const auto layout = LayOutBlock({c.kind, 3, 1}, 64, table_, AdamWSpec());
    ASSERT_TRUE(layout.ok()) << layout.status();
    EXPECT_EQ(layout->file, "boundaries.safetensors");
    EXPECT_THAT(Names(*layout), ElementsAre(c.name));
    EXPECT_THAT(layout->tensors[0].shape, ElementsAre(16));
  }
}

TEST_F(BlockLayoutTest, BlocksThatTheTableDoesNotHaveAreRefused) {
  const auto status = [&](BlockKind kind, int index, int64_t bytes) {
    return LayOutBlock({kind, index, 0}, bytes, table_, AdamWSpec()).status();
  };
  const auto wrong_size = status(BLOCK_KIND_PARAMETERS, 2, block_bytes_ + 64);
  EXPECT_TRUE(absl::IsFailedPrecondition(wrong_size));
  EXPECT_THAT(wrong_size.message(), HasSubstr(std::to_string(block_bytes_)));
  EXPECT_TRUE(absl::IsFailedPrecondition(
      status(BLOCK_KIND_OPTIMIZER_STATE, 2, block_bytes_)));
  EXPECT_TRUE(
      absl::IsFailedPrecondition(status(BLOCK_KIND_PARAMETERS, 99, 64)));
  EXPECT_TRUE(
      absl::IsFailedPrecondition(status(BLOCK_KIND_PARAMETERS, -1, 64)));
  EXPECT_TRUE(absl::IsFailedPrecondition(status(BLOCK_KIND_ACTIVATION, 1, 63)));
  EXPECT_TRUE(absl::IsFailedPrecondition(status(BLOCK_KIND_ACTIVATION, 1, -4)));
  EXPECT_TRUE(absl::IsInvalidArgument(status(BLOCK_KIND_UNSPECIFIED, 0, 64)));
}

}  // namespace
}  // namespace hydra
