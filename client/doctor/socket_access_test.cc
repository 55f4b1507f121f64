#include "client/doctor/socket_access.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "common/file/file.h"
#include "common/file/scratch_directory.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using Kind = SocketAccess::Kind;

TEST(LookAtSocketTest, TellsASocketFromWhatIsNone) {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() + "/socket";
  EXPECT_EQ(LookAtSocket(path).kind, Kind::kMissing);
  const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address),
                 sizeof(address)),
            0);
  const SocketAccess found = LookAtSocket(path);
  EXPECT_EQ(found.kind, Kind::kUsable);
  EXPECT_NE(found.owner, "");
  EXPECT_NE(found.group, "");
  std::ofstream(scratch.path() + "/file") << "x";
  EXPECT_EQ(LookAtSocket(scratch.path() + "/file").kind, Kind::kNoSocket);
}

}  // namespace
}  // namespace hydra
