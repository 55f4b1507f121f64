#include "common/jobfile/daemon_config.h"

#include <fstream>
#include <regex>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

constexpr absl::string_view kValid = R"(
state_dir: /var/lib/hydra
pool: {size_bytes: 8GiB}
devices: [{name: cpu:0, memory_limit_bytes: 512MiB}]
)";

std::string MessageOf(absl::string_view text) {
  return std::string(ParseDaemonConfig(text).status().message());
}

// kValid's first line and pool, with other devices.
std::string WithDevices(absl::string_view devices) {
  return absl::StrCat(
      "{state_dir: /s, pool: {size_bytes: 1GiB}, devices: ", devices, "}");
}

TEST(ParseDaemonConfigTest, FillsInDefaults) {
  absl::StatusOr<config::v1::DaemonConfig> config = ParseDaemonConfig(kValid);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->unix_socket(), "/var/lib/hydra/hydrad.sock");
  EXPECT_EQ(config->tcp_address(), "");
  EXPECT_EQ(config->lookahead(), 1);
  EXPECT_EQ(config->prefetch_bytes(), 0);
  EXPECT_TRUE(config->checkpoint_on_stop());
  EXPECT_FALSE(config->allow_exported_chains());
  EXPECT_EQ(config->task_timeout_seconds(), 30);
  EXPECT_EQ(config->worker_patience_seconds(), 60);
  EXPECT_FALSE(config->pool().lock_memory());
  EXPECT_FALSE(config->pool().allow_unlocked());
  EXPECT_EQ(config->shares().half_life_hours(), 24);
  EXPECT_EQ(config->quotas().each_user().queued_jobs(), 20'000);
  EXPECT_EQ(config->quotas().each_user().admitted_jobs(), 0);
  EXPECT_EQ(config->devices(0).threads(), 1);
  EXPECT_EQ(config->devices(0).memory_limit_bytes(), 512 << 20);
}

// Both as it is and with all that it offers in comments.
TEST(ParseDaemonConfigTest, TakesTheServicesFile) {
  std::ifstream file("deploy/hydrad.yaml");
  std::stringstream text;
  text << file.rdbuf();
  ASSERT_TRUE(file);
  EXPECT_EQ(MessageOf(text.str()), "");
  const std::string all = std::regex_replace(
      text.str(), std::regex("\n# (?=[a-z_]+:[ \n]|  - )"), "\n");
  const auto config = ParseDaemonConfig(all);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->allow_size(), 1);
  EXPECT_EQ(config->operators_size(), 1);
  EXPECT_EQ(config->output_roots_size(), 1);
  EXPECT_EQ(config->file_broker(), "/run/hydra-files/socket");
  EXPECT_EQ(config->notify(), "/etc/hydra/notify");
  // What it says to be the defaults is what they are.
  const auto none = ParseDaemonConfig(kValid);
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_EQ(config->shares().half_life_hours(),
            none->shares().half_life_hours());
  EXPECT_EQ(config->shares().reclaim_room(), none->shares().reclaim_room());
  EXPECT_EQ(config->quotas().each_user().queued_jobs(),
            none->quotas().each_user().queued_jobs());
}

TEST(FillDefaultsTest, KeepsWhatIsSet) {
  config::v1::DaemonConfig config;
  config.set_unix_socket("/run/h.sock");
  config.set_lookahead(0);
  config.set_checkpoint_on_stop(false);
  FillDefaults(&config);
  EXPECT_EQ(config.unix_socket(), "/run/h.sock");
  EXPECT_EQ(config.lookahead(), 0);
  EXPECT_FALSE(config.checkpoint_on_stop());
}

TEST(ParseDaemonConfigTest, ReadsHowThePoolIsLocked) {
  const auto config = ParseDaemonConfig(
      "{state_dir: /s, pool: {size_bytes: 1GiB, lock_memory: true, "
      "allow_unlocked: true}, devices: {name: cpu:0, memory_limit_bytes: "
      "1GiB}}");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_TRUE(config->pool().lock_memory());
  EXPECT_TRUE(config->pool().allow_unlocked());
  EXPECT_EQ(MessageOf("{state_dir: /s, pool: {size_bytes: 1GiB, "
                      "allow_unlocked: true}, devices: {name: cpu:0, "
                      "memory_limit_bytes: 1GiB}}"),
            "")
      << "it says nothing without lock_memory, and is no mistake";
}

