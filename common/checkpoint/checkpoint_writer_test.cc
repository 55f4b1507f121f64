#include "common/checkpoint/checkpoint_writer.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/testing.h"
#include "common/file/scratch_directory.h"
#include "common/safetensors/reader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CheckpointWriterTest : public testing::Test {
 protected:
  std::vector<std::string> NamesInside() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path_)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  template <typename Condition>
  void RemoveBlocks(Condition condition) {
    auto& blocks = checkpoint_.contents.blocks;
    blocks.erase(std::remove_if(blocks.begin(), blocks.end(), condition),
                 blocks.end());
  }

  static bool IsState(const CheckpointBlock& block) {
    return block.key.kind == worker::v1::BLOCK_KIND_OPTIMIZER_STATE;
  }

  static bool IsBoundary(const CheckpointBlock& block) {
    return block.key.kind != worker::v1::BLOCK_KIND_PARAMETERS &&
           !IsState(block);
  }

  ScratchDirectory folder_;
  const std::string path_ = folder_.PathOf("checkpoint-120");
  TestCheckpoint checkpoint_{path_, /*seed=*/1};
};

TEST_F(CheckpointWriterTest, EveryBlockComesBackBitForBit) {
  ASSERT_TRUE(Write(checkpoint_).ok());
  ExpectOnDisk(checkpoint_);
  EXPECT_THAT(folder_.Names(), ElementsAre("checkpoint-120"));
  EXPECT_THAT(NamesInside(),
              ElementsAre("boundaries.safetensors", "config.json",
                          "hydra_checkpoint.json", "hydra_checkpoint.json.xxh3",
                          "model.safetensors", "optimizer.safetensors"));
}

TEST_F(CheckpointWriterTest, TheModelHasThePublishedNamesAndATiedHeadOnce) {
  ASSERT_TRUE(Write(checkpoint_).ok());
  const auto model = safetensors::Reader::Open(path_ + "/model.safetensors");
  ASSERT_TRUE(model.ok()) << model.status();
  size_t tensors = 0;
  for (const auto& block : checkpoint_.contents.table.parameter_blocks) {
    for (const TensorEntry& tensor : block.tensors) {
      const auto* found = model->table().Find(tensor.name);
      ASSERT_NE(found, nullptr) << tensor.name;
      EXPECT_EQ(found->shape, tensor.shape);
      ++tensors;
    }
  }
  EXPECT_EQ(model->table().tensors().size(), tensors);
  EXPECT_EQ(model->table().Find("lm_head.weight"), nullptr);
  EXPECT_EQ(ReadFile(path_ + "/config.json"), checkpoint_.contents.config_json);
}

TEST_F(CheckpointWriterTest, SaysOfEachBlockInOrderThatItIsWritten) {
  std::vector<size_t> written;
  const auto bytes = WriteCheckpoint(checkpoint_.contents, checkpoint_.manifest,
                                     [&](size_t i) {
                                       written.push_back(i);
                                       return true;
                                     });
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  ASSERT_EQ(written.size(), checkpoint_.contents.blocks.size());
  for (size_t i = 0; i < written.size(); ++i) EXPECT_EQ(written[i], i);
  int64_t on_disk = 0;
  for (const auto& entry : fs::directory_iterator(path_)) {
    on_disk += static_cast<int64_t>(entry.file_size());
  }
  EXPECT_EQ(*bytes, on_disk);
}

TEST_F(CheckpointWriterTest, ABlockMayChangeOnceItIsWritten) {
  TestCheckpoint changing(path_, /*seed=*/1);
  auto& blocks = changing.contents.blocks;
  const auto status =
      WriteCheckpoint(changing.contents, changing.manifest, [&](size_t i) {
        std::byte* bytes = const_cast<std::byte*>(blocks[i].bytes);
        std::fill(bytes, bytes + blocks[i].size_bytes, std::byte{0x55});
        return true;
      });
  ASSERT_TRUE(status.ok()) << status.status();
  ExpectOnDisk(checkpoint_);
}

TEST_F(CheckpointWriterTest, BlocksComeInAnyOrder) {
  std::reverse(checkpoint_.contents.blocks.begin(),
               checkpoint_.contents.blocks.end());
  ASSERT_TRUE(Write(checkpoint_).ok());
  ExpectOnDisk(checkpoint_);
}

TEST_F(CheckpointWriterTest, StopsWhenItIsToldTo) {
  size_t calls = 0;
  const auto status =
      WriteCheckpoint(checkpoint_.contents, checkpoint_.manifest,
                      [&](size_t) { return ++calls < 3; });
  EXPECT_TRUE(absl::IsCancelled(status.status()));
  EXPECT_EQ(calls, 3);
  EXPECT_THAT(folder_.Names(), IsEmpty());
}

TEST_F(CheckpointWriterTest, ZeroStateTakesNoPlace) {
  for (CheckpointBlock& block : checkpoint_.contents.blocks) {
    if (IsState(block)) block.bytes = nullptr;
  }
  ASSERT_TRUE(Write(checkpoint_).ok());
  EXPECT_THAT(NamesInside(), Not(Contains("optimizer.safetensors")));
  const auto reader = CheckpointReader::Open(path_);
  ASSERT_TRUE(reader.ok()) << reader.status();
  std::vector<std::byte> state(
      2 * checkpoint_.contents.table.parameter_blocks[1].size_bytes,
      std::byte{0xee});
  ASSERT_TRUE(reader
                  ->ReadBlock(StateKey(1), checkpoint_.contents.table,
                              absl::MakeSpan(state))
                  .ok());
  EXPECT_EQ(state, std::vector<std::byte>(state.size()));
}

