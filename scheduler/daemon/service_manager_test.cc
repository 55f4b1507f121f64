#include "scheduler/daemon/service_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <map>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"

namespace hydra {
namespace {

using ::testing::Optional;

// A manager's socket.
class Receiver {
 public:
  // "@name" has no file.
  explicit Receiver(const std::string& name)
      : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address),
                   offsetof(sockaddr_un, sun_path) + name.size()),
              0);
  }

  std::string Next() const {
    std::array<char, 10'000> buffer;
    const ssize_t count = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    return count < 0 ? "" : std::string(buffer.data(), count);
  }

 private:
  const UniqueFd fd_;
};

class ServiceManagerTest : public ::testing::Test {
 protected:
  ServiceManager Make() {
    return ServiceManager(
        [this](const char* name) -> std::optional<std::string> {
          const auto it = environment_.find(name);
          if (it == environment_.end()) return std::nullopt;
          return it->second;
        });
  }

  const ScratchDirectory scratch_;
  std::map<std::string, std::string> environment_;
};

TEST_F(ServiceManagerTest, TellsHowItIs) {
  environment_["NOTIFY_SOCKET"] = scratch_.path() + "/notify";
  const Receiver receiver(environment_["NOTIFY_SOCKET"]);
  const ServiceManager manager = Make();
  manager.Ready();
  EXPECT_EQ(receiver.Next(), "READY=1");
  manager.Alive();
  EXPECT_EQ(receiver.Next(), "WATCHDOG=1");
  manager.Stopping();
  EXPECT_EQ(receiver.Next(), "STOPPING=1\nWATCHDOG=1");
}

TEST_F(ServiceManagerTest, AnAddressMayHaveNoFile) {
  environment_["NOTIFY_SOCKET"] = absl::StrCat("@hydra-test-", getpid());
  const Receiver receiver(environment_["NOTIFY_SOCKET"]);
  Make().Ready();
  EXPECT_EQ(receiver.Next(), "READY=1");
}

TEST_F(ServiceManagerTest, WithoutAManagerNothingHappens) {
  Make().Ready();
  for (const std::string& name :
       {std::string("relative"), std::string(200, '/'),
        scratch_.path() + "/nobody"}) {
    environment_["NOTIFY_SOCKET"] = name;
    Make().Ready();
  }
}

TEST_F(ServiceManagerTest, AWatchdogIsForOneProcess) {
  EXPECT_EQ(Make().watchdog(), std::nullopt);
  environment_["WATCHDOG_USEC"] = "2500000";
  EXPECT_THAT(Make().watchdog(), Optional(absl::Milliseconds(2500)));
  environment_["WATCHDOG_PID"] = absl::StrCat(getpid());
  EXPECT_THAT(Make().watchdog(), Optional(absl::Milliseconds(2500)));
  environment_["WATCHDOG_PID"] = absl::StrCat(getpid() + 1);
  EXPECT_EQ(Make().watchdog(), std::nullopt);
  environment_.erase("WATCHDOG_PID");
  for (const char* none : {"0", "-5", "x", ""}) {
    environment_["WATCHDOG_USEC"] = none;
    EXPECT_EQ(Make().watchdog(), std::nullopt) << none;
  }
}

TEST_F(ServiceManagerTest, SaysHowAReloadWent) {
  environment_["NOTIFY_SOCKET"] = scratch_.path() + "/notify";
  const Receiver receiver(environment_["NOTIFY_SOCKET"]);
  const ServiceManager manager = Make();
  manager.Reloading();
  EXPECT_EQ(receiver.Next(), "RELOADING=1");
  manager.Reloaded("two\nlines");
  EXPECT_EQ(receiver.Next(), "READY=1\nSTATUS=two\\nlines");
}

TEST_F(ServiceManagerTest, OfALongStatusItSaysWhatSystemdReads) {
  environment_["NOTIFY_SOCKET"] = scratch_.path() + "/notify";
  const Receiver receiver(environment_["NOTIFY_SOCKET"]);
  Make().Reloaded("devices: " + std::string(2000, '\x01'));
  const std::string message = receiver.Next();
  EXPECT_EQ(message.substr(0, 24), "READY=1\nSTATUS=devices: ");
  EXPECT_EQ(message.substr(message.size() - 3), "...");
  // Longer ones it takes no notice of.
  EXPECT_LE(message.size(), 4096);
}

}  // namespace
}  // namespace hydra
