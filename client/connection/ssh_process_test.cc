#include "client/connection/ssh_process.h"

#include <poll.h>
#include <unistd.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

std::string ReadAll(const UniqueFd& socket) {
  std::string text;
  char buffer[100];
  while (true) {
    pollfd poll_fd = {socket.get(), POLLIN, 0};
    if (poll(&poll_fd, 1, -1) < 0) continue;
    const ssize_t count = read(socket.get(), buffer, sizeof(buffer));
    if (count <= 0) return text;
    text.append(buffer, count);
  }
}

TEST(SshProcessTest, TalksOverASocketAndEndsWithIt) {
  const auto process =
      SshProcess::Start({"sh", "-c", "read word; echo got $word"});
  ASSERT_TRUE(process.ok()) << process.status();
  const UniqueFd socket = (*process)->TakeSocket();
  ASSERT_EQ(write(socket.get(), "this\n", 5), 5);
  EXPECT_EQ(ReadAll(socket), "got this\n");
  EXPECT_TRUE((*process)->WaitFor(absl::InfiniteDuration()));
  EXPECT_EQ((*process)->HowItEnded(), "ssh exited with code 0");

  const auto reader = SshProcess::Start({"cat"});
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_FALSE((*reader)->WaitFor(absl::ZeroDuration()));
  { const UniqueFd closed = (*reader)->TakeSocket(); }
  EXPECT_TRUE((*reader)->WaitFor(absl::InfiniteDuration()));
}

TEST(SshProcessTest, SaysWhatItsErrorsWere) {
  const auto process = SshProcess::Start(
      {"sh", "-c", "printf 'no route\\r\\nat all\\n' >&2; exit 255"});
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_TRUE((*process)->WaitFor(absl::InfiniteDuration()));
  EXPECT_EQ((*process)->HowItEnded(),
            "ssh exited with code 255: no route; at all");
}

TEST(SshProcessTest, OfLongErrorsTheEndIsSaid) {
  const auto process = SshProcess::Start(
      {"sh", "-c",
       "i=0; while [ $i -lt 1000 ]; do echo word; i=$((i+1)); done >&2; echo "
       "last >&2; kill -9 $$"});
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_TRUE((*process)->WaitFor(absl::InfiniteDuration()));
  const std::string how = (*process)->HowItEnded();
  EXPECT_THAT(how,
              ::testing::StartsWith("ssh was killed by signal 9 (Killed)"));
  EXPECT_THAT(how, ::testing::EndsWith("; last"));
  EXPECT_LT(how.size(), 3000);
}

TEST(SshProcessTest, AProgramThatIsNotThereIsNamed) {
  const auto process = SshProcess::Start({"no-such-ssh"});
  EXPECT_EQ(process.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(process.status().message()),
              ::testing::HasSubstr("no-such-ssh"));
}

TEST(SshProcessTest, OneThatRunsEndsWithItsObject) {
  const auto started = SshProcess::Start({"sleep", "1000000"});
  ASSERT_TRUE(started.ok()) << started.status();
}

}  // namespace
}  // namespace hydra
