#include "scheduler/storage/model_writer.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "common/checkpoint/checkpoint_writer.h"
#include "common/file/scratch_directory.h"
#include "common/hash/sha256.h"
#include "common/model/frozen_type.h"
#include "common/model/lora.h"
#include "common/model/model_table.h"
#include "common/model/trained_type.h"
#include "common/safetensors/reader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/storage/model_contents.h"
#include "scheduler/storage/saved_model.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::Not;
using testing::UnorderedElementsAre;

bool Always() { return true; }

class ModelWriterTest : public testing::Test {
 protected:
  absl::Status Write() {
    return WriteModel(model_.pool(), model_.save, {}, &Always);
  }

  std::vector<std::string> Written() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(model_.PathOf("out"))) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  // Adapters of 0.5 behind the others, which are all 1.
  void MergeAdapters() {
    LoraConfig lora;
    lora.r = 2;
    lora.lora_alpha = 3;
    model_.save.table = WithLora(model_.save.table, lora).value();
    const ModelTable& table = model_.save.table;
    const ParameterBlock& adapters = table.parameter_blocks.back();
    const Slot last = model_.save.blocks.back().second.slot.value();
    Version version;
    version.size_bytes = adapters.size_bytes;
    version.slot = Slot{last.offset + last.bytes, adapters.size_bytes};
    float* const numbers = reinterpret_cast<float*>(
        model_.pool().Range(version.slot->offset, adapters.size_bytes).data());
    std::fill_n(numbers, adapters.element_count(), 0.5f);
    model_.save.blocks.emplace_back(
        ParametersKey(static_cast<int>(table.parameter_blocks.size()) - 1),
        version);
    model_.save.merge_adapters = true;
  }

  // The blocks become as large as the table says, where they begin.
  void FitBlocks() {
    for (auto& [key, version] : model_.save.blocks) {
      version.size_bytes =
          model_.save.table.parameter_blocks[key.index].size_bytes;
      version.slot->bytes = version.size_bytes;
    }
  }

  std::string PathOf(const std::string& name) const {
    return model_.PathOf(name);
  }

  SavedModel model_;
};

TEST_F(ModelWriterTest, WritesAllOfAModel) {
  ASSERT_TRUE(Write().ok());
  EXPECT_THAT(Written(),
              UnorderedElementsAre("config.json", "hydra_job.json",
                                   "model.safetensors", "vocab.json"));
  const auto reader =
      safetensors::Reader::Open(model_.PathOf("out/model.safetensors"));
  ASSERT_TRUE(reader.ok()) << reader.status();
  std::vector<float> embedding(44);
  ASSERT_TRUE(reader
                  ->ReadAsFloat32("transformer.wte.weight", 0,
                                  absl::MakeSpan(embedding))
                  .ok());
  EXPECT_THAT(embedding, testing::Each(1.0f));
}

TEST_F(ModelWriterTest, TheCodeOfAnExportedChainGoesAlong) {
  model_.save.table.config_names.file = "chain.json";
  const auto give_code = [&](int layer, const char* name, const char* code) {
    LayerFile& file = model_.save.table.layers[layer].file.emplace();
    file.name = name;
    file.sha256 = HexSha256(code);
  };
  give_code(0, "same.pt", "code");
  give_code(1, "other.pt", "other code");
  give_code(2, "same.pt", "code");
  model_.folder().Write("model/same.pt", "code");
  model_.folder().Write("model/other.pt", "other code");
  ASSERT_TRUE(Write().ok());
  EXPECT_THAT(Written(), UnorderedElementsAre("chain.json", "hydra_job.json",
                                              "model.safetensors", "other.pt",
                                              "same.pt", "vocab.json"));
  EXPECT_EQ(model_.folder().Read("out/chain.json"), "{}");
  EXPECT_EQ(model_.folder().Read("out/same.pt"), "code");
}

// Without its code a chain is none.
TEST_F(ModelWriterTest, WithoutTheCodeOfAnExportedChainNothingIsWritten) {
  LayerFile& file = model_.save.table.layers[0].file.emplace();
  file.name = "layer.pt";
  file.sha256 = HexSha256("code");
  EXPECT_THAT(std::string(Write().message()),
              testing::HasSubstr(PathOf("model/layer.pt")));
  model_.folder().Write("model/layer.pt", "other code");
  EXPECT_THAT(std::string(Write().message()),
              testing::HasSubstr(HexSha256("other code")));
  EXPECT_FALSE(fs::exists(PathOf("out")));
}

