#include "common/checkpoint/checkpoint_reader.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "common/checkpoint/manifest_file.h"
#include "common/checkpoint/testing.h"
#include "common/file/scratch_directory.h"
#include "common/model/trained_type.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using worker::v1::BlockKind;

class CheckpointReaderTest : public testing::Test {
 protected:
  CheckpointReaderTest() {
    WriteFile(folder_.PathOf("merges.txt"), "a b\n");
    checkpoint_.CopyFrom(folder_.path(), "merges.txt");
    EXPECT_TRUE(Write(checkpoint_).ok());
  }

  std::vector<std::string> Files() const {
    std::vector<std::string> paths;
    for (const auto& entry : fs::directory_iterator(path_)) {
      paths.push_back(entry.path().string());
    }
    return paths;
  }

  absl::Status ReadInto(BlockKind kind, int index, int64_t size_bytes,
                        const ModelTable& table) {
    const auto reader = CheckpointReader::Open(path_);
    if (!reader.ok()) return reader.status();
    std::vector<std::byte> out(size_bytes);
    return reader->ReadBlock({kind, index, 0}, table, absl::MakeSpan(out));
  }

  ScratchDirectory folder_;
  const std::string path_ = folder_.PathOf("checkpoint-120");
  TestCheckpoint checkpoint_{path_, /*seed=*/1};
  const ModelTable& table_ = checkpoint_.contents.table;
};

TEST_F(CheckpointReaderTest, GivesTheManifest) {
  const auto reader = CheckpointReader::Open(path_);
  ASSERT_TRUE(reader.ok()) << reader.status();
  checkpoint::v1::Manifest manifest = reader->manifest();
  EXPECT_EQ(manifest.files_size(), 5);
  manifest.clear_files();
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(
      manifest, checkpoint_.manifest));
  EXPECT_TRUE(VerifyCheckpoint(path_).ok());
}

TEST_F(CheckpointReaderTest, FlippedBitsOfEveryFileAreFound) {
  for (const std::string& path : Files()) {
    const size_t bits = 8 * fs::file_size(path);
    // A prime, so that all places in a byte are met.
    for (size_t bit = 0; bit < bits; bit += 149) {
      FlipBit(path, bit);
      ASSERT_TRUE(absl::IsDataLoss(VerifyCheckpoint(path_)))
          << path << " bit " << bit;
      FlipBit(path, bit);
    }
  }
  EXPECT_TRUE(VerifyCheckpoint(path_).ok());
}

TEST_F(CheckpointReaderTest, ShortenedLengthenedAndMissingFilesAreFound) {
  for (const std::string& path : Files()) {
    const std::string whole = ReadFile(path);
    for (const size_t bytes : {whole.size() - 1, whole.size() / 2, size_t{1},
                               size_t{0}, whole.size() + 1}) {
      fs::resize_file(path, bytes);
      EXPECT_TRUE(absl::IsDataLoss(VerifyCheckpoint(path_)))
          << path << " of " << bytes << " B: " << VerifyCheckpoint(path_);
      WriteFile(path, whole);
    }
    fs::remove(path);
    EXPECT_TRUE(absl::IsDataLoss(VerifyCheckpoint(path_))) << path;
    WriteFile(path, whole);
  }
  EXPECT_TRUE(VerifyCheckpoint(path_).ok());
}

TEST_F(CheckpointReaderTest, AFileOfAnotherCheckpointIsFound) {
  TestCheckpoint other(folder_.PathOf("checkpoint-121"), /*seed=*/2);
  ASSERT_TRUE(Write(other).ok());
  for (const char* name : {"/model.safetensors", "/optimizer.safetensors",
                           "/boundaries.safetensors"}) {
    const std::string whole = ReadFile(path_ + name);
    WriteFile(path_ + name, ReadFile(other.contents.directory + name));
    EXPECT_TRUE(absl::IsDataLoss(VerifyCheckpoint(path_))) << name;
    WriteFile(path_ + name, whole);
  }
}

TEST_F(CheckpointReaderTest, ADamagedBlockIsNamedAndTheOthersAreReadable) {
  const std::string model = path_ + "/model.safetensors";
  FlipBit(model, 8 * fs::file_size(model) - 1);
  const int last = static_cast<int>(table_.parameter_blocks.size()) - 1;
  const absl::Status status =
      ReadInto(worker::v1::BLOCK_KIND_PARAMETERS, last,
               table_.parameter_blocks[last].size_bytes, table_);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr(model + ": tensor 'transformer."));
  EXPECT_TRUE(ReadInto(worker::v1::BLOCK_KIND_PARAMETERS, 0,
                       table_.parameter_blocks[0].size_bytes, table_)
                  .ok());
}

