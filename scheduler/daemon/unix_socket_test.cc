#include "scheduler/daemon/unix_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "common/file/scratch_directory.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class UnixSocketTest : public ::testing::Test {
 protected:
  // A bound socket; it answers once it listens.
  int Bind(const fs::path& path) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(
        bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
        0);
    return fd;
  }

  const ScratchDirectory scratch_;
  const fs::path root_ = scratch_.path();
};

TEST_F(UnixSocketTest, MakesTheFolderButNotThoseAbove) {
  EXPECT_EQ(ClaimSocketPath(root_ / "run/s"), absl::OkStatus());
  EXPECT_TRUE(fs::is_directory(root_ / "run"));
  EXPECT_EQ(ClaimSocketPath(root_ / "run/s"), absl::OkStatus());
  const absl::Status refused = ClaimSocketPath(root_ / "no/such/s");
  EXPECT_EQ(refused.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(
      std::string(refused.message()),
      HasSubstr("cannot make the folder " + (root_ / "no/such").string()));
  EXPECT_FALSE(fs::exists(root_ / "no"));
}

TEST_F(UnixSocketTest, RemovesTheSocketOfADeadServerAlone) {
  const int fd = Bind(root_ / "s");
  ASSERT_EQ(listen(fd, 1), 0);
  EXPECT_EQ(ClaimSocketPath(root_ / "s").code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(fs::exists(root_ / "s"));
  close(fd);
  EXPECT_EQ(ClaimSocketPath(root_ / "s"), absl::OkStatus());
  EXPECT_FALSE(fs::exists(root_ / "s"));
}

TEST_F(UnixSocketTest, KeepsAFileThatIsNoSocket) {
  std::ofstream(root_ / "s") << "text";
  EXPECT_EQ(ClaimSocketPath(root_ / "s").code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(fs::exists(root_ / "s"));
}

TEST_F(UnixSocketTest, RefusesAPathThatIsTooLong) {
  EXPECT_EQ(ClaimSocketPath(root_ / std::string(200, 's')).code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hydra
