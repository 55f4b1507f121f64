#include "common/file/socket_path.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "common/file/scratch_directory.h"

namespace hydra {
namespace {

TEST(SocketPathTest, APlainPathStaysAsItIs) {
  EXPECT_EQ(SocketPath::Of("/run/hydra/hydrad.sock")->text(),
            "/run/hydra/hydrad.sock");
}

TEST(SocketPathTest, ALongOrOddOneIsNamedThroughItsFolder) {
  const ScratchDirectory folder;
  for (const std::string& name :
       {std::string(120, 'a'), std::string("100% #")}) {
    folder.MakeDirectory(name);
    const std::string path = folder.PathOf(name) + "/s";
    WriteFile(path, "x");
    const absl::StatusOr<SocketPath> socket = SocketPath::Of(path);
    ASSERT_TRUE(socket.ok()) << socket.status();
    EXPECT_LT(socket->text().size(), 40);
    EXPECT_TRUE(std::filesystem::equivalent(socket->text(), path));
  }
}

TEST(SocketPathTest, AMissingFolderIsNotFound) {
  EXPECT_EQ(SocketPath::Of("/no/such/folder/a b").status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace hydra