TEST_F(ModelWriterTest, OfAdaptersNothingElseIsWritten) {
  LoraConfig lora;
  lora.r = 2;
  const ModelTable table = WithLora(model_.save.table, lora).value();
  const ParameterBlock& adapters = table.parameter_blocks.back();
  Version version;
  version.size_bytes = adapters.size_bytes;
  version.slot = Slot{model_.pool().data_offset(), adapters.size_bytes};
  for (ModelToWrite* model : {static_cast<ModelToWrite*>(&model_.save),
                              static_cast<ModelToWrite*>(&model_.checkpoint)}) {
    model->table = table;
    model->model_dir = PathOf("model");
    model->blocks = {
        {ParametersKey(static_cast<int>(table.parameter_blocks.size()) - 1),
         version}};
  }
  model_.folder().Write("model/generation_config.json", "{}");
  ASSERT_TRUE(Write().ok());
  EXPECT_THAT(Written(), UnorderedElementsAre("adapter_config.json",
                                              "adapter_model.safetensors",
                                              "hydra_job.json", "vocab.json"));
  EXPECT_THAT(ReadFile(PathOf("out/adapter_config.json")),
              testing::HasSubstr(PathOf("model")));
  const auto reader =
      safetensors::Reader::Open(PathOf("out/adapter_model.safetensors"));
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ(reader->table().tensors().size(), adapters.tensors.size());
  const ModelContents contents =
      ContentsOf(model_.checkpoint, model_.pool(), {});
  ASSERT_TRUE(WriteCheckpoint(contents, model_.checkpoint.manifest, [](size_t) {
                return true;
              }).ok());
  for (const std::string name :
       {"adapter_model.safetensors", "adapter_config.json", "vocab.json"}) {
    EXPECT_EQ(model_.folder().Read("out/" + name),
              model_.folder().Read("checkpoint-1/" + name));
  }
}

TEST_F(ModelWriterTest, MergedAdaptersAreAWholeModel) {
  MergeAdapters();
  const ModelTable& table = model_.save.table;
  model_.folder().Write("model/generation_config.json", "{}");
  ASSERT_TRUE(Write().ok());
  EXPECT_THAT(Written(),
              UnorderedElementsAre("config.json", "generation_config.json",
                                   "hydra_job.json", "model.safetensors",
                                   "vocab.json"));
  EXPECT_THAT(ReadFile(PathOf("out/config.json")),
              testing::HasSubstr("\"float32\""));
  const auto reader =
      safetensors::Reader::Open(PathOf("out/model.safetensors"));
  ASSERT_TRUE(reader.ok()) << reader.status();
  size_t tensors = 0;
  for (const ParameterBlock& block : table.parameter_blocks) {
    if (block.is_adapter) continue;
    for (const TensorEntry& tensor : block.tensors) {
      ++tensors;
      std::vector<float> read(tensor.element_count);
      ASSERT_TRUE(
          reader->ReadAsFloat32(tensor.name, 0, absl::MakeSpan(read)).ok());
      // PEFT adapts c_attn alone: 1 + 3 / 2 * (0.5 * 0.5 + 0.5 * 0.5).
      const bool is_adapted =
          tensor.name == "transformer.h.0.attn.c_attn.weight";
      EXPECT_THAT(read, testing::Each(is_adapted ? 1.75f : 1.0f))
          << tensor.name;
    }
  }
  EXPECT_EQ(reader->table().tensors().size(), tensors);
}

TEST_F(ModelWriterTest, AdaptersThatNoWeightTakesAreNotLost) {
  MergeAdapters();
  model_.save.table.parameter_blocks.back().tensors[0].name = "another";
  const absl::Status status = Write();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(status.message(),
              testing::HasSubstr("2 tensors of adapters, and the model's "
                                 "weights take 0 of them"));
}

// transformers would round the wider ones.
TEST_F(ModelWriterTest, TheConfigHasATypeThatHoldsAllWeights) {
  ModelTable& table = model_.save.table;
  table.parameter_blocks[2].frozen = true;
  table = WithTrainedType(table, ElementType::kBFloat16);
  const std::pair<ElementType, const char*> kTypes[] = {
      {ElementType::kFloat32, "\"float32\""},
      {ElementType::kFloat16, "\"float32\""},
      {ElementType::kBFloat16, "\"bfloat16\""}};
  const ModelTable described = table;
  for (const auto& [frozen, said] : kTypes) {
    table = WithFrozenType(described, frozen);
    FitBlocks();
    const absl::Status status = Write();
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_THAT(ReadFile(PathOf("out/config.json")), testing::HasSubstr(said))
        << said;
  }
}

