#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/commands/commands.h"
#include "client/commands/submit_request.h"
#include "client/commands/submit_warnings.h"
#include "client/commands/text_file.h"
#include "client/commands/verb.h"
#include "client/commands/watch_report.h"
#include "client/private_daemon/private_daemon.h"
#include "client/private_daemon/run_folder.h"
#include "client/render/format.h"
#include "common/file/working_directory.h"
#include "common/jobfile/byte_size.h"
#include "common/jobfile/mistakes.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

struct RunOptions {
  std::string file;
  std::string hydrad;
  std::string config;
  std::string state_dir;
  std::vector<std::string> devices;
  std::string device_memory;
  std::string pool_size;
  std::string pool_path;
  int threads = 0;
  OutputFormat format = OutputFormat::kTable;
};

absl::StatusOr<std::optional<int64_t>> ParseSize(const std::string& flag,
                                                 const std::string& text) {
  if (text.empty()) return std::optional<int64_t>();
  const absl::StatusOr<int64_t> bytes = ParseByteSize(text);
  if (!bytes.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(flag, ": ", bytes.status().message()));
  }
  return std::optional<int64_t>(*bytes);
}

absl::StatusOr<std::string> StateDirectory(const RunOptions& options) {
  if (!options.state_dir.empty()) return AbsoluteFromHere(options.state_dir);
  const auto parent = AbsoluteFromHere("hydra-runs");
  if (!parent.ok()) return parent.status();
  return MakeRunFolder(*parent, absl::FormatTime("%Y%m%d-%H%M%S", absl::Now(),
                                                 absl::LocalTimeZone()));
}

// Where a pool is memory, if there is such a place.
absl::StatusOr<std::string> RunParent() {
  std::error_code error;
  if (fs::is_directory("/dev/shm", error)) return "/dev/shm";
  const fs::path temporary = fs::temp_directory_path(error);
  if (!error) return temporary.string();
  return absl::FailedPreconditionError(absl::StrCat(
      "there is neither /dev/shm nor $TMPDIR nor /tmp: ", error.message()));
}

absl::StatusOr<PrivateDaemon::Options> DaemonOptions(
    const CliContext& context, const RunOptions& options) {
  PrivateDaemon::Options daemon;
  const auto hydrad = FindHydrad(options.hydrad, context.getenv);
  if (!hydrad.ok()) return hydrad.status();
  daemon.hydrad_path = *hydrad;
  if (!options.config.empty()) {
    auto text = ReadTextFile(context, options.config);
    if (!text.ok()) return text.status();
    daemon.base_config = *std::move(text);
  }
  const auto memory = ParseSize("--device-memory", options.device_memory);
  if (!memory.ok()) return memory.status();
  const auto pool = ParseSize("--pool-size", options.pool_size);
  if (!pool.ok()) return pool.status();
  daemon.config.device_memory_bytes = *memory;
  daemon.config.pool_bytes = *pool;
  daemon.config.devices = options.devices;
  if (options.threads > 0) daemon.config.threads = options.threads;
  if (!options.pool_path.empty()) {
    auto path = AbsoluteFromHere(options.pool_path);
    if (!path.ok()) return path.status();
    daemon.config.pool_path = *std::move(path);
  }
  auto run_parent = RunParent();
  if (!run_parent.ok()) return run_parent.status();
  daemon.run_parent = *std::move(run_parent);
  // Last: it leaves a folder.
  auto state_dir = StateDirectory(options);
  if (!state_dir.ok()) return state_dir.status();
  daemon.config.state_dir = *std::move(state_dir);
  return daemon;
}

// The daemon's jobs end with it anyway, so errors of this do not matter.
void CancelSweep(const std::string& address, const std::string& sweep_id) {
  Connection connection(address, absl::Seconds(20));
  v1::CancelRequest request;
  request.set_sweep_id(sweep_id);
  (void)connection.Cancel(request);
}

