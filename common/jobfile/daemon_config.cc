#include "common/jobfile/daemon_config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstdint>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/device/device_name.h"
#include "common/jobfile/account_entry.h"
#include "common/jobfile/path_rules.h"
#include "common/jobfile/suggest.h"
#include "common/jobfile/yaml_to_proto.h"
#include "common/jobfile/yaml_tree.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

using config::v1::DaemonConfig;
using config::v1::DeviceConfig;

constexpr int kMaxLookahead = 8;
constexpr int kMaxThreads = 1024;
// As the worker takes a GPU's memory.
constexpr int64_t kGpuAlignmentBytes = 512;
constexpr int kDefaultTaskTimeoutSeconds = 30;
constexpr int kDefaultWorkerPatienceSeconds = 60;
constexpr double kDefaultHalfLifeHours = 24;
// Two of the largest sweeps.
constexpr int64_t kDefaultQueuedJobs = 20'000;

constexpr Alias kDaemonAliases[] = {
    {"socket", "unix_socket"},
    {"listen", "tcp_address"},
    {"address", "tcp_address"},
    {"data_dir", "state_dir"},
    {"device", "devices"},
    {"pool_path", "pool.path"},
    {"pool_bytes", "pool.size_bytes"},
    {"pool_size", "pool.size_bytes"},
    {"mlock", "pool.lock_memory"},
    {"size", "size_bytes"},
    {"memory", "memory_limit_bytes"},
    {"memory_limit", "memory_limit_bytes"},
    {"limit", "memory_limit_bytes"},
    {"num_threads", "threads"},
};

void CheckRequiredPath(absl::string_view field, absl::string_view path,
                       Mistakes* mistakes) {
  if (path.empty()) {
    AddMistake(field, "expected an absolute path, found nothing", mistakes);
  } else {
    CheckPath(field, path, mistakes);
  }
}

void CheckRoots(absl::string_view field,
                const google::protobuf::RepeatedPtrField<std::string>& roots,
                Mistakes* mistakes) {
  for (int i = 0; i < roots.size(); ++i) {
    CheckPath(absl::StrCat(field, "[", i, "]"), roots[i], mistakes);
  }
}

void CheckAccounts(absl::string_view field,
                   const google::protobuf::RepeatedPtrField<std::string>& names,
                   Mistakes* mistakes) {
  for (int i = 0; i < names.size(); ++i) {
    if (ParseAccountEntry(names[i]).has_value()) continue;
    AddMistake(absl::StrCat(field, "[", i, "]"),
               absl::StrCat("expected the name of a user, or 'group' and that "
                            "of a group, such as 'group hydra', found ",
                            Quoted(names[i])),
               mistakes);
  }
}

bool IsLoopback(const std::string& host) {
  if (host == "localhost" || host == "[::1]") return true;
  in_addr address;
  if (inet_pton(AF_INET, host.c_str(), &address) != 1) return false;
  return ntohl(address.s_addr) >> 24 == 127;
}

// Whether `address` is a loopback address and a port; `example`: one such, and
// `otherwise`: why no other will do.
bool CheckLoopback(absl::string_view field, const std::string& address,
                   absl::string_view example, absl::string_view otherwise,
                   Mistakes* mistakes) {
  const size_t colon = address.rfind(':');
  uint32_t port = 0;
  if (colon == address.npos || colon == 0 ||
      !absl::SimpleAtoi(address.substr(colon + 1), &port) || port > 65535) {
    AddMistake(field,
               absl::StrCat("expected a loopback address and a port, such as ",
                            example, ", found ", Quoted(address)),
               mistakes);
    return false;
  }
  if (!IsLoopback(address.substr(0, colon))) {
    AddMistake(field,
               absl::StrCat("expected a loopback address (127.x.x.x, "
                            "localhost or [::1]), found ",
                            Quoted(address), "; ", otherwise),
               mistakes);
    return false;
  }
  return true;
}

void CheckTcpAddress(const DaemonConfig& config, Mistakes* mistakes) {
  const std::string& address = config.tcp_address();
  if (address.empty() ||
      !CheckLoopback("tcp_address", address, "127.0.0.1:7070",
                     "without TLS, which hydrad does not have yet, others "
                     "could read along and take over",
                     mistakes)) {
    return;
  }
  if (!config.insecure_tcp()) {
    AddMistake("tcp_address",
               absl::StrCat("found ", Quoted(address),
                            ", where every account of this machine could "
                            "connect and do all that hydrad's user may; leave "
                            "it out and use unix_socket, or set insecure_tcp: "
                            "true if all accounts are to be trusted"),
               mistakes);
  } else if (!config.allow().empty()) {
    AddMistake("tcp_address",
               absl::StrCat("found ", Quoted(address),
                            ", where nobody can tell who connects, beside "
                            "allow, which says who may; leave one of them out"),
               mistakes);
  }
}

