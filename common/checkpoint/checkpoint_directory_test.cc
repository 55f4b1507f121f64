#include "common/checkpoint/checkpoint_directory.h"

#include <filesystem>
#include <string>
#include <vector>

#include "common/checkpoint/manifest_file.h"
#include "common/checkpoint/testing.h"
#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class CheckpointDirectoryTest : public testing::Test {
 protected:
  // With the one file that a listing looks for.
  std::string Make(const std::string& name) {
    const std::string path = folder_.PathOf(name);
    fs::create_directory(path);
    WriteFile(path + "/" + kManifestFile, "{}");
    return path;
  }

  std::vector<std::string> Listed() {
    const auto entries = ListCheckpoints(folder_.path());
    EXPECT_TRUE(entries.ok()) << entries.status();
    std::vector<std::string> names;
    for (const CheckpointEntry& entry : *entries) {
      names.push_back(fs::path(entry.path).filename().string());
    }
    return names;
  }

  ScratchDirectory folder_;
};

TEST_F(CheckpointDirectoryTest, NamesLeadBackToWhatTheySay) {
  EXPECT_EQ(CheckpointDirectoryName({120, false}), "checkpoint-120");
  EXPECT_EQ(CheckpointDirectoryName({0, true}), "checkpoint-0-inside");
  const auto name = ParseCheckpointDirectoryName("checkpoint-120-inside");
  ASSERT_TRUE(name.has_value());
  EXPECT_EQ(name->step, 120);
  EXPECT_TRUE(name->inside_step);
}

TEST_F(CheckpointDirectoryTest, OtherNamesAreNone) {
  for (const char* other :
       {"", "checkpoint", "checkpoint-", "checkpoint--1", "checkpoint-01",
        "checkpoint- 1", "checkpoint-+1", "checkpoint-1x", "checkpoint-inside",
        "checkpoint-1-inside-inside", "checkpoint-1.tmp-7", "Checkpoint-1",
        "checkpoint-9223372036854775808"}) {
    EXPECT_FALSE(ParseCheckpointDirectoryName(other).has_value()) << other;
  }
}

TEST_F(CheckpointDirectoryTest, WholeOnesAreListedByHowLongTheyTrained) {
  for (const char* name : {"checkpoint-10", "checkpoint-9-inside",
                           "checkpoint-9", "checkpoint-11.tmp-7", "other"}) {
    Make(name);
  }
  fs::create_directory(folder_.PathOf("checkpoint-12"));
  WriteFile(folder_.PathOf("checkpoint-13"), "a file");
  fs::create_directory_symlink("checkpoint-9", folder_.PathOf("checkpoint-14"));
  EXPECT_THAT(Listed(), ElementsAre("checkpoint-9", "checkpoint-9-inside",
                                    "checkpoint-10"));
}

TEST_F(CheckpointDirectoryTest, AMissingFolderHasNone) {
  const auto entries = ListCheckpoints(folder_.PathOf("none"));
  ASSERT_TRUE(entries.ok()) << entries.status();
  EXPECT_THAT(*entries, IsEmpty());
  EXPECT_TRUE(RemoveLeftovers(folder_.PathOf("none")).ok());
  WriteFile(folder_.PathOf("f"), "a file");
  EXPECT_FALSE(ListCheckpoints(folder_.PathOf("f")).ok());
}

TEST_F(CheckpointDirectoryTest, RemovesOneAndNothingElse) {
  Make("checkpoint-1");
  const std::string path = Make("checkpoint-2");
  EXPECT_TRUE(RemoveCheckpoint(path).ok());
  EXPECT_THAT(folder_.Names(), ElementsAre("checkpoint-1"));
  EXPECT_TRUE(absl::IsNotFound(RemoveCheckpoint(path)));
}

TEST_F(CheckpointDirectoryTest, RefusesToRemoveWhatIsNoCheckpoint) {
  const std::string path = Make("other");
  EXPECT_TRUE(absl::IsInvalidArgument(RemoveCheckpoint(path)));
  EXPECT_TRUE(absl::IsInvalidArgument(RemoveCheckpoint(path + "/..")));
  EXPECT_THAT(folder_.Names(), ElementsAre("other"));
}

TEST_F(CheckpointDirectoryTest, NothingIsListedOrRemovedBehindALink) {
  ScratchDirectory another;
  another.MakeDirectory("checkpoint-1");
  another.Write(std::string("checkpoint-1/") + kManifestFile, "{}");
  another.MakeDirectory("checkpoint-1.tmp-7");
  const std::string link = folder_.PathOf("link");
  fs::create_directory_symlink(another.path(), link);
  for (const absl::Status& status :
       {ListCheckpoints(link).status(), RemoveLeftovers(link),
        RemoveCheckpoint(link + "/checkpoint-1")}) {
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_THAT(status.message(), testing::HasSubstr(link + " is a symbolic"));
  }
  EXPECT_THAT(another.Names(),
              ElementsAre("checkpoint-1", "checkpoint-1.tmp-7"));

  fs::create_directory_symlink(another.PathOf("checkpoint-1"),
                               folder_.PathOf("checkpoint-1"));
  EXPECT_TRUE(RemoveCheckpoint(folder_.PathOf("checkpoint-1")).ok());
  EXPECT_TRUE(fs::exists(another.PathOf("checkpoint-1")));
}

TEST_F(CheckpointDirectoryTest, LeftoversGoAndTheRestStays) {
  for (const char* name :
       {"checkpoint-1", "checkpoint-1.tmp-77", "checkpoint-2-inside.tmp-7",
        "checkpoint-3.tmp-7-removed", "other.tmp-7"}) {
    Make(name);
  }
  const std::string target = Make("target");
  fs::create_directory_symlink(target, folder_.PathOf("checkpoint-4.tmp-7"));
  EXPECT_TRUE(RemoveLeftovers(folder_.path()).ok());
  EXPECT_THAT(folder_.Names(), ElementsAre("checkpoint-1", "checkpoint-4.tmp-7",
                                           "other.tmp-7", "target"));
  EXPECT_TRUE(fs::exists(target + "/" + kManifestFile));
}

}  // namespace
}  // namespace hydra