absl::StatusOr<ExitCode> Watch(const CliContext& context,
                               const v1::SubmitResponse& submitted,
                               OutputFormat format, const PrivateDaemon& daemon,
                               Connection* connection) {
  PrintWarnings(context, submitted.warnings());
  CliContext private_context = context;
  // Nobody starts a private daemon again.
  private_context.reconnect.give_up_after = absl::ZeroDuration();
  private_context.needs_workers = true;
  const auto result = WatchSweepAndReport(private_context, submitted.sweep_id(),
                                          format, connection);
  if (context.interrupt->triggered()) {
    *context.err << "hydra: interrupted; cancelling the jobs\n" << std::flush;
    CancelSweep(daemon.address(), submitted.sweep_id());
  } else if (absl::IsUnavailable(result.status()) ||
             absl::IsFailedPrecondition(result.status())) {
    return absl::UnavailableError(
        absl::StrCat(result.status().message(), "; see ", daemon.log_path()));
  }
  return result;
}

absl::StatusOr<ExitCode> Run(const CliContext& context,
                             const Invocation& invocation,
                             const RunOptions& options) {
  // While it lives, an interrupt is noticed here instead of ending the program.
  const Interrupt::Scope keeps_running(context.interrupt, [] {});
  const auto file = LoadSubmitRequest(context, options.file);
  if (!file.ok()) return file.status();
  auto daemon_options = DaemonOptions(context, options);
  if (!daemon_options.ok()) return NotAsked(*file, daemon_options.status());
  const std::string state_dir = daemon_options->config.state_dir;
  *context.err << "hydra: starting hydrad; outputs and logs go to "
               << Printable(state_dir) << "\n"
               << std::flush;
  const auto daemon =
      PrivateDaemon::Start(*std::move(daemon_options), context.interrupt);
  if (!daemon.ok()) return NotAsked(*file, daemon.status());
  Connection connection((*daemon)->address(), AnswerTimeout(invocation));
  const auto submitted = Submit(*file, &connection);
  const absl::StatusOr<ExitCode> result =
      submitted.ok()
          ? Watch(context, *submitted, options.format, **daemon, &connection)
          : submitted.status();
  if (!(*daemon)->Stop()) {
    *context.err << "hydra: hydrad did not end by itself and was killed\n";
  }
  // There is nothing in it but what a daemon keeps that never had a job.
  if (!MistakesOf(submitted.status()).empty() && options.state_dir.empty() &&
      RemoveRunFolder(state_dir).ok()) {
    *context.err << "hydra: no job began; " << Printable(state_dir)
                 << " is removed\n";
  }
  return result;
}

}  // namespace

void AddRun(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<RunOptions>();
  Verb verb(app, "run",
            "Train a job file's jobs with a private hydrad that ends with them",
            "hydra run sweep.yaml --device cpu:0,cpu:1 --device-memory 256MiB",
            invocation, [invocation, options](const CliContext& context) {
              return Run(context, *invocation, *options);
            });
  verb.Argument("FILE", &options->file, "The job file; - is standard input")
      .ListOption("--device", "NAME[=SIZE][,link=GB/S],...", &options->devices,
                  "Devices, one worker for each, as hydrad's --device takes "
                  "them, such as cpu:0=1GiB,link=8 or cuda:all=14GiB (default "
                  "cpu:0,cpu:1)")
      .Option("--device-memory", "SIZE", &options->device_memory,
              "Memory limit of each device (default 1GiB)")
      .Option("--threads", "N", 1, std::numeric_limits<int>::max(),
              &options->threads, "Threads of each CPU device (default 1)")
      .Option("--pool-size", "SIZE", &options->pool_size,
              "Host memory for the shared pool (default 8GiB)")
      .Option("--pool-path", "PATH", &options->pool_path,
              "The pool's file (default: a private one in /dev/shm)")
      .Option("--state-dir", "DIR", &options->state_dir,
              "Outputs, logs and the rest (default ./hydra-runs/<time>)")
      .Option("--config", "FILE", &options->config,
              "A hydrad configuration to start from; flags win over it")
      .Option("--hydrad", "PATH", &options->hydrad,
              "hydrad's program (default $HYDRAD, else beside hydra)")
      .OutputOption(&options->format, /*has_ids=*/false);
}

}  // namespace hydra
