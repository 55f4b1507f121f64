#include "client/commands/file_receiver.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;

v1::DownloadResponse Piece(const std::string& name, int64_t bytes,
                           const std::string& data) {
  v1::DownloadResponse piece;
  piece.set_file_name(name);
  piece.set_file_bytes(bytes);
  piece.set_data(data);
  return piece;
}

class FileReceiverTest : public ::testing::Test {
 protected:
  HeldDirectory Held() const {
    return *HeldDirectory::OpenFollowingLinks(directory_.path());
  }

  std::string Read(const std::string& name) {
    std::ifstream file(directory_.path() + "/" + name);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  int CountFiles() {
    return std::distance(fs::directory_iterator(directory_.path()), {});
  }

  ScratchDirectory directory_;
  FileReceiver receiver_{Held(), /*overwrite=*/false};
};

TEST_F(FileReceiverTest, WritesFilesFromPieces) {
  ASSERT_TRUE(receiver_.Receive(Piece("a", 5, "abc")).ok());
  ASSERT_TRUE(receiver_.Receive(Piece("", 0, "de")).ok());
  ASSERT_TRUE(receiver_.Receive(Piece("empty", 0, "")).ok());
  ASSERT_TRUE(receiver_.Receive(Piece("b", 1, "x")).ok());
  ASSERT_TRUE(receiver_.Finish().ok());
  EXPECT_THAT(receiver_.files(), ElementsAre("a", "empty", "b"));
  EXPECT_EQ(Read("a"), "abcde");
  EXPECT_EQ(Read("empty"), "");
  EXPECT_EQ(Read("b"), "x");
  EXPECT_EQ(CountFiles(), 3);
}

TEST_F(FileReceiverTest, AnUnfinishedFileLeavesNothing) {
  {
    FileReceiver receiver(Held(), /*overwrite=*/false);
    ASSERT_TRUE(receiver.Receive(Piece("a", 5, "abc")).ok());
    EXPECT_EQ(receiver.Finish().code(), absl::StatusCode::kDataLoss);
  }
  EXPECT_EQ(CountFiles(), 0);
}

TEST_F(FileReceiverTest, RefusesNamesThatLeadElsewhere) {
  for (const char* name : {"../evil", "/etc/evil", "a/b", "..", "."}) {
    FileReceiver receiver(Held(), /*overwrite=*/false);
    EXPECT_EQ(receiver.Receive(Piece(name, 1, "x")).code(),
              absl::StatusCode::kDataLoss)
        << name;
  }
  EXPECT_EQ(CountFiles(), 0);
}

TEST_F(FileReceiverTest, LinksInTheDirectoryAreReplacedAndNotFollowed) {
  ScratchDirectory elsewhere;
  elsewhere.Write("a", "old");
  fs::create_symlink(elsewhere.PathOf("a"), directory_.PathOf("a"));
  fs::create_symlink(elsewhere.PathOf("a"),
                     directory_.PathOf(absl::StrCat(".a.", getpid(), ".part")));
  EXPECT_EQ(receiver_.Receive(Piece("a", 3, "new")).code(),
            absl::StatusCode::kAlreadyExists);
  FileReceiver forced(Held(), /*overwrite=*/true);
  ASSERT_TRUE(forced.Receive(Piece("a", 3, "new")).ok());
  EXPECT_EQ(Read("a"), "new");
  EXPECT_EQ(elsewhere.Read("a"), "old");
}

TEST_F(FileReceiverTest, WritesIntoTheDirectoryThatWasOpened) {
  ScratchDirectory another;
  const std::string moved = directory_.path() + ".moved";
  ASSERT_TRUE(receiver_.Receive(Piece("a", 4, "ab")).ok());
  fs::rename(directory_.path(), moved);
  fs::create_directory_symlink(another.path(), directory_.path());
  ASSERT_TRUE(receiver_.Receive(Piece("", 0, "cd")).ok());
  EXPECT_TRUE(fs::exists(moved + "/a"));
  EXPECT_TRUE(another.Names().empty());
  fs::remove(directory_.path());
  fs::rename(moved, directory_.path());
}

TEST_F(FileReceiverTest, AFileThatCannotBeMadeIsNamedWithItsReason) {
  fs::remove(directory_.path());
  const absl::Status status = receiver_.Receive(Piece("a", 1, "x"));
  fs::create_directory(directory_.path());
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
}

TEST_F(FileReceiverTest, RefusesMoreBytesThanAnnounced) {
  EXPECT_EQ(receiver_.Receive(Piece("a", 2, "abc")).code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(FileReceiverTest, RefusesDataWithoutAName) {
  EXPECT_EQ(receiver_.Receive(Piece("", 0, "abc")).code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(FileReceiverTest, KeepsAFileThatExistsUnlessForced) {
  std::ofstream(directory_.path() + "/a") << "old";
  EXPECT_EQ(receiver_.Receive(Piece("a", 3, "new")).code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Read("a"), "old");
  FileReceiver forced(Held(), /*overwrite=*/true);
  ASSERT_TRUE(forced.Receive(Piece("a", 3, "new")).ok());
  EXPECT_EQ(Read("a"), "new");
}

}  // namespace
}  // namespace hydra
