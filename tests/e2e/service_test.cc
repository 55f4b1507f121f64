// hydrad as a service manager starts it, and its configuration before that.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <string>

#include "common/file/file.h"
#include "common/file/scratch_directory.h"
#include "tests/e2e/cluster.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// What systemd listens at.
class Manager {
 public:
  explicit Manager(const std::string& path)
      : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address),
                   sizeof(address)),
              0);
  }

  std::string Next() const {
    std::array<char, 100> buffer;
    const ssize_t count = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    return count < 0 ? "" : std::string(buffer.data(), count);
  }

 private:
  const UniqueFd fd_;
};

TEST(ServiceTest, TellsItsManagerThatItServesLivesAndStops) {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() + "/notify";
  const Manager manager(path);
  Cluster::Options options;
  options.environment = {"NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=2000000"};
  Cluster cluster(options);
  bool is_ready = false;
  int lives = 0;
  while (!is_ready || lives < 3) {
    const std::string message = manager.Next();
    if (message == "READY=1") {
      is_ready = true;
    } else {
      ASSERT_EQ(message, "WATCHDOG=1");
      ++lives;
    }
  }
  cluster.StopDaemon();
  std::string last = "WATCHDOG=1";
  while (last == "WATCHDOG=1") last = manager.Next();
  EXPECT_THAT(last, StartsWith("STOPPING=1"));
}

TEST(ServiceTest, AConfigurationIsCheckedWithoutStarting) {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() + "/hydrad.yaml";
  const std::string state = scratch.path() + "/state";
  const std::string good =
      "state_dir: " + state +
      "\n"
      "pool: {size_bytes: 64MiB}\n"
      "devices: [{name: 'cpu:0', memory_limit_bytes: 64MiB}]\n";
  WriteFile(path, good);
  ProgramResult checked =
      RunProgram({"scheduler/hydrad", "--check-config", path});
  EXPECT_EQ(checked.code, 0);
  EXPECT_EQ(checked.output, "ok\n");
  EXPECT_FALSE(std::filesystem::exists(state)) << "nothing was made";

  WriteFile(path, good + "policy: random\nread_root: [/data]\n");
  checked = RunProgram({"scheduler/hydrad", "--check-config", path});
  EXPECT_EQ(checked.code, 2);
  EXPECT_THAT(checked.output, HasSubstr("policy"));
  EXPECT_THAT(checked.output, HasSubstr("read_root"));

  WriteFile(path, good + "allow: [nobody at all]\n");
  checked = RunProgram({"scheduler/hydrad", "--check-config", path});
  EXPECT_EQ(checked.code, 2);
  EXPECT_THAT(checked.output, HasSubstr("allow[0]"));
  for (const char* accounts :
       {"allow: [no-such-user-1]\n", "operators: [group no-such-group-1]\n",
        "shares: {users: [{name: no-such-user-1, weight: 2}]}\n"}) {
    WriteFile(path, good + accounts);
    checked = RunProgram({"scheduler/hydrad", "--check-config", path});
    EXPECT_EQ(checked.code, 2) << accounts;
    EXPECT_THAT(checked.output, HasSubstr("no-such-")) << accounts;
  }

  checked = RunProgram({"scheduler/hydrad", "--check-config", path + ".none"});
  EXPECT_EQ(checked.code, 2);
  EXPECT_THAT(checked.output, HasSubstr("cannot read"));
}

}  // namespace
}  // namespace hydra
