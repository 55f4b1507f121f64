#include "worker/data/image/class_pictures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "common/file/file.h"
#include "common/file/scratch_directory.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ClassPicturesTest : public ::testing::Test {
 protected:
  ClassPicturesTest() {
    folder_.MakeDirectory("cat");
    folder_.Write("cat/2.png", "two");
    folder_.Write("cat/10.JPEG", "ten");
    folder_.Write("cat/3.Jpg", "three");
  }

  absl::StatusOr<ClassPictures> List() {
    return ListPictures(folder_.PathOf("cat"), 7, access_, &others_);
  }
  // Names and contents.
  absl::Status Read(std::vector<std::string>* read) {
    const auto pictures = List();
    if (!pictures.ok()) return pictures.status();
    return ReadPictures(*pictures, access_,
                        [&](const std::string& name, absl::string_view file) {
                          read->push_back(name + " " + std::string(file));
                          return absl::OkStatus();
                        });
  }

  const ScratchDirectory folder_;
  const FileAccess access_ = AccessBelow({folder_.path()});
  OtherEntries others_;
};

TEST_F(ClassPicturesTest, AreReadInTheOrderOfTheirNames) {
  const auto pictures = List();
  ASSERT_TRUE(pictures.ok()) << pictures.status();
  EXPECT_EQ(pictures->number, 7);
  EXPECT_THAT(pictures->names, ElementsAre("10.JPEG", "2.png", "3.Jpg"));
  std::vector<std::string> read;
  ASSERT_EQ(Read(&read), absl::OkStatus());
  EXPECT_THAT(read, ElementsAre("10.JPEG ten", "2.png two", "3.Jpg three"));
  EXPECT_EQ(others_.count, 0);
}

TEST_F(ClassPicturesTest, OtherFilesAreCounted) {
  folder_.Write("cat/.DS_Store", "x");
  folder_.Write("cat/Thumbs.db", "x");
  folder_.Write("cat/4.webp", "x");
  fs::create_symlink("nothing", folder_.PathOf("cat/5.png"));
  const auto pictures = List();
  ASSERT_TRUE(pictures.ok()) << pictures.status();
  EXPECT_EQ(pictures->names.size(), 3);
  EXPECT_EQ(others_.count, 3);
  EXPECT_EQ(others_.first, folder_.PathOf("cat/4.webp"));
}

TEST_F(ClassPicturesTest, AClassWithoutPicturesIsRefused) {
  folder_.MakeDirectory("dog");
  folder_.Write("dog/notes.txt", "x");
  const absl::Status status =
      ListPictures(folder_.PathOf("dog"), 1, access_, &others_).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("/dog has no .jpg, .jpeg or .png file"));
}

TEST_F(ClassPicturesTest, SoAreFoldersInIt) {
  folder_.MakeDirectory("cat/young");
  const absl::Status status = List().status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("/cat has the folder 'young' in it"));
}

TEST_F(ClassPicturesTest, LinksThatLeadOutsideAreRefused) {
  const ScratchDirectory elsewhere;
  fs::create_symlink(elsewhere.Write("1.png", "x"),
                     folder_.PathOf("cat/1.png"));
  std::vector<std::string> read;
  const absl::Status status = Read(&read);
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("/cat/1.png"));
  fs::create_directory_symlink(elsewhere.path(), folder_.PathOf("out"));
  EXPECT_TRUE(absl::IsPermissionDenied(
      ListPictures(folder_.PathOf("out"), 0, access_, &others_).status()));
}

TEST_F(ClassPicturesTest, LinksInsideAreFollowed) {
  folder_.MakeDirectory("all");
  folder_.Write("all/x.png", "linked");
  fs::create_symlink("../all/x.png", folder_.PathOf("cat/1.png"));
  std::vector<std::string> read;
  ASSERT_EQ(Read(&read), absl::OkStatus());
  EXPECT_EQ(read.front(), "1.png linked");
}

TEST_F(ClassPicturesTest, FilesThatAreNoPicturesByTheirSizeAreRefused) {
  ASSERT_EQ(truncate(folder_.PathOf("cat/2.png").c_str(), kMaxPictureBytes + 1),
            0);
  std::vector<std::string> read;
  const absl::Status status = Read(&read);
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("/cat/2.png has 268435457 bytes"));
}

TEST_F(ClassPicturesTest, AFileThatIsGoneIsNamed) {
  const auto pictures = List();
  ASSERT_TRUE(pictures.ok());
  fs::remove(folder_.PathOf("cat/2.png"));
  const absl::Status status = ReadPictures(
      *pictures, access_,
      [](const std::string&, absl::string_view) { return absl::OkStatus(); });
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("/cat/2.png"));
}

}  // namespace
}  // namespace hydra