void CheckSocket(absl::string_view field, const std::string& path,
                 Mistakes* mistakes) {
  CheckPath(field, path, mistakes);
  constexpr size_t kMaxBytes = sizeof(sockaddr_un::sun_path) - 1;
  if (path.size() > kMaxBytes) {
    AddMistake(
        field,
        absl::StrCat("expected a path of at most ", kMaxBytes,
                     " bytes, found one of ", path.size(), ": ", Quoted(path)),
        mistakes);
  }
}

void CheckFileBroker(const DaemonConfig& config, Mistakes* mistakes) {
  if (config.file_broker().empty()) return;
  CheckSocket("file_broker", config.file_broker(), mistakes);
  if (config.allow_exported_chains()) {
    AddMistake("file_broker",
               absl::StrCat("found ", Quoted(config.file_broker()),
                            " beside allow_exported_chains: true: code of "
                            "users would run as hydrad's user, for whom "
                            "hydra-files opens everybody's files; leave one "
                            "of them out"),
               mistakes);
  }
}

void CheckHttp(const DaemonConfig& config, Mistakes* mistakes) {
  const config::v1::HttpConfig& http = config.http();
  if (!http.unix_socket().empty()) {
    CheckSocket("http.unix_socket", http.unix_socket(), mistakes);
    if (http.unix_socket() == config.unix_socket()) {
      AddMistake(
          "http.unix_socket",
          absl::StrCat("expected another socket than unix_socket, found ",
                       Quoted(http.unix_socket())),
          mistakes);
    }
  }
  if (!http.address().empty()) {
    CheckLoopback("http.address", http.address(), "127.0.0.1:9464",
                  "without TLS, which hydrad does not have yet, others could "
                  "read along",
                  mistakes);
  } else if (http.insecure_http()) {
    AddMistake("http.insecure_http",
               "expected an http.address with it, found none", mistakes);
  }
  if (http.insecure_http() && !config.allow().empty()) {
    AddMistake("http.insecure_http",
               "found true beside allow: nobody can tell who reads at "
               "http.address, so nobody would be let in; leave one of them "
               "out (metrics are served there without it)",
               mistakes);
  }
}

void CheckAtLeast(absl::string_view field, int64_t bytes, int64_t least_bytes,
                  Mistakes* mistakes) {
  if (bytes >= least_bytes) return;
  AddMistake(field,
             absl::StrCat("expected at least ", least_bytes >> 20,
                          "MiB, found ", bytes, " bytes"),
             mistakes);
}

void CheckSeconds(absl::string_view field, int seconds, Mistakes* mistakes) {
  if (seconds >= 1) return;
  AddMistake(field,
             absl::StrCat("expected a whole number from 1 on, found ", seconds),
             mistakes);
}

// A slower link than the slowest is a mistake in the unit.
void CheckLinkRate(const std::string& path, double gb_per_second,
                   Mistakes* mistakes) {
  constexpr double kSlowest = 0.001;
  constexpr double kFastest = 100000;
  if (gb_per_second >= kSlowest && gb_per_second <= kFastest) return;
  AddMistake(path,
             absl::StrCat("expected a number of GB/s from ", kSlowest, " to ",
                          kFastest, ", found ", gb_per_second),
             mistakes);
}

void CheckLink(const std::string& path, const config::v1::LinkConfig& link,
               Mistakes* mistakes) {
  CheckLinkRate(path + ".to_device_gb_per_second",
                link.to_device_gb_per_second(), mistakes);
  CheckLinkRate(path + ".to_host_gb_per_second", link.to_host_gb_per_second(),
                mistakes);
}

bool IsGpu(const DeviceConfig& device) {
  const auto name = DeviceName::Parse(device.name());
  return name.has_value() && name->kind == DeviceKind::kCuda;
}

void CheckGpu(const std::string& path, const DeviceConfig& device,
              Mistakes* mistakes) {
  if (device.memory_limit_bytes() % kGpuAlignmentBytes != 0) {
    AddMistake(absl::StrCat(path, ".memory_limit_bytes"),
               absl::StrCat("expected a multiple of ", kGpuAlignmentBytes,
                            " for a GPU, found ", device.memory_limit_bytes()),
               mistakes);
  }
  if (device.has_link()) {
    AddMistake(absl::StrCat(path, ".link"),
               "expected none for a GPU, which has a link of its own",
               mistakes);
  }
}

