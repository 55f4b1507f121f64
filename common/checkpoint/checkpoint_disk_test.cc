// What reaches the disk in which order, and each call for it failing.

#include <cerrno>

#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/checkpoint_writer.h"
#include "common/checkpoint/disk_calls.h"
#include "common/checkpoint/testing.h"
#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::IsEmpty;

class CheckpointDiskTest : public testing::Test {
 protected:
  CheckpointDiskTest() { EXPECT_TRUE(Write(first_).ok()); }

  // Lets call number k of writing `second` fail; false if there are not so
  // many.
  bool WriteWithFailure(int k, int error, const TestCheckpoint& second) {
    absl::Status status;
    std::string failed;
    {
      const DiskCalls calls(k, error);
      status = Write(second);
      failed = calls.failed();
    }
    // Only to remove what was replaced is not worth an error.
    EXPECT_EQ(status.ok(),
              failed.empty() || (status.ok() && failed == "openat"))
        << failed;
    if (!status.ok()) {
      EXPECT_THAT(status.code(), AnyOf(absl::StatusCode::kUnavailable,
                                       absl::StatusCode::kResourceExhausted))
          << status;
    }
    EXPECT_TRUE(VerifyCheckpoint(first_.contents.directory).ok()) << status;
    const auto entries = ListCheckpoints(folder_.path());
    EXPECT_TRUE(entries.ok()) << entries.status();
    for (const CheckpointEntry& entry : *entries) {
      EXPECT_TRUE(VerifyCheckpoint(entry.path).ok()) << entry.path;
    }
    EXPECT_TRUE(RemoveLeftovers(folder_.path()).ok());
    return !failed.empty();
  }

  ScratchDirectory folder_;
  const TestCheckpoint first_{folder_.PathOf("checkpoint-1"), 1};
};

TEST_F(CheckpointDiskTest, NothingTakesItsNameBeforeItIsOnTheDisk) {
  for (const char* name :
       {"checkpoint-1", "checkpoint-2", "new/folders/checkpoint-3"}) {
    const TestCheckpoint second(folder_.PathOf(name), 2);
    const DiskCalls calls;
    ASSERT_TRUE(Write(second).ok());
    EXPECT_THAT(calls.renamed_too_early(), IsEmpty()) << name;
    EXPECT_THAT(calls.not_on_disk(), IsEmpty()) << name;
  }
}

TEST_F(CheckpointDiskTest, WhicheverCallFailsTheOlderCheckpointIsWhole) {
  for (const char* name : {"checkpoint-1", "checkpoint-2"}) {
    const TestCheckpoint second(folder_.PathOf(name), 2);
    for (const int error : {EIO, ENOSPC}) {
      int k = 0;
      while (WriteWithFailure(k, error, second)) ++k;
      EXPECT_GT(k, 20) << name;
      ExpectOnDisk(second);
    }
  }
}

TEST_F(CheckpointDiskTest, ReplacesAlsoWhereNamesCannotBeExchanged) {
  const TestCheckpoint second(first_.contents.directory, 2);
  {
    const DiskCalls calls(0, EINVAL, "renameat2");
    ASSERT_TRUE(Write(second).ok());
    EXPECT_EQ(calls.failed(), "renameat2");
    EXPECT_THAT(calls.renamed_too_early(), IsEmpty());
    EXPECT_THAT(calls.not_on_disk(), IsEmpty());
  }
  ExpectOnDisk(second);
  EXPECT_THAT(folder_.Names(), ElementsAre("checkpoint-1"));
}

TEST_F(CheckpointDiskTest, AFolderThatCannotBeSyncedKeepsWhatWasReplaced) {
  const TestCheckpoint second(first_.contents.directory, 2);
  int syncs = 0;
  while (true) {
    const DiskCalls calls(syncs, EIO, "fsync");
    if (Write(second).ok()) break;
    ++syncs;
  }
  const DiskCalls calls(syncs - 1, EIO, "fsync");
  EXPECT_TRUE(absl::IsUnavailable(Write(first_)));
  ExpectOnDisk(first_);
  EXPECT_EQ(folder_.Names().size(), 2);
}

}  // namespace
}  // namespace hydra
