#include "common/checkpoint/plain_file.h"

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/checkpoint/testing.h"
#include "common/file/file.h"
#include "common/file/scratch_directory.h"
#include "common/hash/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

using checkpoint::v1::FileSum;

HeldDirectory Held(const ScratchDirectory& folder) {
  return *HeldDirectory::Open(folder.path());
}

class PlainFileTest : public testing::Test {
 protected:
  absl::Status Check(const FileSum& wanted) {
    const std::string path = folder_.PathOf(wanted.name());
    return CheckPlainFile(*OpenRegularFile(path), path, wanted);
  }

  // Files of the folder, under their names.
  std::vector<CopiedFile> From(const std::vector<std::string>& names) const {
    std::vector<CopiedFile> files;
    for (const std::string& name : names) {
      files.push_back({name, folder_.PathOf(name)});
    }
    return files;
  }

  ScratchDirectory folder_;
};

TEST_F(PlainFileTest, WrittenAndCopiedFilesHaveTheirBytesAndSum) {
  const std::string text(700'001, 'x');
  const auto written = WritePlainFile(Held(folder_), "a", text);
  ASSERT_TRUE(written.ok()) << written.status();
  ScratchDirectory copies;
  const auto copied =
      CopyPlainFiles(Held(copies), From({"none", "a"}), FileAccess());
  ASSERT_TRUE(copied.ok()) << copied.status();
  ASSERT_EQ(copied->size(), 1);
  EXPECT_EQ(ReadFile(copies.PathOf("a")), text);
  EXPECT_EQ(copied->front().bytes(), 700'001);
  EXPECT_EQ(copied->front().SerializeAsString(), written->SerializeAsString());
  EXPECT_TRUE(Check(*written).ok());
}

TEST_F(PlainFileTest, ChangedAndShortenedFilesAreFound) {
  const auto written = WritePlainFile(Held(folder_), "a", "abc");
  ASSERT_TRUE(written.ok());
  WriteFile(folder_.PathOf("a"), "abd");
  EXPECT_TRUE(absl::IsDataLoss(Check(*written)));
  WriteFile(folder_.PathOf("a"), "ab");
  EXPECT_TRUE(absl::IsDataLoss(Check(*written)));
}

TEST_F(PlainFileTest, AFileThatExistsIsNotReplaced) {
  WriteFile(folder_.PathOf("a"), "older");
  EXPECT_TRUE(absl::IsAlreadyExists(
      WritePlainFile(Held(folder_), "a", "newer").status()));
  EXPECT_EQ(ReadFile(folder_.PathOf("a")), "older");
}

TEST_F(PlainFileTest, WhatMayNotBeReadIsNotCopied) {
  ScratchDirectory secret;
  ScratchDirectory copies;
  WriteFile(secret.PathOf("f"), "secret");
  fs::create_symlink(secret.PathOf("f"), folder_.PathOf("leads_out"));
  fs::create_directory(folder_.PathOf("directory"));
  ASSERT_EQ(mkfifo(folder_.PathOf("fifo").c_str(), 0600), 0);
  WriteFile(folder_.PathOf("huge"), "");
  fs::resize_file(folder_.PathOf("huge"), (256 << 20) + 1);
  WriteFile(folder_.PathOf("f"), "x");
  const auto copied = CopyPlainFiles(
      Held(copies), From({"leads_out", "directory", "fifo", "huge", "f"}),
      AccessBelow({folder_.path()}));
  EXPECT_TRUE(copied.ok()) << copied.status();
  EXPECT_THAT(copies.Names(), testing::ElementsAre("f"));

  EXPECT_TRUE(CopyPlainFiles(Held(copies), {{"f", folder_.PathOf("none/f")}},
                             FileAccess())
                  .ok());
}

TEST_F(PlainFileTest, TheLogHasNoControlCharactersOfAUsersPath) {
  // A C1 control character and one that turns the writing direction.
  const std::string name = "\u009b31m\u202e";
  folder_.MakeDirectory(name);
  const std::string from = folder_.PathOf(name);
  fs::create_directory(from + "/vocab.json");
  testing::internal::CaptureStderr();
  const auto copied = CopyPlainFiles(
      Held(folder_), {{"vocab.json", from + "/vocab.json"}}, FileAccess());
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(copied.ok()) << copied.status();
  EXPECT_THAT(log, testing::HasSubstr("\\u{009b}31m\\u{202e}"));
  EXPECT_THAT(log, testing::Not(testing::HasSubstr("\u202e")));
}

TEST_F(PlainFileTest, ACopyThatCannotBeWrittenIsAnError) {
  WriteFile(folder_.PathOf("f"), "x");
  EXPECT_TRUE(absl::IsAlreadyExists(
      CopyPlainFiles(Held(folder_), From({"f"}), FileAccess()).status()));
}

TEST_F(PlainFileTest, AFileThatIsNeededIsCopiedAsItWas) {
  ScratchDirectory copies;
  CopiedFile file{"f", folder_.PathOf("f"), HexSha256("code")};
  const auto error = [&] {
    const absl::Status status =
        CopyPlainFiles(Held(copies), {file}, AccessBelow({folder_.path()}))
            .status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr(file.path));
    return std::string(status.message());
  };
  EXPECT_THAT(error(), testing::HasSubstr("which is needed"));
  WriteFile(file.path, "other code");
  EXPECT_THAT(error(), testing::HasSubstr(HexSha256("other code")));
  EXPECT_THAT(copies.Names(), testing::IsEmpty());
  WriteFile(file.path, "code");
  const auto copied =
      CopyPlainFiles(Held(copies), {file}, AccessBelow({folder_.path()}));
  ASSERT_TRUE(copied.ok()) << copied.status();
  EXPECT_EQ(ReadFile(copies.PathOf("f")), "code");
  // Where nobody may read, there is none.
  ScratchDirectory elsewhere;
  file.path = elsewhere.PathOf("f");
  WriteFile(file.path, "code");
  error();
}

TEST_F(PlainFileTest, FilesAboveTheLimitAreNotRead) {
  const std::string path = folder_.PathOf("a");
  WriteFile(path, "abcd");
  EXPECT_EQ(*ReadPlainFile(*OpenRegularFile(path), path, 4), "abcd");
  EXPECT_TRUE(absl::IsInvalidArgument(
      ReadPlainFile(*OpenRegularFile(path), path, 3).status()));
}

}  // namespace
}  // namespace hydra
