#include "client/connection/copy_both_ways.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>

#include "common/file/file.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

// A program's standard streams and a server's socket, with a copy between them.
class CopyBothWaysTest : public ::testing::Test {
 protected:
  CopyBothWaysTest() {
    signal(SIGPIPE, SIG_IGN);
    std::array<int, 2> ends;
    EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    in_ = UniqueFd(ends[0]);
    writer_ = UniqueFd(ends[1]);
    EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    reader_ = UniqueFd(ends[0]);
    out_ = UniqueFd(ends[1]);
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()),
              0);
    socket_ = UniqueFd(ends[0]);
    server_ = UniqueFd(ends[1]);
    copying_ = std::thread([this] {
      status_ = CopyBothWays(in_.get(), out_.get(), socket_.get());
    });
  }

  absl::Status Result() {
    copying_.join();
    return status_;
  }

  static void Write(const UniqueFd& fd, const std::string& text) {
    size_t written = 0;
    while (written < text.size()) {
      const ssize_t count =
          write(fd.get(), text.data() + written, text.size() - written);
      ASSERT_GT(count, 0);
      written += count;
    }
  }

  // Until the end, or so many bytes.
  static std::string Read(const UniqueFd& fd, size_t bytes = 1 << 30) {
    std::string text;
    std::array<char, 1000> buffer;
    while (text.size() < bytes) {
      const ssize_t count = read(fd.get(), buffer.data(), buffer.size());
      if (count <= 0) break;
      text.append(buffer.data(), count);
    }
    return text;
  }

  static void Close(UniqueFd& fd) { fd = UniqueFd(); }

  UniqueFd in_, out_, socket_;
  UniqueFd writer_, reader_, server_;
  absl::Status status_;
  std::thread copying_;
};

TEST_F(CopyBothWaysTest, EndsWhenTheServerDoes) {
  Write(writer_, "question");
  EXPECT_EQ(Read(server_, 8), "question");
  Write(server_, "answer");
  EXPECT_EQ(Read(reader_, 6), "answer");
  Close(server_);
  EXPECT_EQ(Result(), absl::OkStatus());
}

TEST_F(CopyBothWaysTest, AnEndIsToldAndTheAnswerStillComes) {
  Write(writer_, "last question");
  Close(writer_);
  EXPECT_EQ(Read(server_), "last question") << "and then the end";
  Write(server_, "last answer");
  Close(server_);
  EXPECT_EQ(Result(), absl::OkStatus());
  Close(out_);
  EXPECT_EQ(Read(reader_), "last answer");
}

TEST_F(CopyBothWaysTest, MuchGoesBothWaysAtOnceAndArrivesWhole) {
  std::string much;
  for (int i = 0; much.size() < 3'000'000; ++i) much += std::to_string(i);
  std::thread asking([&] { Write(writer_, much); });
  std::thread answering([&] { Write(server_, much); });
  EXPECT_EQ(Read(reader_, much.size()), much);
  EXPECT_EQ(Read(server_, much.size()), much);
  asking.join();
  answering.join();
  Close(server_);
  EXPECT_EQ(Result(), absl::OkStatus());
}

TEST_F(CopyBothWaysTest, AReaderThatLeavesIsAnError) {
  Close(reader_);
  Write(server_, "answer");
  EXPECT_FALSE(Result().ok());
}

TEST_F(CopyBothWaysTest, TheDescriptorsBlockAgainAfterwards) {
  Close(server_);
  EXPECT_EQ(Result(), absl::OkStatus());
  for (const UniqueFd* fd : {&in_, &out_, &socket_}) {
    EXPECT_EQ(fcntl(fd->get(), F_GETFL) & O_NONBLOCK, 0);
  }
}

}  // namespace
}  // namespace hydra
