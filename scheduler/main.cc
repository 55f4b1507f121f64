// hydrad: the scheduling daemon.

#include <fcntl.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "common/file/unique_fd.h"
#include "common/jobfile/daemon_config.h"
#include "common/jobfile/device_flag.h"
#include "common/jobfile/field_value.h"
#include "common/process/process_start.h"
#include "common/version/version.h"
#include "glog/logging.h"
#include "scheduler/daemon/access_rules.h"
#include "scheduler/daemon/all_gpus.h"
#include "scheduler/daemon/daemon.h"
#include "scheduler/daemon/service_manager.h"
#include "scheduler/daemon/user_limits.h"
#include "scheduler/daemon/watchdog.h"
#include "scheduler/policy/policies.h"
#include "scheduler/recover.h"
#include "scheduler/service/self_check.h"

namespace hydra {
namespace {

enum ExitCode { kExitDamaged = 1, kExitUsage = 2, kExitStart = 3 };

constexpr absl::Duration kStopPatience = absl::Seconds(30);

struct Flags {
  std::string config;
  // "pool.size_bytes=8GiB"
  std::vector<std::string> settings;
  // "cpu:0=1GiB"
  std::vector<std::string> devices;
};

int Complain(int code, absl::string_view message) {
  std::fprintf(stderr, "hydrad: %s\n", std::string(message).c_str());
  return code;
}

std::string WorkerBesideThisProgram() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  for (const char* place : {"hydra-worker", "../worker/hydra-worker"}) {
    const auto worker = self.parent_path() / place;
    if (std::filesystem::exists(worker, error)) {
      return worker.lexically_normal().string();
    }
  }
  return (self.parent_path() / "hydra-worker").string();
}

void ApplySetting(const std::string& setting, config::v1::DaemonConfig& config,
                  Mistakes& mistakes) {
  const size_t equals = setting.find('=');
  const std::string field = setting.substr(0, equals);
  if (equals == std::string::npos) {
    AddMistake(field, "expected FIELD=VALUE after --set", &mistakes);
    return;
  }
  if (absl::Status set =
          SetValueAt(field, setting.substr(equals + 1), {}, &config);
      !set.ok()) {
    AddMistake(field, set.message(), &mistakes);
  }
}

// In the place of the file's.
absl::Status ApplyDevices(const std::vector<std::string>& flags,
                          config::v1::DaemonConfig& config) {
  if (flags.empty()) return absl::OkStatus();
  config.clear_devices();
  const auto devices = ParseDeviceFlags(flags);
  if (!devices.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--device: ", devices.status().message()));
  }
  for (const DeviceFlag& flag : *devices) {
    config::v1::DeviceConfig& device = *config.add_devices();
    device.set_name(flag.name);
    if (flag.memory_limit_bytes.has_value()) {
      device.set_memory_limit_bytes(*flag.memory_limit_bytes);
    }
    if (flag.link_gb_per_second.has_value()) {
      device.mutable_link()->set_to_device_gb_per_second(
          *flag.link_gb_per_second);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<config::v1::DaemonConfig> ReadConfig(const Flags& flags,
                                                    Mistakes& mistakes) {
  config::v1::DaemonConfig config;
  if (!flags.config.empty()) {
    std::ifstream file(flags.config);
    std::stringstream text;
    text << file.rdbuf();
    if (!file) {
      return absl::NotFoundError(absl::StrCat("cannot read ", flags.config));
    }
    config = ReadDaemonConfig(text.str(), &mistakes);
  }
  if (absl::Status applied = ApplyDevices(flags.devices, config);
      !applied.ok()) {
    return applied;
  }
  for (const std::string& setting : flags.settings) {
    ApplySetting(setting, config, mistakes);
  }
  FillDefaults(&config);
  return config;
}

absl::StatusOr<config::v1::DaemonConfig> ReadWholeConfig(const Flags& flags) {
  Mistakes mistakes;
  auto config = ReadConfig(flags, mistakes);
  if (!config.ok()) return config;
  if (config->worker_binary().empty()) {
    config->set_worker_binary(WorkerBesideThisProgram());
  }
  // Whatever else is wrong shows itself once it is known what is there.
  if (const absl::Status gpus = ExpandAllGpus(CountGpus, &*config);
      !gpus.ok()) {
    AddMistake("devices", gpus.message(), &mistakes);
    return ToStatus(mistakes);
  }
  CheckDaemonConfig(*config, &mistakes);
  if (const absl::Status known = MakePolicy(config->policy()).status();
      !known.ok()) {
    AddMistake("policy", known.message(), &mistakes);
  }
  // Names that are wrong in themselves are told already.
  if (mistakes.empty()) {
    for (const absl::Status& known :
         {AccessOf(*config).status(), SharesOf(*config).status(),
          QuotasOf(*config).status()}) {
      // Whether there are such accounts nobody can tell now.
      if (absl::IsUnavailable(known)) return known;
      if (!known.ok()) AddMistake("", known.message(), &mistakes);
    }
  }
  if (!mistakes.empty()) return ToStatus(mistakes);
  return config;
}

// Of a configuration that may be right at another time a service manager tries
// again.
int ComplainOfConfig(const absl::Status& status) {
  return Complain(absl::IsUnavailable(status) ? kExitStart : kExitUsage,
                  status.message());
}

int RunCheck(const Flags& flags) {
  const auto config = ReadWholeConfig(flags);
  if (!config.ok()) return ComplainOfConfig(config.status());
  std::printf("ok\n");
  return 0;
}

// What started this process, if it wants to know how it is. Workers are none of
// its business.
ServiceManager TakeServiceManager() {
  ServiceManager manager([](const char* name) -> std::optional<std::string> {
    const char* const value = getenv(name);
    if (value == nullptr) return std::nullopt;
    return value;
  });
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
    unsetenv(name);
  }
  return manager;
}

// Answers, through the daemon's own socket, for as long as the object lives.
absl::StatusOr<std::unique_ptr<Watchdog>> StartWatchdog(
    const ServiceManager& manager, const std::string& unix_socket) {
  if (!manager.watchdog().has_value()) return nullptr;
  auto made = SelfCheck::Of(unix_socket);
  if (!made.ok()) return made.status();
  const std::shared_ptr<SelfCheck> check = *std::move(made);
  // Two looks may fail, or be late.
  const absl::Duration every = *manager.watchdog() / 4;
  // A stop waits for a look that has begun.
  const absl::Duration patience = std::min(every, absl::Seconds(10));
  return std::make_unique<Watchdog>(
      every, [check, patience] { return check->Answers(patience); },
      [&manager] { manager.Alive(); });
}

int RunRecover(const Flags& flags, bool write) {
  Mistakes mistakes;
  const auto config = ReadConfig(flags, mistakes);
  if (!config.ok()) return Complain(kExitUsage, config.status().message());
  if (config->state_dir().empty()) {
    AddMistake("state_dir", "expected an absolute path, found nothing",
               &mistakes);
  }
  if (!mistakes.empty()) {
    return Complain(kExitUsage, ToStatus(mistakes).message());
  }
  const auto outcome = Recover(*config, write);
  if (!outcome.ok()) return Complain(kExitStart, outcome.status().message());
  std::printf("%s", outcome->text.c_str());
  return outcome->state == RecoverOutcome::State::kDamaged ? kExitDamaged : 0;
}

// Blocked before any thread starts, so that only Main's sigwait takes them.
sigset_t BlockStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    // sigwait would take them all the same.
    if (!IsIgnored(signal)) sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// A terminal that goes away sends SIGHUP, too.
bool HasTerminal() {
  return UniqueFd(open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)).is_open();
}

void Reload(const Flags& flags, const ServiceManager& manager, Daemon& daemon) {
  manager.Reloading();
  const auto config = ReadWholeConfig(flags);
  const auto left = config.ok() ? daemon.Reload(*config) : config.status();
  std::string status;
  if (!left.ok()) {
    status =
        absl::StrCat("the configuration stays as it was, since ", flags.config,
                     " cannot be taken: ", left.status().message());
    LOG(ERROR) << status;
  } else {
    status = absl::StrCat("took ", flags.config);
    if (!left->empty()) {
      absl::StrAppend(&status, "; a restart is needed for ",
                      absl::StrJoin(*left, ", "));
    }
    LOG(INFO) << status;
  }
  manager.Reloaded(status);
}

// Until a signal ends it.
int AwaitEnd(const Flags& flags, const sigset_t& signals,
             const ServiceManager& manager, Daemon& daemon) {
  const bool reloads = !flags.config.empty() && !HasTerminal();
  while (true) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal != SIGHUP || !reloads) return signal;
    Reload(flags, manager, daemon);
  }
}