void CheckDevice(const std::string& path, const DeviceConfig& device,
                 Mistakes* mistakes) {
  if (!DeviceName::Parse(device.name()).has_value()) {
    AddMistake(absl::StrCat(path, ".name"),
               absl::StrCat("expected ", DeviceName::kForms,
                            ", such as cpu:0, or cuda:all, found ",
                            Quoted(device.name())),
               mistakes);
  }
  if (IsGpu(device)) CheckGpu(path, device, mistakes);
  CheckAtLeast(absl::StrCat(path, ".memory_limit_bytes"),
               device.memory_limit_bytes(), kMinDeviceBytes, mistakes);
  if (device.threads() < 1 || device.threads() > kMaxThreads) {
    AddMistake(absl::StrCat(path, ".threads"),
               absl::StrCat("expected a whole number from 1 to ", kMaxThreads,
                            ", found ", device.threads()),
               mistakes);
  }
  if (device.has_link()) {
    CheckLink(absl::StrCat(path, ".link"), device.link(), mistakes);
  }
}

void CheckDevices(const DaemonConfig& config, Mistakes* mistakes) {
  if (config.devices().empty()) {
    AddMistake("devices", "expected at least one device, found none", mistakes);
  }
  std::set<absl::string_view> names;
  for (int i = 0; i < config.devices_size(); ++i) {
    const DeviceConfig& device = config.devices(i);
    const std::string path = absl::StrCat("devices[", i, "]");
    CheckDevice(path, device, mistakes);
    if (!names.insert(device.name()).second) {
      AddMistake(absl::StrCat(path, ".name"),
                 absl::StrCat("expected a name for each device, found ",
                              Quoted(device.name()), " twice"),
                 mistakes);
    }
    // A job's bits may depend on these, and must not on where its tasks run.
    if (IsGpu(device) != IsGpu(config.devices(0))) {
      AddMistake(absl::StrCat(path, ".name"),
                 absl::StrCat("expected the kind of devices[0], ",
                              Quoted(config.devices(0).name()), ", found ",
                              Quoted(device.name())),
                 mistakes);
    }
    if (device.threads() != config.devices(0).threads()) {
      AddMistake(absl::StrCat(path, ".threads"),
                 absl::StrCat("expected ", config.devices(0).threads(),
                              " as for devices[0], found ", device.threads()),
                 mistakes);
    }
    if (config.prefetch_bytes() > 0 &&
        config.prefetch_bytes() >= device.memory_limit_bytes()) {
      AddMistake("prefetch_bytes",
                 absl::StrCat("expected less than each device's memory, found ",
                              config.prefetch_bytes(), " bytes, and ", path,
                              " has ", device.memory_limit_bytes()),
                 mistakes);
    }
  }
}

// Of users in `section`, each of which needs a name of its own.
template <typename Users>
void CheckUserNames(absl::string_view section, const Users& users,
                    Mistakes* mistakes) {
  std::set<absl::string_view> names;
  for (int i = 0; i < users.size(); ++i) {
    const std::string field = absl::StrCat(section, ".users[", i, "].name");
    if (users[i].name().empty()) {
      AddMistake(field, "expected the name of an account, found nothing",
                 mistakes);
    } else if (!names.insert(users[i].name()).second) {
      AddMistake(field,
                 absl::StrCat("expected each user once, found ",
                              Quoted(users[i].name()), " twice"),
                 mistakes);
    }
  }
}

void CheckShares(const config::v1::SharesConfig& shares, Mistakes* mistakes) {
  constexpr double kShortest = 0.01;
  constexpr double kLongest = 10'000;
  constexpr double kLeast = 0.001;
  constexpr double kMost = 1'000;
  if (const double hours = shares.half_life_hours();
      !(hours >= kShortest && hours <= kLongest)) {
    AddMistake("shares.half_life_hours",
               absl::StrCat("expected a number from ", kShortest, " to ",
                            kLongest, ", found ", hours),
               mistakes);
  }
  CheckUserNames("shares", shares.users(), mistakes);
  for (int i = 0; i < shares.users_size(); ++i) {
    const double weight = shares.users(i).weight();
    if (weight >= kLeast && weight <= kMost) continue;
    AddMistake(absl::StrCat("shares.users[", i, "].weight"),
               absl::StrCat("expected a number from ", kLeast, " to ", kMost,
                            ", found ", weight),
               mistakes);
  }
}

void CheckQuota(absl::string_view section, const config::v1::QuotaConfig& quota,
                Mistakes* mistakes) {
  const auto check = [&](absl::string_view name, int64_t most) {
    if (most >= 0) return;
    AddMistake(absl::StrCat(section, ".", name),
               absl::StrCat("expected a whole number from 0 on, found ", most),
               mistakes);
  };
  check("queued_jobs", quota.queued_jobs());
  check("admitted_jobs", quota.admitted_jobs());
  check("pool_bytes", quota.pool_bytes());
  check("submissions_per_minute", quota.submissions_per_minute());
}

