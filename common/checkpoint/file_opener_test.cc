#include "common/checkpoint/file_opener.h"

#include <cerrno>
#include <filesystem>

#include "common/checkpoint/testing.h"
#include "common/file/file.h"
#include "common/file/scratch_directory.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

class FileOpenerTest : public testing::Test {
 protected:
  absl::Status Open(const std::string& name) {
    const absl::StatusOr<FileOpener> opener = FileOpener::Make(folder_.path());
    if (!opener.ok()) return opener.status();
    return opener->Open(name).status();
  }

  ScratchDirectory folder_;
  ScratchDirectory elsewhere_;
};

TEST_F(FileOpenerTest, OpensWhatIsInTheDirectory) {
  WriteFile(folder_.PathOf("f"), "x");
  EXPECT_TRUE(Open("f").ok());
  std::filesystem::create_symlink("f", folder_.PathOf("link"));
  EXPECT_TRUE(Open("link").ok());
}

TEST_F(FileOpenerTest, LinksThatLeadOutAreRefused) {
  WriteFile(elsewhere_.PathOf("f"), "x");
  std::filesystem::create_symlink(elsewhere_.PathOf("f"),
                                  folder_.PathOf("link"));
  EXPECT_TRUE(absl::IsPermissionDenied(Open("link")));
}

TEST_F(FileOpenerTest, ADirectoryBehindALinkIsRefused) {
  std::filesystem::create_directory(elsewhere_.PathOf("d"));
  std::filesystem::create_directory_symlink(elsewhere_.path(),
                                            folder_.PathOf("link"));
  for (const char* path : {"link", "link/d"}) {
    EXPECT_TRUE(absl::IsFailedPrecondition(
        FileOpener::Make(folder_.PathOf(path)).status()));
  }
}

TEST_F(FileOpenerTest, MissingAndIrregularFilesAreDataLoss) {
  EXPECT_TRUE(absl::IsDataLoss(Open("none")));
  std::filesystem::create_directory(folder_.PathOf("d"));
  EXPECT_TRUE(absl::IsDataLoss(Open("d")));
}

// A checkpoint that is damaged is removed.
TEST_F(FileOpenerTest, WithoutHydraFilesNoFileIsLost) {
  EXPECT_TRUE(absl::IsDataLoss(AsDataLoss(FileError(EIO, "x"))));
  EXPECT_TRUE(absl::IsUnavailable(AsDataLoss(FileError(ENOTCONN, "x"))));
}

TEST_F(FileOpenerTest, AMissingDirectoryIsNotFound) {
  EXPECT_TRUE(
      absl::IsNotFound(FileOpener::Make(folder_.PathOf("none")).status()));
}

}  // namespace
}  // namespace hydra
