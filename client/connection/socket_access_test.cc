#include "client/connection/socket_access.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <fstream>

#include "common/file/file.h"
#include "common/file/scratch_directory.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using Kind = SocketAccess::Kind;

TEST(SocketAccessTest, SaysWhomTheSocketIsFor) {
  const std::string socket = "/run/hydra/hydrad.sock";
  const SocketAccess closed = {Kind::kClosed, socket,  false,  0140660,
                               "hydra",       "hydra", "alice"};
  EXPECT_EQ(WhyClosed(socket, closed),
            "you may not use the socket /run/hydra/hydrad.sock: it is for "
            "group hydra");
  EXPECT_EQ(RemedyOf(closed),
            "Ask for: sudo usermod -aG hydra alice, then log in again");
}

TEST(SocketAccessTest, SaysWhichFolderIsInTheWay) {
  const std::string socket = "/home/bob/h/hydrad.sock";
  SocketAccess closed = {Kind::kClosed, "/home/bob", true,   040700,
                         "bob",         "lab",       "alice"};
  EXPECT_EQ(WhyClosed(socket, closed),
            "you may not use the socket /home/bob/h/hydrad.sock: its folder "
            "/home/bob (mode 0700) is for user bob alone");
  EXPECT_EQ(RemedyOf(closed),
            "Ask bob for a socket that you may use (unix_socket in hydrad's "
            "configuration)");
  closed.mode = 040750;
  EXPECT_EQ(WhyClosed(socket, closed),
            "you may not use the socket /home/bob/h/hydrad.sock: its folder "
            "/home/bob (mode 0750) is for group lab");
  EXPECT_EQ(RemedyOf(closed),
            "Ask for: sudo usermod -aG lab alice, then log in again");
}

TEST(SocketAccessTest, TellsASocketFromWhatIsNone) {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() + "/socket";
  EXPECT_EQ(LookAtSocket(path).kind, Kind::kMissing);
  EXPECT_EQ(WhyNoAccess(path), "");
  const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address),
                 sizeof(address)),
            0);
  EXPECT_EQ(LookAtSocket(path).kind, Kind::kUsable);
  EXPECT_EQ(WhyNoAccess(path), "");
  std::ofstream(scratch.path() + "/file") << "x";
  EXPECT_EQ(LookAtSocket(scratch.path() + "/file").kind, Kind::kNoSocket);
  EXPECT_EQ(WhyNoAccess(scratch.path()), "");
}

}  // namespace
}  // namespace hydra