TEST_F(ModelWriterTest, AdaptersCannotGoBeforeWhatTheyAreMergedInto) {
  LoraConfig lora;
  lora.r = 2;
  model_.save.table = WithLora(model_.save.table, lora).value();
  const int block =
      static_cast<int>(model_.save.table.parameter_blocks.size()) - 1;
  Version version;
  version.size_bytes = model_.save.table.parameter_blocks[block].size_bytes;
  version.slot = Slot{model_.pool().data_offset(), version.size_bytes};
  model_.save.blocks.insert(model_.save.blocks.begin(),
                            {ParametersKey(block), version});
  model_.save.merge_adapters = true;
  const absl::Status status = Write();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(status.message(), testing::HasSubstr("behind adapters"));
}

TEST_F(ModelWriterTest, AllOfATokenizerGoesAlong) {
  const std::string names[] = {"vocab.json",
                               "merges.txt",
                               "vocab.txt",
                               "tokenizer.json",
                               "tokenizer.model",
                               "tokenizer_config.json",
                               "special_tokens_map.json",
                               "added_tokens.json",
                               "chat_template.jinja"};
  for (const std::string& name : names) {
    model_.folder().Write("tokenizer/" + name, name + " itself");
  }
  ASSERT_TRUE(Write().ok());
  for (const std::string& name : names) {
    EXPECT_EQ(ReadFile(model_.PathOf("out/" + name)), name + " itself");
  }
}

TEST_F(ModelWriterTest, TheJobsTemplateStandsInForTheTokenizers) {
  model_.folder().Write("tokenizer/chat_template.jinja", "of the tokenizer");
  model_.save.chat_template = "of the job";
  ASSERT_TRUE(Write().ok());
  EXPECT_EQ(ReadFile(PathOf("out/chat_template.jinja")), "of the job");
}

// As of jobs that an earlier version took in.
TEST_F(ModelWriterTest, ATemplateThatWasNotKeptIsCopied) {
  model_.folder().Write("tokenizer/chat_template.jinja", "of the tokenizer");
  model_.folder().Write("mine.txt", "of the job");
  model_.save.chat_template_path = PathOf("mine.txt");
  ASSERT_TRUE(Write().ok());
  EXPECT_EQ(ReadFile(PathOf("out/chat_template.jinja")), "of the job");
}

TEST_F(ModelWriterTest, ItsFilesAreThoseOfACheckpointWithoutState) {
  ASSERT_TRUE(Write().ok());
  const ModelContents contents =
      ContentsOf(model_.checkpoint, model_.pool(), {});
  ASSERT_TRUE(WriteCheckpoint(contents, model_.checkpoint.manifest, [](size_t) {
                return true;
              }).ok());
  for (const std::string name :
       {"model.safetensors", "config.json", "vocab.json"}) {
    EXPECT_EQ(model_.folder().Read("out/" + name),
              model_.folder().Read("checkpoint-1/" + name));
  }
}

TEST_F(ModelWriterTest, CheckpointsStayAndAnOlderModelIsReplaced) {
  fs::create_directories(model_.PathOf("out/checkpoints/checkpoint-1"));
  model_.folder().Write("out/config.json", "an older one");
  model_.folder().Write("out/model.safetensors", "an older one");
  // Of a writer that was killed.
  model_.folder().MakeDirectory("out.tmp-1");
  ASSERT_TRUE(Write().ok());
  EXPECT_TRUE(fs::exists(model_.PathOf("out/checkpoints/checkpoint-1")));
  EXPECT_EQ(model_.folder().Read("out/config.json"), "{}");
  EXPECT_GT(fs::file_size(model_.PathOf("out/model.safetensors")), 100);
  EXPECT_THAT(model_.folder().Names(),
              ElementsAre("model", "out", "pool", "tokenizer"));
}

TEST_F(ModelWriterTest, ALeftoverThatCannotGoIsNotInTheWay) {
  // Deeper than what is removed.
  std::string deep = "out.tmp-1";
  for (int i = 0; i < 110; ++i) deep += "/x";
  fs::create_directories(model_.PathOf(deep));
  // Not one at all.
  model_.folder().MakeDirectory("out.tmp-mine");
  ASSERT_TRUE(Write().ok());
  EXPECT_THAT(model_.folder().Names(),
              ElementsAre("model", "out", "out.tmp-1", "out.tmp-mine", "pool",
                          "tokenizer"));
}

