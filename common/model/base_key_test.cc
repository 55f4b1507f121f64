#include "common/model/base_key.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "common/file/file.h"
#include "common/file/scratch_directory.h"
#include "common/model/frozen_type.h"
#include "common/model/gpt2_table.h"
#include "common/safetensors/writer.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

ModelTable Frozen(int blocks) {
  Gpt2Config config;
  config.vocab_size = 97;
  config.n_positions = 16;
  config.n_embd = 8;
  config.n_layer = 2;
  config.n_head = 2;
  config.n_inner = 32;
  ModelTable table = BuildGpt2Table(config);
  for (int i = 0; i < blocks; ++i) table.parameter_blocks[i].frozen = true;
  return table;
}

v1::JobSpec Spec(v1::Initialization init, uint64_t seed) {
  v1::JobSpec spec;
  spec.mutable_model()->set_init(init);
  spec.mutable_train()->set_seed(seed);
  return spec;
}

TEST(BaseKeyTest, AModelThatIsAllTrainedHasNone) {
  EXPECT_EQ(BaseKey(Spec(v1::INITIALIZATION_RANDOM, 1), Frozen(0), ""), "");
}

TEST(BaseKeyTest, RatesAndRanksDoNotMatter) {
  v1::JobSpec spec = Spec(v1::INITIALIZATION_PRETRAINED, 1);
  const std::string key = BaseKey(spec, Frozen(2), "a file");
  spec.mutable_train()->set_learning_rate(3);
  spec.mutable_train()->set_seed(2);
  ModelTable table = Frozen(2);
  ParameterBlock adapters;
  AddTensor("adapters", {4, 8}, {}, adapters);
  table.parameter_blocks.push_back(adapters);
  EXPECT_EQ(BaseKey(spec, table, "a file"), key);
}

TEST(BaseKeyTest, FilesSeedsAndBlocksDo) {
  const v1::JobSpec files = Spec(v1::INITIALIZATION_PRETRAINED, 1);
  const v1::JobSpec drawn = Spec(v1::INITIALIZATION_RANDOM, 1);
  const std::string key = BaseKey(files, Frozen(2), "a file");
  EXPECT_NE(BaseKey(files, Frozen(2), "another file"), key);
  EXPECT_NE(BaseKey(files, Frozen(3), "a file"), key);
  for (ElementType type : {ElementType::kBFloat16, ElementType::kInt8}) {
    const std::string other =
        BaseKey(files, WithFrozenType(Frozen(2), type), "a file");
    EXPECT_NE(other, key);
    EXPECT_NE(other,
              BaseKey(files, WithFrozenType(Frozen(2), ElementType::kFloat16),
                      "a file"));
    EXPECT_EQ(other, BaseKey(files, WithFrozenType(Frozen(2), type), "a file"));
  }
  EXPECT_NE(BaseKey(drawn, Frozen(2), "a file"), key);
  EXPECT_NE(BaseKey(drawn, Frozen(2), ""),
            BaseKey(Spec(v1::INITIALIZATION_RANDOM, 2), Frozen(2), ""));
}

TEST(BaseKeyTest, AFileThatIsWrittenAnewIsAnother) {
  const ScratchDirectory directory;
  const std::string file = directory.path() + "/model.safetensors";
  const auto identity = [&] {
    return IdentityOf(*safetensors::WeightDirectory::Open(directory.path()));
  };
  const auto write = [&] {
    const float value = 1;
    const auto writer = safetensors::Writer::Create(
        file, {{"w", safetensors::Dtype::kF32, {1}}});
    ASSERT_TRUE(writer.ok()) << writer.status();
    ASSERT_TRUE((*writer)->Append("w", &value, sizeof(value)).ok());
    ASSERT_TRUE((*writer)->Finish().ok());
  };
  write();
  const std::string first = identity();
  EXPECT_EQ(identity(), first);
  write();
  EXPECT_NE(identity(), first);
}

// Else a link of somebody's could give his job another's weights.
TEST(BaseKeyTest, WhatIsReadCountsAndNotWhatHasItsName) {
  const ScratchDirectory directory;
  for (const char* name : {"model.safetensors", "other"}) {
    const float value = 1;
    const auto writer = safetensors::Writer::Create(
        directory.PathOf(name), {{"w", safetensors::Dtype::kF32, {1}}});
    ASSERT_TRUE(writer.ok()) << writer.status();
    ASSERT_TRUE((*writer)->Append("w", &value, sizeof(value)).ok());
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  const auto opened = safetensors::WeightDirectory::Open(directory.path());
  ASSERT_TRUE(opened.ok()) << opened.status();
  const std::string path = directory.PathOf("model.safetensors");
  std::filesystem::rename(path, directory.PathOf("moved"));
  std::filesystem::create_symlink("other", path);
  const auto other = safetensors::WeightDirectory::Open(directory.path());
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_NE(IdentityOf(*opened), IdentityOf(*other));
}

}  // namespace
}  // namespace hydra