TEST_F(CheckpointReaderTest, AnotherTableDoesNotFit) {
  const ModelTable smaller = SmallTable(/*vocabulary=*/36);
  const absl::Status shape =
      ReadInto(worker::v1::BLOCK_KIND_PARAMETERS, 0,
               smaller.parameter_blocks[0].size_bytes, smaller);
  EXPECT_TRUE(absl::IsFailedPrecondition(shape)) << shape;
  EXPECT_THAT(shape.message(), HasSubstr("shape [37, 6], wanted [36, 6]"));

  const ModelTable deeper = SmallTable(/*vocabulary=*/37, /*blocks=*/3);
  const absl::Status missing =
      ReadInto(worker::v1::BLOCK_KIND_PARAMETERS, 4,
               deeper.parameter_blocks[4].size_bytes, deeper);
  EXPECT_TRUE(absl::IsFailedPrecondition(missing)) << missing;
  EXPECT_THAT(missing.message(), HasSubstr("transformer.h.2."));
}

TEST_F(CheckpointReaderTest, BlocksOfAnotherSizeOrUnknownOnesDoNotFit) {
  const int64_t bytes = table_.parameter_blocks[0].size_bytes;
  EXPECT_TRUE(absl::IsFailedPrecondition(
      ReadInto(worker::v1::BLOCK_KIND_PARAMETERS, 0, bytes + 64, table_)));
  EXPECT_TRUE(absl::IsFailedPrecondition(
      ReadInto(worker::v1::BLOCK_KIND_OPTIMIZER_STATE, 0, bytes, table_)));
  EXPECT_TRUE(absl::IsFailedPrecondition(
      ReadInto(worker::v1::BLOCK_KIND_ACTIVATION, 1, 1000, table_)));
  EXPECT_TRUE(absl::IsFailedPrecondition(
      ReadInto(worker::v1::BLOCK_KIND_ACTIVATION, 2, 996, table_)));
}

// Moments that are not there are zero; of a master that would be no model.
TEST_F(CheckpointReaderTest, MastersThatAreNotThereAreNotTakenForZero) {
  TestCheckpoint without(folder_.PathOf("checkpoint-122"), /*seed=*/3);
  without.contents.table =
      WithTrainedType(without.contents.table, ElementType::kBFloat16);
  const ModelTable& table = without.contents.table;
  without.contents.blocks.clear();
  std::vector<std::vector<std::byte>> memory;
  const auto blocks = static_cast<int>(table.parameter_blocks.size());
  for (int i = 0; i < blocks; ++i) {
    const ParameterBlock& block = table.parameter_blocks[i];
    memory.emplace_back(block.size_bytes);
    without.contents.blocks.push_back(
        {{worker::v1::BLOCK_KIND_PARAMETERS, i, 0},
         block.size_bytes,
         memory.back().data()});
    without.contents.blocks.push_back(
        {{worker::v1::BLOCK_KIND_OPTIMIZER_STATE, i, 0},
         3 * block.gradient_bytes(),
         /*bytes=*/nullptr});
  }
  ASSERT_TRUE(Write(without).ok());
  const auto reader = CheckpointReader::Open(without.contents.directory);
  ASSERT_TRUE(reader.ok()) << reader.status();
  std::vector<std::byte> state(3 * table.parameter_blocks[2].gradient_bytes());
  const absl::Status status =
      reader->ReadBlock({worker::v1::BLOCK_KIND_OPTIMIZER_STATE, 2, 0}, table,
                        absl::MakeSpan(state));
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr(".master'"));
}

TEST_F(CheckpointReaderTest, AMissingDirectoryIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(VerifyCheckpoint(folder_.PathOf("none"))));
}

TEST_F(CheckpointReaderTest, AFileThatLiesElsewhereIsRefused) {
  const std::string model = path_ + "/model.safetensors";
  fs::rename(model, folder_.PathOf("m"));
  fs::create_symlink(folder_.PathOf("m"), model);
  EXPECT_TRUE(absl::IsPermissionDenied(VerifyCheckpoint(path_)));
}

TEST_F(CheckpointReaderTest, BlocksStayReadableWhenItIsRemoved) {
  const auto reader = CheckpointReader::Open(path_);
  ASSERT_TRUE(reader.ok());
  fs::remove_all(path_);
  const CheckpointBlock& block = checkpoint_.contents.blocks[0];
  std::vector<std::byte> out(block.size_bytes);
  ASSERT_TRUE(
      reader->ReadBlock({block.key.kind, 0, 0}, table_, absl::MakeSpan(out))
          .ok());
  EXPECT_TRUE(std::equal(out.begin(), out.end(), block.bytes));
}

}  // namespace
}  // namespace hydra