TEST_F(ModelWriterTest, HasTheModesOfItsFolder) {
  fs::create_directory(model_.PathOf("group"));
  fs::permissions(model_.PathOf("group"), fs::perms(0750));
  model_.save.directory = model_.PathOf("group/new/out");
  ASSERT_TRUE(Write().ok());
  for (const auto& entry :
       fs::recursive_directory_iterator(model_.PathOf("group"))) {
    EXPECT_EQ(entry.status().permissions(),
              fs::perms(entry.is_directory() ? 0750 : 0640))
        << entry.path();
  }
}

TEST_F(ModelWriterTest, AnothersModelBehindALinkStays) {
  fs::create_directories(model_.PathOf("another"));
  model_.folder().Write("another/model.safetensors", "another's");
  fs::create_directory_symlink(model_.PathOf("another"), model_.PathOf("out"));
  const absl::Status status = Write();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(status.message(),
              testing::HasSubstr(model_.PathOf("out") + " is a symbolic link"));
  EXPECT_EQ(model_.folder().Read("another/model.safetensors"), "another's");
  EXPECT_THAT(model_.folder().Names(),
              ElementsAre("another", "model", "out", "pool", "tokenizer"));
}

TEST_F(ModelWriterTest, ATokenizerOutsideOfTheReadRootsIsNotCopied) {
  ScratchDirectory secret;
  fs::remove(model_.PathOf("tokenizer/vocab.json"));
  fs::create_symlink(secret.Write("f", "secret"),
                     model_.PathOf("tokenizer/vocab.json"));
  model_.folder().Write("tokenizer/merges.txt", "m");
  ASSERT_TRUE(
      WriteModel(model_.pool(), model_.save, {model_.folder().path()}, &Always)
          .ok());
  EXPECT_THAT(Written(), Not(testing::Contains("vocab.json")));
  EXPECT_THAT(Written(), testing::Contains("merges.txt"));
}

TEST_F(ModelWriterTest, TheGenerationConfigGoesAlongIfItIsJson) {
  const std::string config = "{\n  \"eos_token_id\": 0\n}\n";
  model_.folder().Write("model/generation_config.json", config);
  // Not of the tokenizer's folder.
  model_.folder().Write("tokenizer/generation_config.json", "{}");
  ASSERT_TRUE(Write().ok());
  EXPECT_EQ(model_.folder().Read("out/generation_config.json"), config);
  fs::remove_all(model_.PathOf("out"));
  model_.folder().Write("model/generation_config.json", "{");
  ASSERT_TRUE(Write().ok());
  EXPECT_THAT(Written(), Not(testing::Contains("generation_config.json")));
  ScratchDirectory secret;
  fs::remove(model_.PathOf("model/generation_config.json"));
  fs::create_symlink(secret.Write("f", "{}"),
                     model_.PathOf("model/generation_config.json"));
  fs::remove_all(model_.PathOf("out"));
  ASSERT_TRUE(
      WriteModel(model_.pool(), model_.save, {model_.folder().path()}, &Always)
          .ok());
  EXPECT_THAT(Written(), Not(testing::Contains("generation_config.json")));
}

TEST_F(ModelWriterTest, WhatStandsInTheWayIsNotWorthAnotherTry) {
  model_.folder().Write("out", "a file");
  const absl::Status status = Write();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
}

TEST_F(ModelWriterTest, BreaksOffBetweenBlocksAndLeavesNothing) {
  int asked = 0;
  const absl::Status status = WriteModel(model_.pool(), model_.save, {},
                                         [&asked] { return ++asked < 3; });
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(asked, 3);
  EXPECT_THAT(model_.folder().Names(),
              ElementsAre("model", "pool", "tokenizer"));
}

TEST_F(ModelWriterTest, StopReportsWhatWaitsAndLeavesTheObjectAlive) {
  // Far more than can be written before Stop() begins.
  constexpr int kRequests = 300;
  std::vector<absl::StatusCode> done;
  absl::Notification first_done;
  ModelWriter writer(
      &model_.pool(), {}, [](JobId, hydra::v1::JobDetail&) {},
      [&](JobId, const absl::Status& status) {
        done.push_back(status.code());
        if (done.size() == 1) first_done.Notify();
      });
  for (int i = 0; i < kRequests; ++i) writer.Write(model_.save);
  first_done.WaitForNotification();
  writer.Stop();
  EXPECT_EQ(done.size(), kRequests);
  EXPECT_EQ(done.front(), absl::StatusCode::kOk);
  EXPECT_EQ(done.back(), absl::StatusCode::kUnavailable);
  writer.Write(model_.save);
  writer.Stop();
  EXPECT_EQ(done.size(), kRequests);
}

}  // namespace
}  // namespace hydra
