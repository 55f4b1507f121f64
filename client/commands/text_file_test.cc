#include "client/commands/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

class TextFileTest : public ::testing::Test {
 protected:
  TextFileTest() { context_.in = &in_; }

  std::string Path(const std::string& name) const {
    return scratch_.path() + "/" + name;
  }

  std::string MakeFile(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name)) << text;
    return Path(name);
  }

  std::string Refusal(const std::string& path) const {
    return std::string(ReadTextFile(context_, path).status().message());
  }

  ScratchDirectory scratch_;
  std::istringstream in_{"from in"};
  CliContext context_;
  const std::string here_ = fs::current_path().string();
};

TEST_F(TextFileTest, AFilesPathsCountFromItsDirectory) {
  const std::string file = MakeFile("job.yaml", "text");
  EXPECT_EQ(*ReadTextFile(context_, file), "text");
  EXPECT_EQ(*BaseDirectory(file), scratch_.path());
  fs::create_directory(Path("links"));
  fs::create_symlink("../job.yaml", Path("links/job.yaml"));
  EXPECT_EQ(*BaseDirectory(Path("links/job.yaml")), Path("links"))
      << "the directory that the user named";
}

TEST_F(TextFileTest, StandardInputsPathsCountFromTheWorkingDirectory) {
  EXPECT_EQ(*ReadTextFile(context_, "-"), "from in");
  EXPECT_EQ(*BaseDirectory("-"), here_);
}

TEST_F(TextFileTest, ADescriptorsPathsCountFromTheWorkingDirectory) {
  const std::string file = MakeFile("job.yaml", "text");
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  const std::string self = absl::StrCat("/proc/self/fd/", fd);
  const std::string dev = absl::StrCat("/dev/fd/", fd);
  const std::string other = absl::StrCat("/proc/", getpid(), "/fd/", fd);
  fs::create_symlink(self, Path("link"));
  for (const std::string& path : {self, dev, other, Path("link")}) {
    EXPECT_EQ(*ReadTextFile(context_, path), "text") << path;
    EXPECT_EQ(*BaseDirectory(path), here_) << path;
  }
  EXPECT_EQ(*BaseDirectory("/dev/stdin"), here_);
  close(fd);
}

TEST_F(TextFileTest, ANamedPipesPathsCountFromTheWorkingDirectory) {
  const std::string pipe = Path("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&pipe] { std::ofstream(pipe) << "piped"; });
  EXPECT_EQ(*ReadTextFile(context_, pipe), "piped");
  writer.join();
  EXPECT_EQ(*BaseDirectory(pipe), here_);
}

TEST_F(TextFileTest, SaysWhyItCannotRead) {
  EXPECT_THAT(Refusal(Path("none")), HasSubstr("No such file"));
  EXPECT_THAT(Refusal(scratch_.path()), HasSubstr("is a directory"));
  EXPECT_THAT(Refusal(""), HasSubstr("is empty"));
  EXPECT_THAT(Refusal("/dev/zero"), HasSubstr("more than 1048576 bytes"));
}

}  // namespace
}  // namespace hydra