TEST(ParseDaemonConfigTest, ALinkIsAsFastToTheHostAsToTheDevice) {
  const auto config = ParseDaemonConfig(
      WithDevices("[{name: cpu:0, memory_limit_bytes: 1GiB, link: "
                  "{to_device_gb_per_second: 1.5}}]"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->devices(0).link().to_host_gb_per_second(), 1.5);
  EXPECT_FALSE(config->devices(0).link().shared_bus());
}

TEST(ParseDaemonConfigTest, ReadsWhoMayDoWhat) {
  const absl::StatusOr<config::v1::DaemonConfig> config =
      ParseDaemonConfig(absl::StrCat(
          kValid,
          "allow: [group hydra, alice]\noperators: root\nprivate_jobs: true"));
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_EQ(config->allow_size(), 2);
  EXPECT_EQ(config->allow(0), "group hydra");
  EXPECT_EQ(config->operators(0), "root");
  EXPECT_TRUE(config->private_jobs());
  EXPECT_EQ(
      MessageOf(absl::StrCat(kValid, "allow: [alice, group a b]")),
      "allow[1]: expected the name of a user, or 'group' and that of a group, "
      "such as 'group hydra', found 'group a b'");
  EXPECT_THAT(
      MessageOf(absl::StrCat(
          kValid,
          "allow: alice\ntcp_address: 127.0.0.1:7\ninsecure_tcp: true")),
      ::testing::HasSubstr("beside allow"));
  EXPECT_THAT(MessageOf(absl::StrCat(kValid,
                                     "allow: alice\nhttp: {address: "
                                     "127.0.0.1:7, insecure_http: true}")),
              ::testing::HasSubstr("http.insecure_http: found true beside "
                                   "allow"));
}

TEST(ParseDaemonConfigTest, TellsAllThatAnEmptyFileLacks) {
  EXPECT_EQ(MessageOf(""),
            "state_dir: expected an absolute path, found nothing\n"
            "pool.size_bytes: expected at least 64MiB, found 0 bytes\n"
            "devices: expected at least one device, found none");
}

TEST(ParseDaemonConfigTest, TheProgramThatTellsIsAWholePath) {
  EXPECT_EQ(MessageOf(absl::StrCat(kValid, "notify: /etc/hydra/notify")), "");
  EXPECT_THAT(MessageOf(absl::StrCat(kValid, "notify: mail")),
              testing::StartsWith("notify: "));
}

TEST(ParseDaemonConfigTest, CodeOfUsersGetsNoBrokerOfFiles) {
  const std::string text =
      absl::StrCat(kValid, "file_broker: /run/hydra-files/socket");
  EXPECT_EQ(MessageOf(text), "");
  EXPECT_THAT(MessageOf(text + "\nallow_exported_chains: true"),
              testing::StartsWith("file_broker: "));
  EXPECT_THAT(MessageOf(absl::StrCat(kValid, "file_broker: relative")),
              testing::StartsWith("file_broker: "));
}

TEST(ParseDaemonConfigTest, ListensOnLoopbackOnly) {
  for (absl::string_view address :
       {"127.0.0.1:7070", "127.3.2.1:0", "localhost:65535", "'[::1]:1'"}) {
    const std::string text = absl::StrCat(kValid, "tcp_address: ", address);
    EXPECT_EQ(MessageOf(text + "\ninsecure_tcp: true"), "");
    EXPECT_THAT(MessageOf(text), testing::HasSubstr("insecure_tcp: true"))
        << "every account of the machine can connect";
  }
  for (absl::string_view address :
       {"0.0.0.0:7070", "192.168.1.2:1", "[::]:1", "lab.example:7070",
        "128.0.0.1:1", "127.0.0.1.example.com:1", "127.1:1", "::1:80"}) {
    EXPECT_EQ(
        MessageOf(absl::StrCat(kValid, "tcp_address: '", address, "'")),
        absl::StrCat("tcp_address: expected a loopback address (127.x.x.x, "
                     "localhost or [::1]), found '",
                     address,
                     "'; without TLS, which hydrad does not have yet, others "
                     "could read along and take over"));
  }
}

TEST(ParseDaemonConfigTest, ServesHttpOnSocketsAndLoopbackOnly) {
  const auto config = ParseDaemonConfig(absl::StrCat(
      kValid,
      "http: {unix_socket: /run/hydra/http.sock, address: 127.0.0.1:9464}"));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->http().unix_socket(), "/run/hydra/http.sock");
  EXPECT_EQ(config->http().address(), "127.0.0.1:9464");
  EXPECT_FALSE(config->http().insecure_http())
      << "an address serves metrics alone unless more is asked for";
  EXPECT_EQ(MessageOf(absl::StrCat(
                kValid, "http: {address: '[::1]:0', insecure_http: true}")),
            "");
  for (absl::string_view address : {"0.0.0.0:80", "192.168.1.2:1", "[::]:1"}) {
    EXPECT_EQ(MessageOf(absl::StrCat(kValid, "http: {address: '", address,
                                     "', insecure_http: true}")),
              absl::StrCat("http.address: expected a loopback address "
                           "(127.x.x.x, localhost or [::1]), found '",
                           address,
                           "'; without TLS, which hydrad does not have yet, "
                           "others could read along"));
  }
}

