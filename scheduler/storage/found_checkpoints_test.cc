#include "scheduler/storage/found_checkpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "common/checkpoint/testing.h"
#include "common/file/scratch_directory.h"
#include "scheduler/core/job.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace jv1 = hydra::journal::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FoundCheckpointsTest : public testing::Test {
 protected:
  FoundCheckpointsTest() {
    job_.submitted.set_output_dir(scratch_.PathOf("outputs"));
    job_.submitted.mutable_spec()->set_name("name");
    *job_.submitted.mutable_spec()->mutable_train() = AdamWSpec();
    job_.submitted.mutable_submitted_at()->set_seconds(1000);
    folder_ =
        CheckpointFolder(OutputPath(kJob, scratch_.PathOf("outputs"), "name"));
    fs::create_directories(folder_);
  }

  std::string PathOf(int step) const {
    return folder_ + "/checkpoint-" + std::to_string(step);
  }

  // What the job itself would write.
  checkpoint::v1::Manifest OwnManifest() const {
    checkpoint::v1::Manifest manifest = SmallManifest();
    manifest.set_job_id(JobName(kJob));
    *manifest.mutable_spec() = job_.submitted.spec();
    *manifest.mutable_submitted_at() = job_.submitted.submitted_at();
    manifest.set_nonfinite_in_a_row(2);
    return manifest;
  }

  void WriteStep(int step, const checkpoint::v1::Manifest& manifest) {
    TestCheckpoint checkpoint(PathOf(step), step);
    checkpoint.manifest = manifest;
    ASSERT_TRUE(Write(checkpoint).ok());
  }

  void Record(int step) {
    jv1::CheckpointRecord& record = job_.checkpoints.emplace_back();
    record.mutable_info()->set_path(PathOf(step));
    record.mutable_info()->set_step(step);
    record.mutable_info()->set_validation_loss(0.5);
  }

  std::vector<int64_t> FoundSteps() {
    FindCheckpoints(kJob, job_);
    std::vector<int64_t> steps;
    for (const auto& record : job_.checkpoints) {
      steps.push_back(record.info().step());
    }
    return steps;
  }

  const JobId kJob{1};
  const ScratchDirectory scratch_;
  std::string folder_;
  RecoveredJob job_;
};

TEST_F(FoundCheckpointsTest, UsesWhatIsOnTheDiskRecordedOrNot) {
  WriteStep(5, OwnManifest());
  WriteStep(9, OwnManifest());
  Record(5);
  EXPECT_THAT(FoundSteps(), ElementsAre(5, 9));
  EXPECT_EQ(job_.checkpoints_missing, "");
  EXPECT_EQ(job_.missing_checkpoints, 0);
  EXPECT_EQ(job_.checkpoints[0].info().validation_loss(), 0.5);
  EXPECT_GT(job_.checkpoints[1].info().bytes(), 0);
  EXPECT_EQ(job_.checkpoints[1].nonfinite_in_a_row(), 2);
}

TEST_F(FoundCheckpointsTest, KeepsTheRecordOfANewerOneThatIsNotThere) {
  WriteStep(5, OwnManifest());
  Record(5);
  Record(9);
  EXPECT_THAT(FoundSteps(), ElementsAre(5, 9));
  EXPECT_EQ(job_.missing_checkpoints, 1);
  EXPECT_THAT(job_.checkpoints_missing, HasSubstr(PathOf(9)));
}

TEST_F(FoundCheckpointsTest, KeepsAllRecordsIfTheDiskIsNotMounted) {
  fs::remove_all(scratch_.PathOf("outputs"));
  Record(5);
  Record(9);
  EXPECT_THAT(FoundSteps(), ElementsAre(5, 9));
  EXPECT_EQ(job_.missing_checkpoints, 2);
  EXPECT_THAT(job_.checkpoints_missing, HasSubstr("is not there"));
}

