#include "common/model/model_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hydra {
namespace {

using ::testing::ElementsAre;

ModelTable TwoLayers() {
  ModelTable table;
  table.parameter_blocks.resize(2);
  AddTensor("a", {3, 5}, {}, table.parameter_blocks[0]);
  AddTensor("b", {17}, {}, table.parameter_blocks[0]);
  AddTensor("c", {2}, {}, table.parameter_blocks[1]);
  table.layers.resize(2);
  table.layers[0].parameter_blocks = {0};
  table.layers[0].outputs = {
      {ElementType::kFloat32, {kBatchSequences, kBatchContext, 3}},
      {ElementType::kInt64, {kBatchSequences}}};
  table.layers[1].parameter_blocks = {1, 0};
  NoteUsers(table);
  return table;
}

TEST(ModelTableTest, TensorsBeginAtMultiplesOfTheAlignment) {
  const ParameterBlock block = TwoLayers().parameter_blocks[0];
  EXPECT_EQ(block.tensors[0].element_count, 15);
  EXPECT_EQ(block.tensors[1].offset_bytes, 64);
  EXPECT_EQ(block.size_bytes, 64 + 128);
  EXPECT_EQ(block.element_count(), 48);
}

TEST(ModelTableTest, CountsParametersWithAndWithoutPadding) {
  EXPECT_EQ(TwoLayers().ParameterCount(), 15 + 17 + 2);
  EXPECT_EQ(TwoLayers().ParameterBytes(), 64 + 128 + 64);
}

TEST(ModelTableTest, WhatABatchNormRemembersIsNoParameter) {
  ModelTable table = TwoLayers();
  EXPECT_FALSE(table.parameter_blocks[1].has_statistics());
  AddStatistic("mean", {5}, TensorUse::kStatistic, {},
               table.parameter_blocks[1]);
  AddStatistic("count", {}, TensorUse::kCount, {}, table.parameter_blocks[1]);
  EXPECT_TRUE(table.parameter_blocks[1].has_statistics());
  EXPECT_FALSE(table.parameter_blocks[0].has_statistics());
  EXPECT_EQ(table.parameter_blocks[1].tensors.back().element_count, 1);
  EXPECT_EQ(table.ParameterCount(), 15 + 17 + 2);
  EXPECT_EQ(table.TrainedCount(), 15 + 17 + 2);
  EXPECT_EQ(table.ParameterBytes(), 64 + 128 + 3 * 64);
}

TEST(ModelTableTest, FrozenBlocksAreNotTrained) {
  ModelTable table = TwoLayers();
  EXPECT_EQ(table.FirstTrainedLayer(), 0);
  table.parameter_blocks[0].frozen = true;
  EXPECT_EQ(table.ParameterCount(), 15 + 17 + 2);
  EXPECT_EQ(table.TrainedCount(), 2);
  EXPECT_EQ(table.TrainedBytes(), 64);
  EXPECT_EQ(table.FirstTrainedLayer(), 1);
  table.parameter_blocks[1].frozen = true;
  EXPECT_EQ(table.FirstTrainedLayer(), table.layer_count());
}

TEST(ModelTableTest, ABlockOfTwoLayersIsTiedAndBelongsToTheFirst) {
  const ModelTable table = TwoLayers();
  EXPECT_THAT(table.parameter_blocks[0].layers, ElementsAre(0, 1));
  EXPECT_TRUE(table.parameter_blocks[0].tied());
  EXPECT_EQ(table.parameter_blocks[0].owner(), 0);
  EXPECT_FALSE(table.parameter_blocks[1].tied());
}

TEST(ModelTableTest, ABoundaryIsAllItsTensorsEachPadded) {
  const ModelTable table = TwoLayers();
  const std::vector<BoundaryTensor>& boundary = table.BoundaryBefore(1);
  ASSERT_EQ(boundary.size(), 2);
  EXPECT_THAT(boundary[0].ShapeOf(4, 6), ElementsAre(4, 6, 3));
  EXPECT_EQ(boundary[0].Bytes(4, 6), 4 * 6 * 3 * 4);
  EXPECT_EQ(boundary[1].Bytes(4, 6), 4 * 8);
  EXPECT_EQ(table.BoundaryBytes(1, 4, 6), 320 + 64);
  const std::vector<BoundaryPlace> places = table.BoundaryPlaces(1, 4, 6);
  ASSERT_EQ(places.size(), 2);
  EXPECT_EQ(places[0].end_bytes, 4 * 6 * 3 * 4);
  EXPECT_EQ(places[1].begin_bytes, 320);
  EXPECT_EQ(places[1].tensor, &table.layers[0].outputs[1]);
  EXPECT_EQ(table.BoundaryBytes(0, 4, 6), 0);
}

}  // namespace
}  // namespace hydra
