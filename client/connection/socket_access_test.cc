#include "client/connection/socket_access.h"

#include "common/file/scratch_directory.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(SocketAccessTest, SaysWhomTheSocketIsFor) {
  EXPECT_EQ(
      NoAccessText("/run/hydra/hydrad.sock",
                   {"/run/hydra/hydrad.sock", false, 0140660, "hydra", "hydra"},
                   "alice"),
      "you may not use the socket /run/hydra/hydrad.sock: it is for group "
      "hydra. Ask for: sudo usermod -aG hydra alice, then log in again");
}

TEST(SocketAccessTest, SaysWhichFolderIsInTheWay) {
  EXPECT_EQ(NoAccessText("/home/bob/h/hydrad.sock",
                         {"/home/bob", true, 040700, "bob", "bob"}, "alice"),
            "you may not use the socket /home/bob/h/hydrad.sock: its folder "
            "/home/bob (mode 0700) is for user bob alone");
  EXPECT_EQ(NoAccessText("/home/bob/h/hydrad.sock",
                         {"/home/bob", true, 040750, "bob", "lab"}, "alice"),
            "you may not use the socket /home/bob/h/hydrad.sock: its folder "
            "/home/bob (mode 0750) is for group lab. Ask for: sudo usermod -aG "
            "lab alice, then log in again");
}

TEST(SocketAccessTest, WhatIsNotThereOrMayBeUsedIsNoMatterOfAccess) {
  const ScratchDirectory scratch;
  EXPECT_EQ(WhyNoAccess(scratch.path() + "/none.sock"), "");
  EXPECT_EQ(WhyNoAccess(scratch.path()), "");
}

}  // namespace
}  // namespace hydra
