#include "worker/exec/init_pass.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/casts.h"
#include "common/file/scratch_directory.h"
#include "common/model/frozen_type.h"
#include "common/model/gpt2_table.h"
#include "common/model/lora.h"
#include "common/model/quantized_rows.h"
#include "common/model/trained_type.h"
#include "common/safetensors/writer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using safetensors::TensorSpec;
using safetensors::Writer;
using testing::HasSubstr;

ModelTable Table(bool tied) {
  Gpt2Config config;
  config.vocab_size = 5;
  config.n_positions = 3;
  config.n_embd = 4;
  config.n_layer = 1;
  config.n_head = 2;
  config.n_inner = 16;
  config.tie_word_embeddings = tied;
  return BuildGpt2Table(config);
}

// Element i of tensor number t is 100 t + i.
void WriteCheckpoint(const std::string& directory, const ModelTable& table,
                     const std::string& prefix_to_strip,
                     const std::string& without = "",
                     const std::string& misshaped = "") {
  std::vector<TensorSpec> specs;
  std::vector<std::vector<float>> data;
  int number = 0;
  for (const ParameterBlock& block : table.parameter_blocks) {
    for (const TensorEntry& tensor : block.tensors) {
      ++number;
      if (tensor.name == without) continue;
      std::string name = tensor.name;
      if (name.rfind(prefix_to_strip, 0) == 0) {
        name = name.substr(prefix_to_strip.size());
      }
      std::vector<int64_t> shape = tensor.shape;
      if (tensor.name == misshaped) shape = {tensor.element_count, 1, 1};
      specs.push_back({name, safetensors::Dtype::kF32, shape});
      data.emplace_back(tensor.element_count);
      for (size_t i = 0; i < data.back().size(); ++i) {
        data.back()[i] = static_cast<float>(100 * number + i);
      }
    }
  }
  auto writer = Writer::Create(directory + "/model.safetensors", specs).value();
  for (size_t i = 0; i < specs.size(); ++i) {
    ASSERT_TRUE(writer
                    ->Append(specs[i].name, data[i].data(),
                             static_cast<int64_t>(data[i].size() * 4))
                    .ok());
  }
  ASSERT_TRUE(writer->Finish().ok());
}

// Runs INIT for blocks into a buffer that was full of ones.
class InitPassTest : public testing::Test {
 protected:
  absl::Status Run(const ModelTable& table, hydra::v1::Initialization init,
                   const std::vector<std::string>& read_roots = {}) {
    worker::v1::Task task;
    int64_t offset = 0;
    offsets_.clear();
    states_.clear();
    for (size_t i = 0; i < table.parameter_blocks.size(); ++i) {
      worker::v1::BlockVersion unnamed;
      const bool is_named =
          blocks_.empty() || std::count(blocks_.begin(), blocks_.end(), i) > 0;
      worker::v1::BlockVersion* version =
          is_named ? task.add_writes() : &unnamed;
      version->set_kind(worker::v1::BLOCK_KIND_PARAMETERS);
      version->set_index(static_cast<int>(i));
      version->set_offset_bytes(offset);
      version->set_size_bytes(table.parameter_blocks[i].size_bytes);
      offsets_.push_back(offset);
      offset += version->size_bytes();
      states_.push_back(offset);
      if (!table.parameter_blocks[i].has_master() || !writes_state_) continue;
      worker::v1::BlockVersion* state = task.add_writes();
      state->set_kind(worker::v1::BLOCK_KIND_OPTIMIZER_STATE);
      state->set_index(static_cast<int>(i));
      state->set_offset_bytes(offset);
      // A moment and the master.
      state->set_size_bytes(2 * table.parameter_blocks[i].gradient_bytes());
      offset += state->size_bytes();
    }
    pool_.assign(offset / kFloatBytes, 1);
    worker::v1::JobContext job;
    job.mutable_spec()->mutable_model()->set_path(directory_);
    job.mutable_spec()->mutable_model()->set_init(init);
    for (const std::string& root : read_roots) job.add_read_roots(root);
    filled_bytes_ = 0;
    const absl::StatusOr<int64_t> filled = RunInitPass(
        task, job, table,
        [this](int64_t begin, int64_t bytes) {
          return absl::MakeSpan(
              reinterpret_cast<std::byte*>(pool_.data()) + begin, bytes);
        },
        &control_);
    if (filled.ok()) filled_bytes_ = *filled;
    return filled.status();
  }

