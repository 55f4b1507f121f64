#include "client/connection/address.h"

#include <map>
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

class ResolveServerTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::string> Resolve(const std::string& flag) {
    return ResolveServer(
        flag,
        [this](const char* name) -> std::optional<std::string> {
          const auto it = environment_.find(name);
          if (it == environment_.end()) return std::nullopt;
          return it->second;
        },
        [this](const std::string& path) { return sockets_.count(path) > 0; });
  }

  std::map<std::string, std::string> environment_ = {
      {"XDG_RUNTIME_DIR", "/run/user/7"}, {"HOME", "/home/ann"}};
  std::set<std::string> sockets_;
};

TEST_F(ResolveServerTest, TheFlagComesFirst) {
  environment_["HYDRA_SERVER"] = "unix:/other";
  EXPECT_EQ(*Resolve("unix:/a/hydrad.sock"), "unix:/a/hydrad.sock");
  EXPECT_EQ(*Resolve("127.0.0.1:7070"), "127.0.0.1:7070");
  EXPECT_EQ(*Resolve("/a/hydrad.sock"), "unix:/a/hydrad.sock");
}

TEST_F(ResolveServerTest, AnotherMachineIsReachedBySsh) {
  EXPECT_EQ(*Resolve("ssh://ann@gpu1:22"), "ssh://ann@gpu1:22");
  environment_["HYDRA_SERVER"] = "ssh://gpu1/run/h.sock";
  EXPECT_EQ(*Resolve(""), "ssh://gpu1/run/h.sock");
  const absl::Status refused = Resolve("ssh://-oX").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("--server"));
}

TEST_F(ResolveServerTest, ASocketsPathHasALimit) {
  const std::string longest = "/" + std::string(106, 'a');
  EXPECT_EQ(*Resolve(longest), "unix:" + longest);
  for (const std::string& address : {longest + "a", "unix:" + longest + "a"}) {
    const absl::Status refused = Resolve(address).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(refused.message()), HasSubstr("108 bytes"));
    EXPECT_THAT(std::string(refused.message()), HasSubstr("at most 107"));
  }
}

TEST(GrpcTargetTest, APathMayHaveAnyByte) {
  EXPECT_EQ(GrpcTarget("unix:/a-b_c/~d.sock"), "unix:/a-b_c/~d.sock");
  EXPECT_EQ(GrpcTarget("unix:/a b%20?#,:\xff"),
            "unix:/a%20b%2520%3f%23%2c%3a%ff");
  EXPECT_EQ(GrpcTarget("localhost:7070"), "localhost:7070");
}

TEST_F(ResolveServerTest, TheVariableComesBeforeTheUsualSockets) {
  sockets_ = {"/run/hydra/hydrad.sock"};
  environment_["HYDRA_SERVER"] = "localhost:7070";
  EXPECT_EQ(*Resolve(""), "localhost:7070");
}

TEST_F(ResolveServerTest, TakesTheFirstSocketThatExists) {
  sockets_ = {"/run/hydra/hydrad.sock",
              "/home/ann/.local/state/hydra/hydrad.sock"};
  EXPECT_EQ(*Resolve(""), "unix:/run/hydra/hydrad.sock");
  sockets_.insert("/run/user/7/hydrad.sock");
  EXPECT_EQ(*Resolve(""), "unix:/run/user/7/hydrad.sock");
}

TEST_F(ResolveServerTest, SaysWhatWasTried) {
  const absl::Status status = Resolve("").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  for (const char* tried :
       {"/run/user/7/hydrad.sock", "/run/hydra/hydrad.sock",
        "/home/ann/.local/state/hydra/hydrad.sock", "$HYDRA_SERVER"}) {
    EXPECT_THAT(std::string(status.message()), HasSubstr(tried));
  }
}

TEST_F(ResolveServerTest, RefusesWhatIsNoAddress) {
  for (const char* bad : {"localhost", "unix:", ":7070", "host:0", "host:x"}) {
    EXPECT_EQ(Resolve(bad).status().code(), absl::StatusCode::kInvalidArgument)
        << bad;
  }
}

}  // namespace
}  // namespace hydra
