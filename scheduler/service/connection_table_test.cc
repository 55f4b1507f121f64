#include "scheduler/service/connection_table.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "common/file/file.h"

namespace hydra {
namespace {

UniqueFd Socket() { return UniqueFd(socket(AF_UNIX, SOCK_STREAM, 0)); }

TEST(MayConnectTest, AUserHasAShareAndFewAreAlwaysLetIn) {
  const ConnectionLimits limits = {100, 20, 3};
  EXPECT_TRUE(MayConnect(19, 99, limits));
  EXPECT_FALSE(MayConnect(20, 20, limits));
  EXPECT_FALSE(MayConnect(3, 100, limits));
  EXPECT_TRUE(MayConnect(2, 100, limits));
}

TEST(LimitsForTest, LeavesFilesForTheDaemonItself) {
  EXPECT_EQ(LimitsFor(1024).total, 384);
  EXPECT_EQ(LimitsFor(1024).for_each_user, 192);
  EXPECT_EQ(LimitsFor(1 << 20).total, 2048);
  EXPECT_EQ(LimitsFor(64).total, 32);
}

TEST(ConnectionTableTest, RefusesOneUserTooManyAndServesTheNext) {
  ConnectionTable table({10, 2, 1});
  std::vector<UniqueFd> sockets;
  for (int i = 0; i < 4; ++i) sockets.push_back(Socket());
  EXPECT_TRUE(table.Add(sockets[0].get(), {1000, 7}));
  EXPECT_TRUE(table.Add(sockets[1].get(), {1000, 8}));
  EXPECT_FALSE(table.Add(sockets[2].get(), {1000, 9}));
  EXPECT_TRUE(table.Add(sockets[3].get(), {1001, 10}));
  EXPECT_EQ(table.size(), 3);
  EXPECT_EQ(table.PeerOf(sockets[1].get()).pid, 8);
  EXPECT_EQ(table.PeerOf(sockets[2].get()).pid, 0);
}

TEST(ConnectionTableTest, AClosedConnectionMakesRoom) {
  ConnectionTable table({10, 1, 1});
  UniqueFd first = Socket();
  ASSERT_TRUE(table.Add(first.get(), {1000, 7}));
  UniqueFd second = Socket();
  EXPECT_FALSE(table.Add(second.get(), {1000, 8}));
  first = UniqueFd();
  EXPECT_TRUE(table.Add(second.get(), {1000, 8}));
}

TEST(ConnectionTableTest, ADescriptorThatIsUsedAgainIsAnotherConnection) {
  ConnectionTable table({10, 1, 1});
  UniqueFd first = Socket();
  const int number = first.get();
  ASSERT_TRUE(table.Add(number, {1000, 7}));
  first = UniqueFd();
  const UniqueFd second = Socket();
  ASSERT_EQ(second.get(), number);
  EXPECT_TRUE(table.Add(number, {1001, 8}));
  EXPECT_EQ(table.PeerOf(number).uid, 1001);
  EXPECT_EQ(table.size(), 1);
}

}  // namespace
}  // namespace hydra