  // Of the moment, and behind it of the master.
  const float* State(int block) {
    return pool_.data() + states_[block] / kFloatBytes;
  }

  const float* Tensor(const ModelTable& table, int block, int tensor) {
    return pool_.data() +
           (offsets_[block] +
            table.parameter_blocks[block].tensors[tensor].offset_bytes) /
               kFloatBytes;
  }

  std::string directory_ = testing::TempDir();
  // Those that the task names; empty: all.
  std::vector<int> blocks_;
  std::vector<float> pool_;
  std::vector<int64_t> offsets_;
  // Where each block's state begins, if it has a master.
  std::vector<int64_t> states_;
  bool writes_state_ = true;
  int64_t filled_bytes_ = 0;
  TaskControl control_;
};

TEST_F(InitPassTest, EndsAtTheNextTensorWhenItIsStopped) {
  const ModelTable table = Table(/*tied=*/true);
  control_.Stop();
  EXPECT_EQ(Run(table, hydra::v1::INITIALIZATION_RANDOM).code(),
            absl::StatusCode::kAborted);
}

TEST_F(InitPassTest, ReadsCheckpointsWithAndWithoutTheModulesName) {
  for (const char* strip : {"", "transformer."}) {
    const ModelTable table = Table(/*tied=*/false);
    WriteCheckpoint(testing::TempDir(), table, strip);
    ASSERT_TRUE(Run(table, hydra::v1::INITIALIZATION_PRETRAINED).ok());
    EXPECT_EQ(Tensor(table, 0, 0)[3], 103);
    EXPECT_EQ(Tensor(table, 2, 1)[2], 402);
    EXPECT_EQ(filled_bytes_, table.ParameterBytes());
    // Padding follows the 12 numbers of the position table.
    EXPECT_EQ(Tensor(table, 1, 0)[11], 211);
    EXPECT_EQ(Tensor(table, 1, 0)[12], 0);
  }
}

TEST_F(InitPassTest, ATiedHeadMayBeAbsent) {
  const ModelTable table = Table(/*tied=*/true);
  WriteCheckpoint(testing::TempDir(), table, "");
  EXPECT_TRUE(Run(table, hydra::v1::INITIALIZATION_PRETRAINED).ok());
}

TEST_F(InitPassTest, LinksMayLeadToTheReadRootsAlone) {
  const ModelTable table = Table(/*tied=*/false);
  const std::filesystem::path base =
      std::filesystem::path(testing::TempDir()) / "links";
  const std::string blobs = base / "blobs";
  directory_ = base / "model";
  std::filesystem::create_directories(blobs);
  std::filesystem::create_directories(directory_);
  WriteCheckpoint(blobs, table, "");
  std::filesystem::create_symlink(blobs + "/model.safetensors",
                                  directory_ + "/model.safetensors");
  constexpr auto kPretrained = hydra::v1::INITIALIZATION_PRETRAINED;
  EXPECT_TRUE(Run(table, kPretrained, {blobs}).ok());
  EXPECT_EQ(Tensor(table, 0, 0)[3], 103);
  EXPECT_EQ(Run(table, kPretrained, {directory_}).code(),
            absl::StatusCode::kPermissionDenied);
  // A directory that was replaced by a link is judged like a file.
  std::filesystem::create_directory_symlink(blobs, base / "link");
  const std::string model = std::exchange(directory_, base / "link");
  EXPECT_EQ(Run(table, kPretrained, {model}).code(),
            absl::StatusCode::kPermissionDenied);
  directory_ = model;
  // None: anywhere.
  EXPECT_TRUE(Run(table, kPretrained, {}).ok());
}

