#include "common/checkpoint/testing.h"

#include <fstream>

#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/checkpoint_writer.h"
#include "common/model/gpt2_table.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using worker::v1::BlockKind;

constexpr int kMicroBatches = 2;
constexpr int64_t kBoundaryBytes = 1000;

}  // namespace

std::string WithBitFlipped(std::string bytes, size_t bit) {
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
  return bytes;
}

void FlipBit(const std::string& path, size_t bit) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(static_cast<std::streamoff>(bit / 8));
  const int byte = file.get();
  file.seekp(static_cast<std::streamoff>(bit / 8));
  file.put(static_cast<char>(byte ^ (1 << bit % 8)));
  file.close();
  EXPECT_TRUE(file.good()) << path;
}

ModelTable SmallTable(int64_t vocabulary, int64_t blocks) {
  Gpt2Config config;
  config.vocab_size = vocabulary;
  config.n_positions = 5;
  config.n_embd = 6;
  config.n_layer = blocks;
  config.n_head = 2;
  config.n_inner = 10;
  return BuildGpt2Table(config);
}

hydra::v1::TrainSpec AdamWSpec() {
  hydra::v1::TrainSpec train;
  train.set_optim(hydra::v1::OPTIMIZER_ADAMW);
  return train;
}

checkpoint::v1::Manifest SmallManifest() {
  checkpoint::v1::Manifest manifest;
  manifest.set_format(1);
  manifest.set_job_id("7");
  manifest.mutable_position()->set_phase(checkpoint::v1::Position::PHASE_TRAIN);
  manifest.mutable_position()->set_step(120);
  *manifest.mutable_spec()->mutable_train() = AdamWSpec();
  return manifest;
}

TestCheckpoint::TestCheckpoint(const std::string& directory, uint32_t seed)
    : random_(seed) {
  contents.directory = directory;
  contents.table = SmallTable();
  contents.config_json = "{\"model_type\": \"gpt2\"}";
  const auto& blocks = contents.table.parameter_blocks;
  for (int i = 0; i < static_cast<int>(blocks.size()); ++i) {
    Add(worker::v1::BLOCK_KIND_PARAMETERS, i, 0, blocks[i].size_bytes);
    DrawTensors(blocks[i], memory_.back().data());
    Add(worker::v1::BLOCK_KIND_OPTIMIZER_STATE, i, 0, 2 * blocks[i].size_bytes);
    DrawTensors(blocks[i], memory_.back().data());
    DrawTensors(blocks[i], memory_.back().data() + blocks[i].size_bytes);
  }
  for (int batch = 0; batch < kMicroBatches; ++batch) {
    for (const BlockKind kind : {worker::v1::BLOCK_KIND_ACTIVATION,
                                 worker::v1::BLOCK_KIND_ACTIVATION_GRADIENT}) {
      Add(kind, 2, batch, kBoundaryBytes);
      for (std::byte& byte : memory_.back()) {
        byte = static_cast<std::byte>(random_());
      }
    }
  }
  Add(worker::v1::BLOCK_KIND_PARAMETER_GRADIENT, 0, 0, blocks[0].size_bytes);
  DrawTensors(blocks[0], memory_.back().data());
}

void TestCheckpoint::CopyFrom(const std::string& source_directory,
                              const std::string& name) {
  contents.copied_files = {{name, source_directory + "/" + name}};
}

void TestCheckpoint::Add(BlockKind kind, int index, int micro_batch,
                         int64_t size_bytes) {
  // A block's bytes stay where they are when memory_ grows.
  memory_.emplace_back(size_bytes);
  contents.blocks.push_back(
      {{kind, index, micro_batch}, size_bytes, memory_.back().data()});
}

// Any bits: not every one of them is a number.
void TestCheckpoint::DrawTensors(const ParameterBlock& block,
                                 std::byte* bytes) {
  for (const TensorEntry& tensor : block.tensors) {
    std::byte* const begin = bytes + tensor.offset_bytes;
    std::generate(begin, begin + tensor.element_count * kFloatBytes,
                  [this] { return static_cast<std::byte>(random_()); });
  }
}

absl::Status Write(const TestCheckpoint& checkpoint) {
  return WriteCheckpoint(checkpoint.contents, checkpoint.manifest,
                         [](size_t) { return true; })
      .status();
}

void ExpectOnDisk(const TestCheckpoint& checkpoint) {
  const ModelContents& contents = checkpoint.contents;
  const auto reader = CheckpointReader::Open(contents.directory);
  ASSERT_TRUE(reader.ok()) << reader.status();
  for (const CheckpointBlock& block : contents.blocks) {
    std::vector<std::byte> read(block.size_bytes, std::byte{0xee});
    const absl::Status status =
        reader->ReadBlock(block.key, contents.table, absl::MakeSpan(read));
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_TRUE(std::equal(read.begin(), read.end(), block.bytes))
        << worker::v1::BlockKind_Name(block.key.kind) << " " << block.key.index;
  }
}

}  // namespace hydra
