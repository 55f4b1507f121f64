#include "client/private_daemon/daemon_config.h"

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace hydra {
namespace {

using Json = nlohmann::json;

DaemonOverrides Overrides() {
  DaemonOverrides overrides;
  overrides.unix_socket = "/tmp/r/hydrad.sock";
  overrides.state_dir = "/home/ann/runs";
  overrides.default_pool_path = "/tmp/r/pool";
  return overrides;
}

TEST(MakeDaemonConfigTest, HasDefaultsForEverything) {
  const auto config = MakeDaemonConfig("", Overrides());
  ASSERT_TRUE(config.ok()) << config.status();
  const Json json = Json::parse(*config);
  EXPECT_EQ(json["unix_socket"], "/tmp/r/hydrad.sock");
  EXPECT_EQ(json["state_dir"], "/home/ann/runs");
  EXPECT_EQ(json["allow_exported_chains"], true);
  EXPECT_EQ(json["checkpoint_on_stop"], false);
  EXPECT_EQ(json["worker_patience_seconds"], 2);
  EXPECT_EQ(json["output_roots"], Json::array({"/"}));
  EXPECT_EQ(json["pool"]["path"], "/tmp/r/pool");
  EXPECT_EQ(json["pool"]["size_bytes"], int64_t{8} << 30);
  ASSERT_EQ(json["devices"].size(), 2);
  EXPECT_EQ(json["devices"][1]["name"], "cpu:1");
  EXPECT_EQ(json["devices"][1]["memory_limit_bytes"], int64_t{1} << 30);
  EXPECT_EQ(json["devices"][1]["threads"], 1);
}

TEST(MakeDaemonConfigTest, KeepsTheUsersFileButForWhatIsPrivate) {
  const auto config = MakeDaemonConfig(
      "unix_socket: /run/hydra/hydrad.sock\n"
      "tcp_address: 127.0.0.1:7070\n"
      "http: {unix_socket: /run/hydra/http.sock}\n"
      "file_broker: /run/hydra-files/socket\n"
      "allow: [group hydra]\n"
      "operators: [group hydra-admin]\n"
      "shares: {users: [{name: bob, weight: 2}]}\n"
      "quotas: {each_user: {queued_jobs: 1}}\n"
      "checkpoint_on_stop: true\n"
      "allow_exported_chains: false\n"
      "lookahead: 2\n"
      "output_roots: [/out]\n"
      "pool: {size_bytes: 3GiB, path: /var/pool, lock_memory: true}\n"
      "devices:\n"
      "- {name: cpu:5, memory_limit_bytes: 512MiB}\n",
      Overrides());
  ASSERT_TRUE(config.ok()) << config.status();
  const Json json = Json::parse(*config);
  EXPECT_EQ(json["unix_socket"], "/tmp/r/hydrad.sock");
  EXPECT_FALSE(json.contains("tcp_address"));
  EXPECT_FALSE(json.contains("http"));
  EXPECT_FALSE(json.contains("file_broker"));
  EXPECT_FALSE(json.contains("allow"));
  EXPECT_FALSE(json.contains("operators"));
  EXPECT_FALSE(json.contains("shares"));
  EXPECT_FALSE(json.contains("quotas"));
  EXPECT_EQ(json["allow_exported_chains"], "false");
  EXPECT_EQ(json["checkpoint_on_stop"], false);
  EXPECT_EQ(json["pool"]["lock_memory"], "true");
  EXPECT_EQ(json["lookahead"], "2");
  EXPECT_EQ(json["output_roots"], Json::array({"/out"}));
  EXPECT_EQ(json["pool"]["size_bytes"], "3GiB");
  EXPECT_EQ(json["pool"]["path"], "/var/pool");
  ASSERT_EQ(json["devices"].size(), 1);
  EXPECT_EQ(json["devices"][0]["name"], "cpu:5");
  EXPECT_EQ(json["devices"][0]["memory_limit_bytes"], "512MiB");
}

TEST(MakeDaemonConfigTest, FlagsWinOverTheUsersFile) {
  DaemonOverrides overrides = Overrides();
  overrides.devices = {"cpu:0", "cpu:1", "cpu:2"};
  overrides.device_memory_bytes = 1 << 20;
  overrides.threads = 4;
  overrides.pool_bytes = 1 << 25;
  overrides.pool_path = "/dev/shm/mine";
  const auto config = MakeDaemonConfig(
      "pool: {size_bytes: 3GiB}\ndevices: [{name: cpu:5}]\n", overrides);
  ASSERT_TRUE(config.ok()) << config.status();
  const Json json = Json::parse(*config);
  EXPECT_EQ(json["pool"]["size_bytes"], 1 << 25);
  EXPECT_EQ(json["pool"]["path"], "/dev/shm/mine");
  ASSERT_EQ(json["devices"].size(), 3);
  EXPECT_EQ(json["devices"][2]["memory_limit_bytes"], 1 << 20);
  EXPECT_EQ(json["devices"][2]["threads"], 4);
}

TEST(MakeDaemonConfigTest, ADeviceMayHaveALimitAndALink) {
  DaemonOverrides overrides = Overrides();
  overrides.devices = {"cpu:0=1MiB", "link=0.5", "cuda:all"};
  overrides.device_memory_bytes = 1 << 25;
  const auto config = MakeDaemonConfig("", overrides);
  ASSERT_TRUE(config.ok()) << config.status();
  const Json devices = Json::parse(*config)["devices"];
  ASSERT_EQ(devices.size(), 2);
  EXPECT_EQ(devices[0]["memory_limit_bytes"], 1 << 20);
  EXPECT_EQ(devices[0]["link"]["to_device_gb_per_second"], 0.5);
  EXPECT_EQ(devices[1]["name"], "cuda:all");
  EXPECT_EQ(devices[1]["memory_limit_bytes"], 1 << 25);
  EXPECT_FALSE(devices[1].contains("link"));
}

TEST(MakeDaemonConfigTest, MemoryOfAllReplacesTheFilesOwn) {
  DaemonOverrides overrides = Overrides();
  overrides.device_memory_bytes = 1 << 25;
  const auto config = MakeDaemonConfig(
      "devices: [{name: cpu:5, memory_limit_bytes: 1GiB}]\n", overrides);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(Json::parse(*config)["devices"][0]["memory_limit_bytes"], 1 << 25);
}

TEST(MakeDaemonConfigTest, AMistakeInADeviceNamesTheFlag) {
  DaemonOverrides overrides = Overrides();
  overrides.devices = {"cpu:0=much"};
  const absl::Status status = MakeDaemonConfig("", overrides).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("--device: in 'cpu:0=much'"),
            absl::string_view::npos)
      << status;
}

TEST(MakeDaemonConfigTest, RefusesWhatIsNoMap) {
  for (const char* bad : {"- a\n", "pool: 3\n", "devices: [cpu:0]\n", "{: :"}) {
    EXPECT_EQ(MakeDaemonConfig(bad, Overrides()).status().code(),
              absl::StatusCode::kInvalidArgument)
        << bad;
  }
}

}  // namespace
}  // namespace hydra