void CheckQuotas(const config::v1::QuotasConfig& quotas, Mistakes* mistakes) {
  CheckQuota("quotas.each_user", quotas.each_user(), mistakes);
  CheckUserNames("quotas", quotas.users(), mistakes);
  for (int i = 0; i < quotas.users_size(); ++i) {
    CheckQuota(absl::StrCat("quotas.users[", i, "].quota"),
               quotas.users(i).quota(), mistakes);
  }
}

}  // namespace

absl::StatusOr<DaemonConfig> ParseDaemonConfig(absl::string_view text) {
  Mistakes mistakes;
  DaemonConfig config = ReadDaemonConfig(text, &mistakes);
  // A value that could not be read would look as if it were missing.
  if (mistakes.empty()) {
    FillDefaults(&config);
    CheckDaemonConfig(config, &mistakes);
  }
  if (!mistakes.empty()) return ToStatus(mistakes);
  return config;
}

DaemonConfig ReadDaemonConfig(absl::string_view text, Mistakes* mistakes) {
  DaemonConfig config;
  absl::StatusOr<YamlNode> root = ParseYaml(text);
  if (root.ok()) {
    YamlToProto(*root, kDaemonAliases, &config, mistakes);
  } else {
    AddMistake("", root.status().message(), mistakes);
  }
  return config;
}

void FillDefaults(DaemonConfig* config) {
  // A state_dir that is wrong is told once, not in two fields.
  if (config->unix_socket().empty() &&
      absl::StartsWith(config->state_dir(), "/")) {
    config->set_unix_socket(absl::StrCat(
        absl::StripSuffix(config->state_dir(), "/"), "/hydrad.sock"));
  }
  if (!config->has_lookahead()) config->set_lookahead(1);
  if (!config->has_checkpoint_on_stop()) config->set_checkpoint_on_stop(true);
  if (!config->has_task_timeout_seconds()) {
    config->set_task_timeout_seconds(kDefaultTaskTimeoutSeconds);
  }
  if (!config->has_worker_patience_seconds()) {
    config->set_worker_patience_seconds(kDefaultWorkerPatienceSeconds);
  }
  if (!config->shares().has_half_life_hours()) {
    config->mutable_shares()->set_half_life_hours(kDefaultHalfLifeHours);
  }
  if (!config->quotas().each_user().has_queued_jobs()) {
    config->mutable_quotas()->mutable_each_user()->set_queued_jobs(
        kDefaultQueuedJobs);
  }
  for (DeviceConfig& device : *config->mutable_devices()) {
    if (device.threads() == 0) device.set_threads(1);
    if (device.has_link() && device.link().to_host_gb_per_second() == 0) {
      device.mutable_link()->set_to_host_gb_per_second(
          device.link().to_device_gb_per_second());
    }
  }
}

void CheckDaemonConfig(const DaemonConfig& config, Mistakes* mistakes) {
  CheckRequiredPath("state_dir", config.state_dir(), mistakes);
  // Without a state_dir there is no default either.
  if (!config.unix_socket().empty()) {
    CheckSocket("unix_socket", config.unix_socket(), mistakes);
  }
  CheckTcpAddress(config, mistakes);
  CheckFileBroker(config, mistakes);
  if (!config.notify().empty()) {
    CheckPath("notify", config.notify(), mistakes);
  }
  CheckAccounts("allow", config.allow(), mistakes);
  CheckAccounts("operators", config.operators(), mistakes);
  CheckHttp(config, mistakes);
  if (!config.pool().path().empty()) {
    CheckPath("pool.path", config.pool().path(), mistakes);
  }
  CheckAtLeast("pool.size_bytes", config.pool().size_bytes(), kMinPoolBytes,
               mistakes);
  CheckDevices(config, mistakes);
  CheckRoots("read_roots", config.read_roots(), mistakes);
  CheckRoots("output_roots", config.output_roots(), mistakes);
  if (config.lookahead() < 0 || config.lookahead() > kMaxLookahead) {
    AddMistake("lookahead",
               absl::StrCat("expected a whole number from 0 to ", kMaxLookahead,
                            ", found ", config.lookahead()),
               mistakes);
  }
  if (config.prefetch_bytes() < 0) {
    AddMistake("prefetch_bytes",
               absl::StrCat("expected a size of at least 0, found ",
                            config.prefetch_bytes(), " bytes"),
               mistakes);
  }
  CheckSeconds("task_timeout_seconds", config.task_timeout_seconds(), mistakes);
  CheckSeconds("worker_patience_seconds", config.worker_patience_seconds(),
               mistakes);
  CheckShares(config.shares(), mistakes);
  CheckQuotas(config.quotas(), mistakes);
  if (!config.worker_binary().empty()) {
    CheckPath("worker_binary", config.worker_binary(), mistakes);
  }
}

}  // namespace hydra