TEST_F(InitPassTest, AMissingTensorIsNamedWithItsShape) {
  const ModelTable table = Table(/*tied=*/false);
  WriteCheckpoint(testing::TempDir(), table, "", "transformer.wpe.weight");
  const absl::Status status = Run(table, hydra::v1::INITIALIZATION_PRETRAINED);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("lack 1 of the 17 tensors that config.json asks for: "
                        "transformer.wpe.weight of shape [3, 4]"));
}

TEST_F(InitPassTest, AWrongShapeIsNamedWithBoth) {
  const ModelTable table = Table(/*tied=*/false);
  WriteCheckpoint(testing::TempDir(), table, "", "", "transformer.wpe.weight");
  const absl::Status status = Run(table, hydra::v1::INITIALIZATION_PRETRAINED);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("transformer.wpe.weight has shape [12, 1, 1], wanted "
                        "[3, 4]"));
}

TEST_F(InitPassTest, AdaptersAreDrawnWhateverTheModelBeginsWith) {
  const ModelTable base = Table(/*tied=*/true);
  LoraConfig lora;
  lora.r = 2;
  const ModelTable table = WithLora(base, lora).value();
  WriteCheckpoint(testing::TempDir(), base, "");
  ASSERT_TRUE(Run(table, hydra::v1::INITIALIZATION_PRETRAINED).ok());
  EXPECT_EQ(Tensor(table, 0, 0)[3], 103);
  const int adapters = static_cast<int>(base.parameter_blocks.size());
  const float* const a = Tensor(table, adapters, 0);
  EXPECT_NE(a[0], a[1]);
  for (int i = 0; i < 8; ++i) EXPECT_LE(std::abs(a[i]), 0.5f);
  const float* const b = Tensor(table, adapters, 1);
  for (int i = 0; i < 24; ++i) EXPECT_EQ(b[i], 0);
}

TEST_F(InitPassTest, FillsWhatTheTaskNamesAndNothingElse) {
  const ModelTable base = Table(/*tied=*/true);
  LoraConfig lora;
  lora.r = 2;
  const ModelTable table = WithLora(base, lora).value();
  // There is no checkpoint, and none is looked for.
  directory_ += "/nothing";
  blocks_ = {static_cast<int>(base.parameter_blocks.size())};
  ASSERT_TRUE(Run(table, hydra::v1::INITIALIZATION_PRETRAINED).ok());
  EXPECT_EQ(filled_bytes_, table.TrainedBytes());
  EXPECT_EQ(Tensor(table, 0, 0)[0], 1);
  EXPECT_NE(Tensor(table, blocks_.front(), 0)[0], 1);
}

uint16_t BitsAt(const float* tensor, int element) {
  uint16_t bits;
  std::memcpy(&bits, reinterpret_cast<const char*>(tensor) + 2 * element,
              sizeof(bits));
  return bits;
}

ModelTable Adapted(ElementType type) {
  return WithFrozenType(WithLora(Table(/*tied=*/true), {2, 8}).value(), type);
}

TEST_F(InitPassTest, WhatIsFrozenIsRoundedToItsType) {
  constexpr auto kPretrained = hydra::v1::INITIALIZATION_PRETRAINED;
  WriteCheckpoint(testing::TempDir(), Table(/*tied=*/true), "");
  // 301 lies between two numbers that bfloat16 has, 300 and 302: halfway goes
  // to the even one.
  const ModelTable bfloat16 = Adapted(ElementType::kBFloat16);
  ASSERT_TRUE(Run(bfloat16, kPretrained).ok());
  EXPECT_EQ(BitsAt(Tensor(bfloat16, 2, 0), 0), 0x4396);
  EXPECT_EQ(BitsAt(Tensor(bfloat16, 2, 0), 1), 0x4396);
  EXPECT_EQ(BitsAt(Tensor(bfloat16, 2, 0), 3), 0x4398);
  // Padding follows the 12 numbers of the position table.
  EXPECT_NE(BitsAt(Tensor(bfloat16, 1, 0), 11), 0);
  EXPECT_EQ(BitsAt(Tensor(bfloat16, 1, 0), 12), 0);
  EXPECT_EQ(filled_bytes_, bfloat16.ParameterBytes());

  const ModelTable float16 = Adapted(ElementType::kFloat16);
  ASSERT_TRUE(Run(float16, kPretrained).ok());
  EXPECT_EQ(BitsAt(Tensor(float16, 2, 0), 1), 0x5cb4);
}