TEST_F(FoundCheckpointsTest, SaysWhyTheFolderCannotBeRead) {
  fs::remove_all(folder_);
  WriteFile(folder_, "no directory");
  Record(5);
  EXPECT_THAT(FoundSteps(), ElementsAre(5));
  EXPECT_THAT(job_.checkpoints_missing, HasSubstr(folder_));
  EXPECT_THAT(job_.checkpoints_missing, HasSubstr("irectory"));
}

TEST_F(FoundCheckpointsTest, UsesAndRemovesNothingBehindALink) {
  WriteStep(5, OwnManifest());
  fs::create_directory(folder_ + "/checkpoint-6.tmp-1");
  fs::rename(scratch_.PathOf("outputs"), scratch_.PathOf("another"));
  fs::create_directory_symlink("another", scratch_.PathOf("outputs"));
  EXPECT_THAT(FoundSteps(), ElementsAre());
  EXPECT_THAT(job_.checkpoints_missing,
              HasSubstr(scratch_.PathOf("outputs") + " is a symbolic link"));
  EXPECT_TRUE(fs::exists(folder_ + "/checkpoint-6.tmp-1"));
}

TEST_F(FoundCheckpointsTest, SaysWhyACheckpointCannotBeRead) {
  WriteStep(5, OwnManifest());
  WriteStep(9, OwnManifest());
  // A link that leads out is refused as a file that may not be read is, also
  // to root.
  const std::string elsewhere = scratch_.PathOf("elsewhere");
  fs::rename(PathOf(9) + "/model.safetensors", elsewhere);
  fs::create_symlink(elsewhere, PathOf(9) + "/model.safetensors");
  EXPECT_THAT(FoundSteps(), ElementsAre(5));
  EXPECT_THAT(job_.checkpoints_missing, HasSubstr("model.safetensors"));
}

TEST_F(FoundCheckpointsTest, AnOlderOneThatIsGoneIsNotMissed) {
  WriteStep(9, OwnManifest());
  Record(5);
  Record(9);
  EXPECT_THAT(FoundSteps(), ElementsAre(9));
  EXPECT_EQ(job_.checkpoints_missing, "");
}

TEST_F(FoundCheckpointsTest, PassesOverOneThatIsDamaged) {
  WriteStep(5, OwnManifest());
  WriteStep(9, OwnManifest());
  Record(5);
  Record(9);
  FlipBit(PathOf(9) + "/hydra_checkpoint.json", 40);
  EXPECT_THAT(FoundSteps(), ElementsAre(5));
  EXPECT_EQ(job_.checkpoints_missing, "");
  EXPECT_EQ(job_.missing_checkpoints, 0);
}

TEST_F(FoundCheckpointsTest, PassesOverThoseOfOtherJobs) {
  WriteStep(5, OwnManifest());
  checkpoint::v1::Manifest other = OwnManifest();
  other.set_job_id("j2");
  WriteStep(6, other);
  other = OwnManifest();
  other.mutable_submitted_at()->set_seconds(999);
  WriteStep(7, other);
  other = OwnManifest();
  other.clear_submitted_at();
  other.mutable_spec()->mutable_train()->set_seed(1234);
  WriteStep(8, other);
  EXPECT_THAT(FoundSteps(), ElementsAre(5));
  EXPECT_EQ(job_.checkpoints_missing, "");
}

TEST_F(FoundCheckpointsTest, UsesThoseOfAnEarlierVersion) {
  checkpoint::v1::Manifest earlier = OwnManifest();
  earlier.clear_submitted_at();
  WriteStep(5, earlier);
  EXPECT_THAT(FoundSteps(), ElementsAre(5));
}

TEST_F(FoundCheckpointsTest, AJobWithoutCheckpointsMissesNone) {
  fs::remove_all(scratch_.PathOf("outputs"));
  EXPECT_THAT(FoundSteps(), ElementsAre());
  EXPECT_EQ(job_.checkpoints_missing, "");
}

}  // namespace
}  // namespace hydra
