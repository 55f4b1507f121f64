#include "common/broker/message.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace hydra::broker {
namespace {

class MessageTest : public ::testing::Test {
 protected:
  MessageTest() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    here_ = UniqueFd(ends[0]);
    there_ = UniqueFd(ends[1]);
  }

  UniqueFd here_;
  UniqueFd there_;
};

TEST_F(MessageTest, ComesAsItWentWithItsDescriptors) {
  int pipe_ends[2];
  ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
  const UniqueFd read_end(pipe_ends[0]);
  UniqueFd write_end(pipe_ends[1]);
  Request sent;
  sent.operation = Operation::kRename;
  sent.flags = 7;
  sent.mode = 0750;
  std::strcpy(sent.name, "from");
  std::strcpy(sent.other, "to");
  ASSERT_EQ(SendMessage(here_.get(), sent, {read_end.get(), write_end.get()}),
            0);
  Request got;
  Received received;
  ASSERT_EQ(ReceiveMessage(there_.get(), &got, &received), 0);
  EXPECT_EQ(received.bytes, sizeof(got));
  EXPECT_EQ(got.operation, Operation::kRename);
  EXPECT_EQ(got.flags, 7);
  EXPECT_EQ(got.mode, 0750);
  EXPECT_STREQ(got.name, "from");
  EXPECT_STREQ(got.other, "to");
  ASSERT_EQ(received.descriptors.size(), 2);
  EXPECT_EQ(write(received.descriptors[1].get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(read(read_end.get(), &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
  // No program that is started inherits it.
  EXPECT_EQ(fcntl(received.descriptors[0].get(), F_GETFD) & FD_CLOEXEC,
            FD_CLOEXEC);
}

TEST_F(MessageTest, AnotherLengthIsNoMessage) {
  ASSERT_EQ(SendMessage(here_.get(), Hello()), 0);
  Request request;
  Received received;
  EXPECT_EQ(ReceiveMessage(there_.get(), &request, &received), EPROTO);
  ASSERT_EQ(SendMessage(here_.get(), request), 0);
  Reply reply;
  EXPECT_EQ(ReceiveMessage(there_.get(), &reply, &received), EMSGSIZE);
}

TEST_F(MessageTest, TheOthersEndIsSeen) {
  there_ = UniqueFd();
  EXPECT_EQ(SendMessage(here_.get(), Reply()), EPIPE);
  Reply reply;
  Received received;
  EXPECT_EQ(ReceiveMessage(here_.get(), &reply, &received), 0);
  EXPECT_EQ(received.bytes, 0);
}

}  // namespace
}  // namespace hydra::broker
