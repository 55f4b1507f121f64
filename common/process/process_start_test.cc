#include "common/process/process_start.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

#include "common/file/scratch_directory.h"

namespace hydra {
namespace {

TEST(OpenStandardStreamsTest, ClosedOnesGoNowhere) {
  auto start_closed = [] {
    for (int fd : {0, 1, 2}) close(fd);
    OpenStandardStreams();
    const int file = open("/dev/zero", O_RDWR);
    _exit(file == 3 && write(2, "text", 4) == 4 ? 0 : 1);
  };
  EXPECT_EXIT(start_closed(), testing::ExitedWithCode(0), "");
}

TEST(OpenStandardStreamsTest, OpenOnesStay) {
  auto start = [] {
    OpenStandardStreams();
    _exit(write(2, "still here", 10) == 10 ? 0 : 1);
  };
  EXPECT_EXIT(start(), testing::ExitedWithCode(0), "still here");
}

TEST(MakeWriteSignalsErrorsTest, ALimitOnFilesIsAnErrorOfTheWrite) {
  const ScratchDirectory scratch;
  const std::string path = scratch.Write("file", "");
  auto write_too_much = [&] {
    MakeWriteSignalsErrors();
    const rlimit limit = {1, 1};
    setrlimit(RLIMIT_FSIZE, &limit);
    const int file = open(path.c_str(), O_WRONLY);
    const bool one = write(file, "ab", 2) == 1;
    _exit(one && write(file, "b", 1) == -1 && errno == EFBIG ? 0 : 1);
  };
  EXPECT_EXIT(write_too_much(), testing::ExitedWithCode(0), "");
}

TEST(IsIgnoredTest, TellsWhatWasInherited) {
  EXPECT_FALSE(IsIgnored(SIGUSR1));
  signal(SIGUSR1, SIG_IGN);
  EXPECT_TRUE(IsIgnored(SIGUSR1));
  signal(SIGUSR1, SIG_DFL);
}

}  // namespace
}  // namespace hydra