TEST_F(CheckpointWriterTest, BetweenStepsThereAreNoBoundaries) {
  RemoveBlocks(&IsBoundary);
  ASSERT_TRUE(Write(checkpoint_).ok());
  EXPECT_THAT(NamesInside(), Not(Contains("boundaries.safetensors")));
  ExpectOnDisk(checkpoint_);
}

TEST_F(CheckpointWriterTest, PlainSgdHasNoState) {
  RemoveBlocks(&IsState);
  checkpoint_.manifest.mutable_spec()->mutable_train()->set_optim(
      hydra::v1::OPTIMIZER_SGD);
  ASSERT_TRUE(Write(checkpoint_).ok());
  EXPECT_THAT(NamesInside(), Not(Contains("optimizer.safetensors")));
  ExpectOnDisk(checkpoint_);
}

TEST_F(CheckpointWriterTest, FilesAreCopiedWhereTheyExist) {
  WriteFile(folder_.PathOf("merges.txt"), "merges");
  checkpoint_.CopyFrom(folder_.path(), "merges.txt");
  checkpoint_.contents.copied_files.push_back(
      {"vocab.json", folder_.PathOf("vocab.json")});
  ASSERT_TRUE(Write(checkpoint_).ok());
  EXPECT_EQ(ReadFile(path_ + "/merges.txt"), "merges");
  EXPECT_FALSE(fs::exists(path_ + "/vocab.json"));
  EXPECT_TRUE(VerifyCheckpoint(path_).ok());
}

TEST_F(CheckpointWriterTest, AnOlderOneIsReplacedWhole) {
  TestCheckpoint older(path_, /*seed=*/2);
  WriteFile(folder_.PathOf("source"), "x");
  older.CopyFrom(folder_.path(), "source");
  ASSERT_TRUE(Write(older).ok());
  ExpectOnDisk(older);
  ASSERT_TRUE(Write(checkpoint_).ok());
  ExpectOnDisk(checkpoint_);
  EXPECT_FALSE(fs::exists(path_ + "/source"));
  EXPECT_THAT(folder_.Names(), ElementsAre("checkpoint-120", "source"));
}

// Each mistake is refused, and the older checkpoint stays.
class CheckpointWriterMistakeTest : public CheckpointWriterTest {
 protected:
  CheckpointWriterMistakeTest() {
    EXPECT_TRUE(Write(older_).ok());
    WriteFile(folder_.PathOf("source"), "x");
  }

  void ExpectRefused(absl::StatusCode code, const std::string& message) {
    const absl::Status status = Write(checkpoint_);
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(status.message(), HasSubstr(message));
    EXPECT_THAT(folder_.Names(), ElementsAre("checkpoint-120", "source"));
    ExpectOnDisk(older_);
  }

  TestCheckpoint older_{path_, /*seed=*/2};
};

TEST_F(CheckpointWriterMistakeTest, MissingParameters) {
  checkpoint_.contents.blocks.erase(checkpoint_.contents.blocks.begin());
  ExpectRefused(absl::StatusCode::kInvalidArgument, "4 parameter blocks");
}

TEST_F(CheckpointWriterMistakeTest, ParametersWithoutBytes) {
  checkpoint_.contents.blocks[0].bytes = nullptr;
  ExpectRefused(absl::StatusCode::kInvalidArgument, "BLOCK_KIND_PARAMETERS");
}

TEST_F(CheckpointWriterMistakeTest, ABlockTwice) {
  checkpoint_.contents.blocks.push_back(checkpoint_.contents.blocks[1]);
  ExpectRefused(absl::StatusCode::kInvalidArgument, "exp_avg");
}

TEST_F(CheckpointWriterMistakeTest, ABlockThatDoesNotFit) {
  checkpoint_.contents.blocks[0].size_bytes += 64;
  ExpectRefused(absl::StatusCode::kFailedPrecondition, "the model's table");
}

TEST_F(CheckpointWriterMistakeTest, ANameThatIsNoCheckpoints) {
  checkpoint_.contents.directory = folder_.PathOf("other");
  ExpectRefused(absl::StatusCode::kInvalidArgument, "/other");
}

TEST_F(CheckpointWriterMistakeTest, ACopyOutsideOfTheDirectory) {
  checkpoint_.CopyFrom(folder_.path(), "../source");
  ExpectRefused(absl::StatusCode::kInvalidArgument, "'../source'");
}

TEST_F(CheckpointWriterMistakeTest, ACopyOverAnotherFile) {
  ScratchDirectory elsewhere;
  WriteFile(elsewhere.PathOf("model.safetensors"), "x");
  checkpoint_.CopyFrom(elsewhere.path(), "model.safetensors");
  ExpectRefused(absl::StatusCode::kAlreadyExists, "model.safetensors");
}

TEST_F(CheckpointWriterMistakeTest, AManifestThatCouldNotBeRead) {
  checkpoint_.manifest.mutable_position()->set_task(-1);
  ExpectRefused(absl::StatusCode::kInvalidArgument, "position");
}

}  // namespace
}  // namespace hydra