TEST_F(InitPassTest, WhatHasItsTypeAlreadyIsTakenAsItIs) {
  const ModelTable table = Adapted(ElementType::kBFloat16);
  std::vector<TensorSpec> specs;
  for (const ParameterBlock& block : table.parameter_blocks) {
    for (const TensorEntry& tensor : block.tensors) {
      if (!block.frozen) continue;
      specs.push_back({tensor.name, safetensors::Dtype::kBF16, tensor.shape});
    }
  }
  auto writer =
      Writer::Create(directory_ + "/model.safetensors", specs).value();
  uint16_t bits = 0;
  for (const TensorSpec& spec : specs) {
    std::vector<uint16_t> data;
    int64_t count = 1;
    for (int64_t size : spec.shape) count *= size;
    // The smallest numbers, a NaN with something in it, and others.
    for (int64_t i = 0; i < count; ++i) data.push_back(bits += 0x7f);
    data.front() = 0x7fc1;
    ASSERT_TRUE(writer->Append(spec.name, data.data(), 2 * count).ok());
  }
  ASSERT_TRUE(writer->Finish().ok());
  ASSERT_TRUE(Run(table, hydra::v1::INITIALIZATION_PRETRAINED).ok());
  EXPECT_EQ(BitsAt(Tensor(table, 0, 0), 0), 0x7fc1);
  for (int i = 1; i < 20; ++i) {
    EXPECT_EQ(BitsAt(Tensor(table, 0, 0), i), 0x7f * (i + 1)) << i;
  }
}

TEST_F(InitPassTest, AValueThatFloat16HasNotIsNamed) {
  const ModelTable base = Table(/*tied=*/true);
  WriteCheckpoint(testing::TempDir(), base, "");
  const std::string file = directory_ + "/model.safetensors";
  std::string bytes = ReadFile(file);
  const float large = 7e4f;
  std::memcpy(&bytes[bytes.size() - sizeof(large)], &large, sizeof(large));
  WriteFile(file, bytes);
  EXPECT_TRUE(
      Run(Adapted(ElementType::kBFloat16), hydra::v1::INITIALIZATION_PRETRAINED)
          .ok());
  const absl::Status status =
      Run(Adapted(ElementType::kFloat16), hydra::v1::INITIALIZATION_PRETRAINED);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("has a value of 70000, and float16 ends at 65504"));
}

TEST_F(InitPassTest, RandomTensorsAreRoundedToo) {
  const ModelTable wide = Adapted(ElementType::kFloat32);
  ASSERT_TRUE(Run(wide, hydra::v1::INITIALIZATION_RANDOM).ok());
  const std::vector<float> drawn(Tensor(wide, 0, 0), Tensor(wide, 0, 0) + 20);
  const ModelTable half = Adapted(ElementType::kBFloat16);
  ASSERT_TRUE(Run(half, hydra::v1::INITIALIZATION_RANDOM).ok());
  for (int i = 0; i < 20; ++i) {
    const uint32_t widened = uint32_t{BitsAt(Tensor(half, 0, 0), i)} << 16;
    EXPECT_NEAR(absl::bit_cast<float>(widened) / drawn[i], 1, 1.0 / 256) << i;
  }
}

