#include "scheduler/service/file_sender.h"

#include <filesystem>
#include <map>

#include "common/file/file_user.h"
#include "common/file/private_places.h"
#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using hydra::v1::DownloadResponse;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class FileSenderTest : public testing::Test {
 protected:
  // Puts the pieces together again.
  absl::Status Send() {
    std::string name;
    return SendFiles(directory_.path(), FileUser(),
                     [&](const DownloadResponse& piece) {
                       if (!piece.file_name().empty()) {
                         name = piece.file_name();
                         announced_bytes_[name] = piece.file_bytes();
                       }
                       received_[name] += piece.data();
                       pieces_.push_back(piece.data().size());
                       return true;
                     });
  }

  ScratchDirectory directory_;
  std::map<std::string, std::string> received_;
  std::map<std::string, int64_t> announced_bytes_;
  std::vector<size_t> pieces_;
};

TEST_F(FileSenderTest, FilesComeInPiecesByTheirNames) {
  const std::string large((1 << 20) + 1, 'x');
  directory_.Write("c", "c");
  directory_.Write("b", large);
  directory_.Write("a", "");
  ASSERT_TRUE(Send().ok());
  EXPECT_THAT(pieces_, ElementsAre(0, 1 << 20, 1, 1));
  EXPECT_THAT(announced_bytes_,
              ElementsAre(Pair("a", 0), Pair("b", large.size()), Pair("c", 1)));
  EXPECT_EQ(received_["b"], large);
}

TEST_F(FileSenderTest, LinksAndDirectoriesAreLeftOut) {
  ScratchDirectory elsewhere;
  directory_.MakeDirectory("checkpoints");
  std::filesystem::create_symlink("none", directory_.PathOf("z"));
  std::filesystem::create_symlink(elsewhere.Write("secret", "x"),
                                  directory_.PathOf("leads_out"));
  directory_.Write("a", "x");
  const absl::Status status = Send();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(received_, ElementsAre(Pair("a", "x")));
}

TEST_F(FileSenderTest, NothingIsSentFromBehindALink) {
  ScratchDirectory another;
  another.Write("model.safetensors", "another's");
  const std::string link = directory_.PathOf("link");
  std::filesystem::create_directory_symlink(another.path(), link);
  const absl::Status status =
      SendFiles(link, FileUser(), [](const DownloadResponse&) {
        ADD_FAILURE();
        return true;
      });
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr(link + " is a symbolic link"));
}

TEST_F(FileSenderTest, AFileOfHydradsOwnByAnotherNameIsNotSent) {
  ScratchDirectory own;
  std::filesystem::create_hard_link(own.Write("jobs.db", "x"),
                                    directory_.PathOf("a"));
  SetPrivatePlaces({own.path()});
  EXPECT_TRUE(absl::IsPermissionDenied(Send()));
  SetPrivatePlaces({});
  EXPECT_THAT(received_, IsEmpty());
}

TEST_F(FileSenderTest, AFileThatVanishesIsNamed) {
  directory_.Write("a", "x");
  const std::string vanishing = directory_.Write("b", "x");
  const absl::Status status =
      SendFiles(directory_.path(), FileUser(), [&](const DownloadResponse&) {
        std::filesystem::remove(vanishing);
        return true;
      });
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr(vanishing));
}

TEST_F(FileSenderTest, AFileThatBecomesALinkIsNotSent) {
  directory_.Write("a", "x");
  const std::string path = directory_.Write("b", "x");
  const absl::Status status = SendFiles(
      directory_.path(), FileUser(), [&](const DownloadResponse& piece) {
        EXPECT_EQ(piece.file_name(), "a");
        std::filesystem::remove(path);
        std::filesystem::create_symlink("a", path);
        return true;
      });
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr(path));
}

TEST_F(FileSenderTest, AFileThatBecomesShorterIsDataLoss) {
  const std::string path = directory_.Write("a", std::string(3 << 20, 'x'));
  const absl::Status status =
      SendFiles(directory_.path(), FileUser(), [&](const DownloadResponse&) {
        std::filesystem::resize_file(path, 1);
        return true;
      });
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
}

TEST_F(FileSenderTest, EndsWhenNobodyListens) {
  directory_.Write("a", "x");
  directory_.Write("b", "x");
  int pieces = 0;
  const absl::Status status =
      SendFiles(directory_.path(), FileUser(), [&](const DownloadResponse&) {
        ++pieces;
        return false;
      });
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  EXPECT_EQ(pieces, 1);
}

TEST_F(FileSenderTest, AMissingDirectoryIsNotFound) {
  const auto nobody = [](const DownloadResponse&) { return true; };
  EXPECT_TRUE(absl::IsNotFound(
      SendFiles(directory_.PathOf("none"), FileUser(), nobody)));
}

}  // namespace
}  // namespace hydra
