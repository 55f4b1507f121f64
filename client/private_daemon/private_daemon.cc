#include "client/private_daemon/private_daemon.h"

#include <unistd.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/connection/connection.h"
#include "client/private_daemon/health.h"
#include "client/private_daemon/run_folder.h"
#include "client/render/format.h"
#include "common/clock/steady_time.h"
#include "common/file/working_directory.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLogTailLines = 20;
constexpr absl::Duration kLongestPoll = absl::Milliseconds(200);

bool IsProgram(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && access(path.c_str(), X_OK) == 0;
}

absl::StatusOr<std::string> WantProgram(const std::string& path,
                                        absl::string_view origin) {
  if (!IsProgram(path)) {
    return absl::NotFoundError(
        absl::StrCat("no program ", path, " (", origin,
                     "); say where hydrad is with --hydrad PATH or $HYDRAD"));
  }
  return AbsoluteFromHere(path);
}

}  // namespace

absl::StatusOr<std::string> FindHydrad(absl::string_view flag,
                                       const GetEnv& getenv) {
  if (!flag.empty()) return WantProgram(std::string(flag), "--hydrad");
  const std::optional<std::string> variable = getenv("HYDRAD");
  if (variable.has_value() && !variable->empty()) {
    return WantProgram(*variable, "$HYDRAD");
  }
  std::error_code ignored;
  const fs::path self = fs::read_symlink("/proc/self/exe", ignored);
  return WantProgram((self.parent_path() / "hydrad").string(),
                     "beside this program");
}

absl::StatusOr<std::unique_ptr<PrivateDaemon>> PrivateDaemon::Start(
    Options options, Interrupt* interrupt) {
  auto claimed = ClaimRunFolder(options.config.state_dir);
  if (!claimed.ok()) return claimed.status();
  auto directory = RunDirectory::Create(options.run_parent);
  if (!directory.ok()) return directory.status();
  std::unique_ptr<PrivateDaemon> daemon(new PrivateDaemon(
      std::move(options), *std::move(claimed), *std::move(directory)));
  if (absl::Status status = daemon->WriteConfig(); !status.ok()) return status;
  if (absl::Status status = daemon->Launch(); !status.ok()) return status;
  if (absl::Status status = daemon->AwaitReady(interrupt); !status.ok()) {
    return status;
  }
  return daemon;
}

PrivateDaemon::PrivateDaemon(Options options, UniqueFd claimed,
                             std::unique_ptr<RunDirectory> directory)
    : options_(std::move(options)),
      claimed_(std::move(claimed)),
      directory_(std::move(directory)),
      log_path_(absl::StrCat(options_.config.state_dir, "/hydrad.log")) {
  options_.config.unix_socket =
      absl::StrCat(directory_->path(), "/hydrad.sock");
  options_.config.default_pool_path = absl::StrCat(directory_->path(), "/pool");
}

PrivateDaemon::~PrivateDaemon() { Stop(); }

std::string PrivateDaemon::address() const {
  return absl::StrCat("unix:", options_.config.unix_socket);
}

absl::Status PrivateDaemon::WriteConfig() {
  const auto config = MakeDaemonConfig(options_.base_config, options_.config);
  if (!config.ok()) return config.status();
  std::ofstream file(absl::StrCat(directory_->path(), "/hydrad.yaml"));
  file << *config << std::flush;
  if (!file) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot write to ", directory_->path()));
  }
  return absl::OkStatus();
}

absl::Status PrivateDaemon::Launch() {
  auto child =
      ChildProcess::Start({options_.hydrad_path, "--config",
                           absl::StrCat(directory_->path(), "/hydrad.yaml")},
                          log_path_);
  if (!child.ok()) return child.status();
  child_ = *std::move(child);
  return absl::OkStatus();
}

absl::Status PrivateDaemon::AwaitReady(Interrupt* interrupt) {
  const Connection connection(address(), options_.ready_timeout);
  const absl::Time deadline = SteadyNow() + options_.ready_timeout;
  absl::Duration pause = absl::Milliseconds(5);
  while (SteadyNow() < deadline) {
    if (interrupt->triggered()) return absl::CancelledError("interrupted");
    if (child_->WaitFor(pause)) {
      return absl::UnavailableError(absl::StrCat(
          "hydrad ", child_->HowItEnded(), " before it was ready. The end of ",
          log_path_, ":\n", LogTail()));
    }
    if (IsUp(*connection.channel(), pause)) return absl::OkStatus();
    pause = std::min(2 * pause, kLongestPoll);
  }
  return absl::DeadlineExceededError(absl::StrCat(
      "hydrad was not ready after ", DurationText(options_.ready_timeout),
      ". The end of ", log_path_, ":\n", LogTail()));
}

std::string PrivateDaemon::LogTail() const {
  std::ifstream file(log_path_);
  std::deque<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
    if (lines.size() > kLogTailLines) lines.pop_front();
  }
  return absl::StrJoin(lines, "\n");
}

bool PrivateDaemon::Stop() {
  return child_ == nullptr || child_->Stop(options_.stop_patience);
}

}  // namespace hydra