// The block's tensors, one after another, as what they stand for.
std::vector<float> Dequantized(const ParameterBlock& block,
                               const float* begin) {
  std::vector<float> numbers;
  for (const TensorEntry& tensor : block.tensors) {
    std::vector<float> part(tensor.element_count);
    const auto* const bytes =
        reinterpret_cast<const std::byte*>(begin) + tensor.offset_bytes;
    if (StoredType(block.type, tensor) == ElementType::kInt8) {
      DequantizeRows(bytes, tensor.shape[1], absl::MakeSpan(part));
    } else {
      std::memcpy(part.data(), bytes, part.size() * sizeof(float));
    }
    numbers.insert(numbers.end(), part.begin(), part.end());
  }
  return numbers;
}

TEST_F(InitPassTest, MatricesOfInt8AreQuantizedRowByRow) {
  const ModelTable base = Table(/*tied=*/false);
  WriteCheckpoint(testing::TempDir(), base, "");
  const ModelTable table =
      WithFrozenType(WithLora(base, {2, 8}).value(), ElementType::kInt8);
  ASSERT_TRUE(Run(table, hydra::v1::INITIALIZATION_PRETRAINED).ok());
  EXPECT_EQ(filled_bytes_, table.ParameterBytes());
  int number = 0;
  for (size_t i = 0; i < base.parameter_blocks.size(); ++i) {
    const std::vector<float> found =
        Dequantized(table.parameter_blocks[i], pool_.data() + offsets_[i] / 4);
    size_t next = 0;
    for (const TensorEntry& tensor : base.parameter_blocks[i].tensors) {
      SCOPED_TRACE(tensor.name);
      ++number;
      const bool is_matrix = tensor.shape.size() == 2;
      const int64_t width = is_matrix ? tensor.shape[1] : 1;
      for (int64_t element = 0; element < tensor.element_count; ++element) {
        const auto written = static_cast<float>(100 * number + element);
        // They grow: the last one of a row is its largest.
        const float scale =
            static_cast<float>(100 * number + element / width * width + width -
                               1) /
            127;
        const float expected =
            is_matrix ? std::nearbyint(written / scale) * scale : written;
        ASSERT_EQ(found[next++], expected) << element;
      }
    }
  }
}

TEST_F(InitPassTest, DrawnMatricesAreQuantizedToo) {
  const ModelTable wide = Adapted(ElementType::kFloat32);
  ASSERT_TRUE(Run(wide, hydra::v1::INITIALIZATION_RANDOM).ok());
  const std::vector<float> drawn(Tensor(wide, 0, 0), Tensor(wide, 0, 0) + 20);
  const ModelTable table = Adapted(ElementType::kInt8);
  ASSERT_TRUE(Run(table, hydra::v1::INITIALIZATION_RANDOM).ok());
  const std::vector<float> found =
      Dequantized(table.parameter_blocks[0], pool_.data());
  ASSERT_EQ(found.size(), drawn.size());
  for (int i = 0; i < 20; ++i) {
    const auto row = drawn.begin() + i / 4 * 4;
    float largest = 0;
    for (int j = 0; j < 4; ++j) largest = std::max(largest, std::abs(row[j]));
    EXPECT_EQ(found[i],
              std::nearbyint(drawn[i] / (largest / 127)) * (largest / 127))
        << i;
  }
}

TEST_F(InitPassTest, AValueForWhichInt8HasNoScaleIsNamed) {
  WriteCheckpoint(testing::TempDir(), Table(/*tied=*/true), "");
  const std::string file = directory_ + "/model.safetensors";
  std::string bytes = ReadFile(file);
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), sizeof(header_bytes));
  const float infinity = HUGE_VALF;
  // Of the first tensor, which has rows of four.
  std::memcpy(&bytes[8 + header_bytes + 5 * sizeof(float)], &infinity,
              sizeof(infinity));
  WriteFile(file, bytes);
  EXPECT_TRUE(
      Run(Adapted(ElementType::kFloat32), hydra::v1::INITIALIZATION_PRETRAINED)
          .ok());
  const absl::Status status =
      Run(Adapted(ElementType::kInt8), hydra::v1::INITIALIZATION_PRETRAINED);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "tensor transformer.wte.weight has in row 1 a value of inf, for "
            "which int8 has no scale");
}

ModelTable WithMasters(bool tied) {
  return WithTrainedType(Table(tied), ElementType::kBFloat16);
}