void TellOfHttp(const config::v1::HttpConfig& http) {
  if (!http.unix_socket().empty()) {
    LOG(INFO) << "the page and metrics are at unix:" << http.unix_socket();
  }
  if (http.insecure_http()) {
    LOG(WARNING) << "the page is at http://" << http.address()
                 << " too, where every account of this machine can read what "
                    "an unknown user may (http.insecure_http)";
  } else if (!http.address().empty()) {
    LOG(INFO) << "metrics are at http://" << http.address() << "/metrics";
  }
}

int Main(int argc, char** argv) {
  Flags flags;
  bool version = false;
  CLI::App app(
      "Hydra's scheduling daemon: keeps the queue and the pool, and starts one "
      "worker for each device.",
      "hydrad");
  app.add_option("--config", flags.config,
                 "a YAML file, see deploy/hydrad.yaml");
  app.add_option("--device", flags.devices,
                 "a device and its memory, such as cpu:0=1GiB; with a modelled "
                 "link, in GB/s: cpu:0=1GiB,link=8; a GPU: cuda:0=14GiB, "
                 "all of them: cuda:all=14GiB; replaces the file's; several "
                 "after commas, and may be repeated");
  app.add_option("--set", flags.settings,
                 "one setting, such as pool.size_bytes=8GiB; goes before the "
                 "file; may be repeated");
  app.add_flag("--version", version, "print the version and end");
  std::string checked;
  const CLI::Option* const check =
      app.add_option("--check-config", checked,
                     "read this file as --config does, with --set and "
                     "--device, print what is wrong with it, or ok, and end")
          ->option_text("FILE")
          ->excludes("--config");
  bool write = false;
  CLI::App* const recover = app.add_subcommand(
      "recover",
      "Looks at jobs.db while no daemon runs. Of a damaged one, says what is "
      "lost, and writes the rest to jobs.db.recovered.");
  recover->fallthrough();
  recover->add_flag("--write", write,
                    "put jobs.db.recovered in the place of the damaged file, "
                    "which stays as jobs.db.damaged-N");
  app.footer(
      "Exit codes: 0 stopped as told, or ok; 1 recover: jobs.db is damaged; 2 "
      "flags or configuration; 3 cannot start, or recover cannot read or "
      "write.\n"
      "Example:\n  hydrad --set state_dir=/var/lib/hydra --set "
      "pool.size_bytes=8GiB --device cpu:0=1GiB --device cpu:1=1GiB");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  if (version) {
    std::printf("hydrad %s\n", kVersion);
    return 0;
  }
  FLAGS_logtostderr = true;
  google::InitGoogleLogging("hydrad");
  // The distribution's Abseil looks for deadlocks at every lock.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  if (recover->parsed()) return RunRecover(flags, write);
  if (check->count() > 0) {
    flags.config = checked;
    return RunCheck(flags);
  }
  const ServiceManager manager = TakeServiceManager();
  const sigset_t signals = BlockStopSignals();
  const absl::StatusOr<config::v1::DaemonConfig> config =
      ReadWholeConfig(flags);
  if (!config.ok()) return ComplainOfConfig(config.status());
  const absl::StatusOr<std::unique_ptr<Daemon>> daemon =
      Daemon::Start(*config, flags.config);
  if (!daemon.ok()) return Complain(kExitStart, daemon.status().message());
  LOG(INFO) << "serving on unix:" << config->unix_socket();
  if (!config->tcp_address().empty()) {
    LOG(WARNING) << "serving on " << config->tcp_address()
                 << " too, where every account of this machine can do all that "
                    "this user may (insecure_tcp)";
  }
  TellOfHttp(config->http());
  absl::StatusOr<std::unique_ptr<Watchdog>> watchdog =
      StartWatchdog(manager, config->unix_socket());
  if (!watchdog.ok()) {
    (*daemon)->Stop(kStopPatience);
    return Complain(kExitStart, watchdog.status().message());
  }
  manager.Ready();
  const int signal = AwaitEnd(flags, signals, manager, **daemon);
  LOG(INFO) << "ending on " << strsignal(signal);
  watchdog->reset();
  manager.Stopping();
  (*daemon)->Stop(kStopPatience);
  return 0;
}

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) {
  hydra::RunAgainIfStreamsAreTaken(argv);
  hydra::OpenStandardStreams();
  hydra::MakeWriteSignalsErrors();
  return hydra::Main(argc, argv);
}