TEST(ParseDaemonConfigTest, ExplainsEachMistake) {
  const struct {
    std::string text;
    std::string message;
  } kCases[] = {
      {absl::StrCat(kValid, "tcp_address: localhost"),
       "tcp_address: expected a loopback address and a port, such as "
       "127.0.0.1:7070, found 'localhost'"},
      {absl::StrCat(kValid, "tcp_address: localhost:65536"),
       "tcp_address: expected a loopback address and a port, such as "
       "127.0.0.1:7070, found 'localhost:65536'"},
      {absl::StrCat(kValid, "unix_socket: h.sock"),
       "unix_socket: expected an absolute path, found 'h.sock'"},
      {absl::StrCat(kValid, "unix_socket: /", std::string(107, 'a')),
       absl::StrCat("unix_socket: expected a path of at most 107 bytes, found "
                    "one of 108: '/",
                    std::string(107, 'a'), "'")},
      {absl::StrCat(kValid, "shares: {half_life_hours: 0}"),
       "shares.half_life_hours: expected a number from 0.01 to 10000, found 0"},
      {absl::StrCat(kValid,
                    "shares: {users: [{name: ann, weight: 2}, {name: "
                    "ann, weight: 0}]}"),
       "shares.users[1].name: expected each user once, found 'ann' twice\n"
       "shares.users[1].weight: expected a number from 0.001 to 1000, found 0"},
      {absl::StrCat(kValid,
                    "quotas: {each_user: {queued_jobs: -1}, users: "
                    "{quota: {admitted_jobs: -2}}}"),
       "quotas.each_user.queued_jobs: expected a whole number from 0 on, found "
       "-1\n"
       "quotas.users[0].name: expected the name of an account, found nothing\n"
       "quotas.users[0].quota.admitted_jobs: expected a whole number from 0 "
       "on, found -2"},
      {absl::StrCat(kValid, "http: {address: localhost}"),
       "http.address: expected a loopback address and a port, such as "
       "127.0.0.1:9464, found 'localhost'"},
      {absl::StrCat(kValid, "http: {insecure_http: true}"),
       "http.insecure_http: expected an http.address with it, found none"},
      {absl::StrCat(kValid, "http: {unix_socket: h.sock}"),
       "http.unix_socket: expected an absolute path, found 'h.sock'"},
      {absl::StrCat(kValid, "unix_socket: /a\nhttp: {unix_socket: /a}"),
       "http.unix_socket: expected another socket than unix_socket, found "
       "'/a'"},
      {absl::StrCat(kValid, "lookahead: 9"),
       "lookahead: expected a whole number from 0 to 8, found 9"},
      {absl::StrCat(kValid, "lookahead: -1"),
       "lookahead: expected a whole number from 0 to 8, found -1"},
      {absl::StrCat(kValid, "prefetch_bytes: 512MiB"),
       "prefetch_bytes: expected less than each device's memory, found "
       "536870912 bytes, and devices[0] has 536870912"},
      {absl::StrCat(kValid, "prefetch_bytes: -1"),
       "prefetch_bytes: line 5: expected a size such as 512MiB, 8GiB, 1GB or "
       "65536, found '-1'"},
      {absl::StrCat(kValid, "read_roots: [/a, b]"),
       "read_roots[1]: expected an absolute path, found 'b'"},
      {absl::StrCat(kValid, "output_roots: ~/b"),
       "output_roots[0]: expected an absolute path, found '~/b'; '~' is not "
       "expanded, write the directory out"},
      {absl::StrCat(kValid, "worker_binary: hydra-worker"),
       "worker_binary: expected an absolute path, found 'hydra-worker'"},
      {absl::StrCat(kValid, "pool_size: 1GiB"),
       "pool_size: line 5: unknown key 'pool_size'; did you mean 'size_bytes' "
       "under 'pool'?"},
      {absl::StrCat(kValid, "task_timeout_seconds: 0"),
       "task_timeout_seconds: expected a whole number from 1 on, found 0"},
      {absl::StrCat(kValid, "checkpoint_on_stop: maybe"),
       "checkpoint_on_stop: line 5: expected true or false, found 'maybe'"},
      {absl::StrCat(kValid, "mlock: true"),
       "mlock: line 5: unknown key 'mlock'; did you mean 'lock_memory' under "
       "'pool'?"},
      {"{state_dir: s, pool: {size_bytes: 1GiB}, devices: {name: cpu:0, "
       "memory_limit_bytes: 1GiB}}",
       "state_dir: expected an absolute path, found 's'"},
      {"{state_dir: /s, pool: {path: p, size_bytes: 67108863}, devices: {name: "
       "cpu:0, memory_limit_bytes: 1GiB}}",
       "pool.path: expected an absolute path, found 'p'\n"
       "pool.size_bytes: expected at least 64MiB, found 67108863 bytes"},
      {WithDevices("[{name: gpu:0, memory_limit_bytes: 1GiB}]"),
       "devices[0].name: expected cpu:N or cuda:N, such as cpu:0, or cuda:all, "
       "found "
       "'gpu:0'"},
      {WithDevices("[{name: cpu:01, memory_limit_bytes: 1GiB}]"),
       "devices[0].name: expected cpu:N or cuda:N, such as cpu:0, or cuda:all, "
       "found "
       "'cpu:01'"},
      {WithDevices("[{name: cuda:0, memory_limit_bytes: 1073741888, link: "
                   "{to_device_gb_per_second: 8, to_host_gb_per_second: 8}}]"),
       "devices[0].memory_limit_bytes: expected a multiple of 512 for a GPU, "
       "found 1073741888\n"
       "devices[0].link: expected none for a GPU, which has a link of its own"},
      {WithDevices("[{name: cuda:0, memory_limit_bytes: 1GiB}, "
                   "{name: cpu:0, memory_limit_bytes: 1GiB}]"),
       "devices[1].name: expected the kind of devices[0], 'cuda:0', found "
       "'cpu:0'"},
      {WithDevices("[{name: cpu:0, memory_limit_bytes: 16777215}]"),
       "devices[0].memory_limit_bytes: expected at least 16MiB, found "
       "16777215 bytes"},
      {WithDevices("[{name: cpu:0, memory_limit_bytes: 1GiB, threads: 1}, "
                   "{name: cpu:1, memory_limit_bytes: 1GiB, threads: 2}]"),
       "devices[1].threads: expected 1 as for devices[0], found 2"},
      {WithDevices("[{name: cpu:0, memory_limit_bytes: 1GiB, link: "
                   "{to_device_gb_per_second: 0, to_host_gb_per_second: 8}}]"),
       "devices[0].link.to_device_gb_per_second: expected a number of GB/s "
       "from 0.001 to 100000, found 0"},
      {WithDevices("[{name: cpu:0, memory_limit_bytes: 1GiB, threads: -1}]"),
       "devices[0].threads: expected a whole number from 1 to 1024, found -1"},
      {WithDevices("[{name: cpu:0, memory_limit_bytes: 1GiB}, "
                   "{name: cpu:0, memory_limit_bytes: 1GiB}]"),
       "devices[1].name: expected a name for each device, found 'cpu:0' "
       "twice"},
      {WithDevices("[{name: cpu:0, memory: 1GiB}]"),
       "devices[0].memory: line 1: unknown key 'memory'; did you mean "
       "'memory_limit_bytes'?"},
      {"devices: [", "line 1, column 10: this '[' is never closed"},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(MessageOf(test.text), test.message) << test.text;
  }
}

}  // namespace
}  // namespace hydra