TEST_F(InitPassTest, MastersHaveTheCheckpointsNumbersAndParametersAreRounded) {
  WriteCheckpoint(testing::TempDir(), Table(/*tied=*/true), "");
  const ModelTable table = WithMasters(/*tied=*/true);
  ASSERT_TRUE(Run(table, hydra::v1::INITIALIZATION_PRETRAINED).ok());
  // 301 lies between two numbers that bfloat16 has, 300 and 302: halfway goes
  // to the even one.
  EXPECT_EQ(BitsAt(Tensor(table, 2, 0), 0), 0x4396);
  EXPECT_EQ(BitsAt(Tensor(table, 2, 0), 1), 0x4396);
  EXPECT_EQ(BitsAt(Tensor(table, 2, 0), 3), 0x4398);
  int64_t state_bytes = 0;
  for (size_t i = 0; i < table.parameter_blocks.size(); ++i) {
    const ParameterBlock& block = table.parameter_blocks[i];
    const int64_t count = block.element_count();
    const float* const moment = State(static_cast<int>(i));
    const float* const master = moment + count;
    std::vector<float> expected(count);
    for (const TensorEntry& tensor : block.tensors) {
      const int number = static_cast<int>(&tensor - block.tensors.data());
      const int before = static_cast<int>(i == 0   ? 0
                                          : i == 1 ? 1
                                          : i == 2 ? 2
                                                   : 14);
      for (int64_t j = 0; j < tensor.element_count; ++j) {
        expected[block.FirstElement(tensor) + j] =
            static_cast<float>(100 * (before + number + 1) + j);
      }
    }
    for (int64_t j = 0; j < count; ++j) {
      ASSERT_EQ(moment[j], 0) << i << " " << j;
      ASSERT_EQ(master[j], expected[j]) << i << " " << j;
    }
    state_bytes += 2 * block.gradient_bytes();
  }
  EXPECT_EQ(filled_bytes_, table.ParameterBytes() + state_bytes);
}

TEST_F(InitPassTest, DrawnMastersAreThoseOfAModelWithoutThem) {
  const ModelTable wide = Table(/*tied=*/false);
  ASSERT_TRUE(Run(wide, hydra::v1::INITIALIZATION_RANDOM).ok());
  const std::vector<float> drawn(Tensor(wide, 0, 0), Tensor(wide, 0, 0) + 20);
  const ModelTable table = WithMasters(/*tied=*/false);
  ASSERT_TRUE(Run(table, hydra::v1::INITIALIZATION_RANDOM).ok());
  const float* const master =
      State(0) + table.parameter_blocks[0].element_count();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(master[i], drawn[i]) << i;
    const uint32_t widened = uint32_t{BitsAt(Tensor(table, 0, 0), i)} << 16;
    EXPECT_NEAR(absl::bit_cast<float>(widened) / drawn[i], 1, 1.0 / 256) << i;
  }
}

TEST_F(InitPassTest, ATaskWithoutRoomForMastersIsRefused) {
  writes_state_ = false;
  const absl::Status status =
      Run(WithMasters(/*tied=*/true), hydra::v1::INITIALIZATION_RANDOM);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("bytes of masters"));
}

TEST_F(InitPassTest, RandomTensorsFollowTheirInit) {
  const ModelTable table = Table(/*tied=*/true);
  ASSERT_TRUE(Run(table, hydra::v1::INITIALIZATION_RANDOM).ok());
  EXPECT_NE(Tensor(table, 0, 0)[0], 0);
  EXPECT_LT(std::abs(Tensor(table, 0, 0)[0]), 0.2);
  EXPECT_EQ(Tensor(table, 2, 0)[0], 1);
  EXPECT_EQ(Tensor(table, 2, 1)[0], 0);
  const std::vector<float> first = pool_;
  ASSERT_TRUE(Run(table, hydra::v1::INITIALIZATION_RANDOM).ok());
  EXPECT_EQ(pool_, first);
}

}  // namespace
}  // namespace hydra
