#include "worker/data/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/file/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

namespace fs = std::filesystem;

// A file in the folder `inside`, and one in the folder `outside`.
class OpenInputFileTest : public ::testing::Test {
 protected:
  OpenInputFileTest()
      : root_(absl::StrCat(
            ::testing::TempDir(), "/",
            ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(root_);
    for (absl::string_view folder : {"inside", "outside"}) {
      fs::create_directories(In(folder));
      PosixFile file = *PosixFile::Open(In(absl::StrCat(folder, "/file")),
                                        O_WRONLY | O_CREAT);
      EXPECT_TRUE(file.Write(folder).ok());
    }
  }

  std::string In(absl::string_view name) const {
    return absl::StrCat(root_, "/", name);
  }

  const std::string root_;
};

std::string Content(absl::StatusOr<PosixFile> file) {
  if (!file.ok()) return file.status().ToString();
  std::string content(100, '\0');
  content.resize(*file->Read(absl::MakeSpan(content)));
  return content;
}

TEST_F(OpenInputFileTest, OpensAFileBelowARootOrAnywhere) {
  EXPECT_EQ(
      Content(OpenInputFile(In("inside/file"), AccessBelow({In("inside")}))),
      "inside");
  EXPECT_EQ(Content(OpenInputFile(In("outside/file"), FileAccess())),
            "outside");
}

TEST_F(OpenInputFileTest, ALinkThatLeadsOutOfTheRootsIsRefused) {
  fs::create_symlink("../outside/file", In("inside/link"));
  fs::create_directory_symlink("../outside", In("inside/folder"));
  for (absl::string_view name : {"inside/link", "inside/folder/file"}) {
    const absl::Status status =
        OpenInputFile(In(name), AccessBelow({In("inside")})).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << name;
    EXPECT_THAT(status.message(), HasSubstr(In(name)));
  }
  EXPECT_EQ(Content(OpenInputFile(In("inside/link"),
                                  AccessBelow({In("inside"), In("outside")}))),
            "outside");
}

TEST_F(OpenInputFileTest, ARootMayBeALink) {
  fs::create_directory_symlink("inside", In("link"));
  EXPECT_EQ(Content(OpenInputFile(In("link/file"), AccessBelow({In("link")}))),
            "inside");
}

TEST_F(OpenInputFileTest, ARootThatIsNotThereAllowsNothing) {
  EXPECT_EQ(OpenInputFile(In("inside/file"), AccessBelow({In("none")}))
                .status()
                .code(),
            absl::StatusCode::kPermissionDenied);
}

TEST_F(OpenInputFileTest, AFifoIsRefusedWithoutWaiting) {
  ASSERT_EQ(mkfifo(In("inside/fifo").c_str(), 0600), 0);
  EXPECT_EQ(OpenInputFile(In("inside/fifo"), FileAccess()).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(OpenInputFileTest, AMissingFileIsNamed) {
  for (absl::string_view name : {"inside/none", "none/file"}) {
    const absl::Status status = OpenInputFile(In(name), FileAccess()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
    EXPECT_THAT(status.message(), HasSubstr(In(name)));
  }
}

}  // namespace
}  // namespace hydra
