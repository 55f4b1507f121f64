#include "scheduler/daemon/daemon.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/broker/channel.h"
#include "common/broker/message.h"
#include "common/clock/steady_time.h"
#include "common/failpoint/fail_point.h"
#include "common/file/file_user.h"
#include "common/file/listening_socket.h"
#include "common/file/private_places.h"
#include "common/file/unique_fd.h"
#include "common/pool/pool_file.h"
#include "common/status/proto_time.h"
#include "common/text/printable.h"
#include "glog/logging.h"
#include "scheduler/core/actions.h"
#include "scheduler/core/checkpoints.h"
#include "scheduler/core/core.h"
#include "scheduler/core/job.h"
#include "scheduler/daemon/access_rules.h"
#include "scheduler/daemon/daemon_state.h"
#include "scheduler/daemon/job_paths.h"
#include "scheduler/daemon/journal_files.h"
#include "scheduler/daemon/memory_need.h"
#include "scheduler/daemon/memory_trimmer.h"
#include "scheduler/daemon/open_files.h"
#include "scheduler/daemon/open_state.h"
#include "scheduler/daemon/reloaded_config.h"
#include "scheduler/daemon/restored_core.h"
#include "scheduler/daemon/server_info.h"
#include "scheduler/daemon/state_directory.h"
#include "scheduler/daemon/unix_socket.h"
#include "scheduler/daemon/user_limits.h"
#include "scheduler/daemon/worker_fleet.h"
#include "scheduler/daemon/writers.h"
#include "scheduler/forecast/queued_job.h"
#include "scheduler/http/http_api.h"
#include "scheduler/http/http_listener.h"
#include "scheduler/journal/journal.h"
#include "scheduler/journal/record_store.h"
#include "scheduler/notify/notice_program.h"
#include "scheduler/notify/notifier.h"
#include "scheduler/policy/policies.h"
#include "scheduler/runtime/core_thread.h"
#include "scheduler/runtime/daemon_meter.h"
#include "scheduler/runtime/forecaster.h"
#include "scheduler/runtime/read_model.h"
#include "scheduler/runtime/submission_gate.h"
#include "scheduler/runtime/trace_log.h"
#include "scheduler/service/access.h"
#include "scheduler/service/account_names.h"
#include "scheduler/service/accounts.h"
#include "scheduler/service/client_server.h"
#include "scheduler/service/connection_table.h"
#include "scheduler/service/worker_server.h"
#include "scheduler/storage/audit_log.h"
#include "scheduler/storage/job_history.h"
#include "scheduler/storage/log_store.h"
#include "scheduler/submission/submission.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

// Of the time to stop, what is left when checkpoints had theirs.
constexpr absl::Duration kReserveForEnding = absl::Seconds(5);
// Files of metrics follow what is recorded within seconds.
constexpr absl::Duration kLateMetrics = absl::Minutes(10);
// Programs that tell people have so long to end when hydrad does.
constexpr absl::Duration kLastNotices = absl::Seconds(3);
constexpr absl::Duration kTrimEvery = absl::Minutes(1);
constexpr absl::Duration kParkPoll = absl::Milliseconds(20);
// Who may use it, the socket's group says, or the configuration.
constexpr mode_t kClientSocketMode = 0660;
constexpr mode_t kOpenClientSocketMode = 0666;
constexpr mode_t kWorkerSocketMode = 0600;

// Whether `path` lies in the folder itself.
bool IsDirectlyIn(const std::string& path, const std::string& folder) {
  return std::filesystem::path(path).parent_path().lexically_normal() ==
         std::filesystem::path(folder + "/").lexically_normal().parent_path();
}

// Whether others must be able to pass the state directory.
bool HasSocketInStateDirectory(const config::v1::DaemonConfig& config) {
  return IsDirectlyIn(config.unix_socket(), config.state_dir()) ||
         IsDirectlyIn(config.http().unix_socket(), config.state_dir());
}

// Whether it is locked.
absl::StatusOr<bool> LockPool(const config::v1::DaemonConfig& config,
                              PoolFile& pool) {
  if (!config.pool().lock_memory()) return false;
  const absl::Status locked = pool.LockInMemory();
  if (locked.ok()) return true;
  if (!config.pool().allow_unlocked()) return locked;
  LOG(WARNING) << "the pool may be swapped out: " << locked.message();
  return false;
}

// What a daemon has open as long as it is there.
struct Opened {
  StateDirectory directory;
  // With the configuration.
  DaemonState state;
  std::vector<std::string> own_files;
  AccessPolicy access;
  // As it was given, and reloaded since.
  config::v1::DaemonConfig running;
};

// What is read without asking the core.
struct Readable {
  Readable(const RecordStore* jobs, const std::string& job_logs)
      : history(jobs), logs(LogsIn(job_logs)) {}

  LogStore::Options LogsIn(const std::string& directory) const {
    LogStore::Options options;
    options.directory = directory;
    options.is_known = [this](JobId job) {
      return !absl::IsNotFound(history.FindSubmitted(job).status());
    };
    return options;
  }

  const JobHistory history;
  LogStore logs;
  ReadModel model;
  TraceLog trace{TraceLog::Limit(), SteadyNow()};
  DaemonMeter meter;
};

// Each member uses those above it, and ends before them.
class DaemonImpl final : public Daemon {
 public:
  explicit DaemonImpl(Opened opened)
      : opened_(std::move(opened)),
        checker_(PathsOf(config(), directory().outputs()),
                 directory().outputs(), config().allow_exported_chains()),
        readable_(opened_.state.jobs.get(), directory().job_logs()),
        audit_(directory().audit_log()),
        worker_server_(&core_thread_) {}

  // A turn of the core uses what stands below it, and what waits for log lines
  // uses the core's thread.
  ~DaemonImpl() override {
    core_thread_.Stop();
    readable_.logs.Stop();
  }

  // Returns when clients can connect. After an error there is no pool that was
  // not there before.
  absl::Status Begin() {
    const absl::StatusOr<bool> locked = LockPool(config(), *opened_.state.pool);
    pool_is_locked_ = locked.value_or(false);
    absl::Status status = locked.status();
    if (status.ok()) status = Restore();
    if (status.ok()) status = Serve();
    if (!status.ok() && opened_.state.pool_is_new) RemovePool();
    return status;
  }

  absl::StatusOr<std::vector<std::string>> Reload(
      const config::v1::DaemonConfig& config) override {
    const config::v1::DaemonConfig next =
        ReloadedConfig(opened_.running, config);
    const absl::StatusOr<AccessPolicy> access = AccessOf(next);
    if (!access.ok()) return access.status();
    const absl::StatusOr<ShareOptions> shares = SharesOf(next);
    if (!shares.ok()) return shares.status();
    const absl::StatusOr<QuotaOptions> quotas = QuotasOf(next);
    if (!quotas.ok()) return quotas.status();
    // Who may not enter any more is refused before others may reach the socket.
    opened_.access.TakeRulesOf(*access);
    opened_.running = next;
    for (const std::string& path :
         {next.unix_socket(), next.http().unix_socket()}) {
      if (path.empty() || chmod(path.c_str(), SocketMode()) == 0) continue;
      LOG(WARNING) << "cannot set the mode of " << path << ": "
                   << std::strerror(errno);
    }
    core_thread_.Post(
        [shares = *shares, quotas = *quotas](Core& core, absl::Time) {
          core.SetUserLimits(shares, quotas);
        });
    return DifferingFields(next, config);
  }

  void Stop(absl::Duration patience) override {
    const absl::Time deadline = SteadyNow() + patience;
    http_listeners_.clear();
    client_server_->EndStreams();
    core_thread_.EndPatience();
    fleet_->StopRestarting();
    if (config().checkpoint_on_stop()) Park(deadline - kReserveForEnding);
    core_thread_.Post([](Core& core, absl::Time) { core.StopWorkers(); });
    fleet_->Stop(deadline);
    worker_server_.streams().CloseAll();
    gate_.Stop();
    worker_server_.Close();
    client_server_->Close();
    const absl::Time shut_down = absl::Now() + absl::Seconds(1);
    client_server_->Shutdown(shut_down);
    worker_server_.Shutdown(shut_down);
    const bool all_saved =
        core_thread_
            .Ask([](Core& core, absl::Time) { return AllSaved(core.jobs()); })
            .value_or(false);
    // The core's last turns may still ask them to write, which does nothing.
    writers_->StopFiles();
    forecaster_->Stop();
    core_thread_.Stop();
    const bool all_recorded = writers_->StopJournal() && !turns_fail_;
    if (notifier_) notifier_->Stop(kLastNotices);
    unlink(config().unix_socket().c_str());
    UnlinkHttpSocket();
    unlink(directory().worker_socket().c_str());
    LeavePool(all_saved, all_recorded);
  }

 private:
  const config::v1::DaemonConfig& config() const {
    return opened_.state.config;
  }
  const StateDirectory& directory() const { return opened_.directory; }

  // Goes on where an earlier daemon was.
  absl::Status Restore() {
    absl::StatusOr<RestoredCore> restored =
        RestoreCore(directory(), opened_.state);
    if (!restored.ok()) return restored.status();
    core_.emplace(*std::move(restored));
    return absl::OkStatus();
  }

  absl::Status Serve() {
    MakeWriters();
    const v1::GetServerInfoResponse info =
        ServerInfo(config(), *opened_.state.pool, pool_is_locked_);
    MakeForecaster();
    MakeClientServer(info);
    MakeHttpApi(info);
    for (const auto& [id, process] : opened_.state.recovered.workers) {
      worker_server_.streams().Expect(id, process.session(),
                                      static_cast<pid_t>(process.pid()));
    }
    const ConnectionLimits limits = LimitsFor(RaiseOpenFiles());
    absl::Status open = OpenToWorkers(limits);
    // Clients that were there before ask at once.
    do {
      readable_.model.Update(*core_->core, SteadyNow());
    } while (core_->core->jobs().has_changes());
    if (open.ok()) open = OpenHttp();
    if (open.ok()) open = OpenToClients(limits);
    if (!open.ok()) {
      UnlinkHttpSocket();
      return open;
    }
    MakeFleet();
    LookAtMetrics();
    if (!config().notify().empty()) {
      notifier_.emplace(&readable_.model, ChangedSinceRecorded(),
                        NoticeProgram::Options{config().notify()},
                        [this](uid_t user) { return names_.Of(user); });
    }
    // The core has taken it over, and it may be much.
    opened_.state.recovered = {};
    trimmer_.emplace(kTrimEvery);
    core_thread_.Start(core_->core.get(), [this] { return EndTurn(); });
    forecaster_->Start();
    return absl::OkStatus();
  }

  void MakeWriters() {
    Writers::Parts parts;
    parts.pool = opened_.state.pool.get();
    parts.jobs = opened_.state.jobs.get();
    parts.history = &readable_.history;
    parts.core = &core_thread_;
    parts.gate = &gate_;
    parts.read_roots = ReadRoots(config());
    parts.partitions = directory().partitions();
    parts.log = [this](JobId job, const v1::LogLine& line) {
      Do(LineForJob{job, line});
    };
    writers_.emplace(std::move(parts));
  }

  // Whatever an earlier daemon did not come to: of jobs that go on, and of
  // those that ended shortly before it did.
  void LookAtMetrics() {
    absl::Time newest_end = absl::InfinitePast();
    for (const auto& [id, job] : opened_.state.recovered.jobs) {
      if (!job.progress.has_ended_at()) continue;
      newest_end = std::max(newest_end, FromProto(job.progress.ended_at()));
    }
    for (const auto& [id, job] : opened_.state.recovered.jobs) {
      if (!job.progress.has_ended_at() ||
          FromProto(job.progress.ended_at()) >= newest_end - kLateMetrics) {
        writers_->metrics().LookAt(id);
      }
    }
  }

  void MakeForecaster() {
    // The core has one of this name.
    auto policy = MakePolicy(config().policy());
    CHECK(policy.ok()) << policy.status();
    forecaster_.emplace(&readable_.model, *std::move(policy),
                        MachineOf(core_->core->options()), [this] {
                          return core_thread_.Ask([](Core& core, absl::Time) {
                            return Forecaster::Used{core.shares().Uses(),
                                                    core.shares().level(),
                                                    core.options().shares};
                          });
                        });
  }

  // Jobs that this start has failed or paused.
  std::vector<JobId> ChangedSinceRecorded() const {
    std::vector<JobId> changed;
    for (const auto& [id, job] : opened_.state.recovered.jobs) {
      const ReadModel::EntryPtr entry = readable_.model.Find(id);
      if (entry != nullptr && entry->state != job.progress.state()) {
        changed.push_back(id);
      }
    }
    return changed;
  }

  void MakeClientServer(const v1::GetServerInfoResponse& info) {
    HydraServiceImpl::Parts parts;
    parts.core = &core_thread_;
    parts.model = &readable_.model;
    parts.logs = &readable_.logs;
    parts.trace = &readable_.trace;
    parts.checker = &checker_;
    parts.history = &readable_.history;
    parts.journal = &writers_->jobs_journal();
    parts.gate = &gate_;
    parts.access = opened_.access;
    parts.names = &names_;
    parts.forecast = [this](JobId job) { return forecaster_->Of(job); };
    parts.audit = &audit_;
    client_server_.emplace(parts, info);
  }

  void MakeHttpApi(const v1::GetServerInfoResponse& info) {
    HttpApi::Parts parts;
    parts.core = &core_thread_;
    parts.model = &readable_.model;
    parts.logs = &readable_.logs;
    parts.trace = &readable_.trace;
    parts.history = &readable_.history;
    parts.journal = &writers_->jobs_journal();
    parts.meter = &readable_.meter;
    parts.access = opened_.access;
    parts.names = &names_;
    parts.forecast = [this](JobId job) { return forecaster_->Of(job); };
    parts.audit = &audit_;
    http_api_.emplace(parts, info);
  }

  void MakeFleet() {
    WorkerFleet::Parts parts;
    parts.config = &config();
    parts.directory = &opened_.directory;
    parts.pool = opened_.state.pool.get();
    parts.own_files = &opened_.own_files;
    parts.core = &core_thread_;
    parts.streams = &worker_server_.streams();
    fleet_.emplace(parts, std::move(opened_.state.workers));
  }

  // Workers have a socket of their own, where nobody else comes.
  absl::Status OpenToWorkers(const ConnectionLimits& limits) {
    if (absl::Status claimed = ClaimSocketPath(directory().worker_socket());
        !claimed.ok()) {
      return claimed;
    }
    absl::StatusOr<UniqueFd> socket =
        ListenOnUnix(directory().worker_socket(), kWorkerSocketMode);
    if (!socket.ok()) return socket.status();
    return worker_server_.Open(*std::move(socket), limits);
  }

  // Of the sockets that are for users.
  mode_t SocketMode() const {
    return opened_.running.allow().empty() ? kClientSocketMode
                                           : kOpenClientSocketMode;
  }

  absl::Status OpenToClients(const ConnectionLimits& limits) {
    absl::StatusOr<UniqueFd> socket =
        ListenOnUnix(config().unix_socket(), SocketMode());
    if (!socket.ok()) return socket.status();
    std::vector<UniqueFd> sockets;
    if (!config().tcp_address().empty()) {
      auto tcp = ListenOnTcp(config().tcp_address());
      if (!tcp.ok()) {
        unlink(config().unix_socket().c_str());
        return tcp.status();
      }
      sockets = *std::move(tcp);
    }
    sockets.push_back(*std::move(socket));
    return client_server_->Open(std::move(sockets), limits);
  }

  absl::Status OpenHttp() {
    const config::v1::HttpConfig& http = config().http();
    absl::Status open;
    if (!http.unix_socket().empty()) {
      absl::StatusOr<UniqueFd> socket =
          ListenOnUnix(http.unix_socket(), SocketMode());
      if (!socket.ok()) return socket.status();
      open = ListenForHttp(*std::move(socket), /*metrics_alone=*/false);
    }
    if (open.ok() && !http.address().empty()) {
      auto sockets = ListenOnTcp(http.address());
      open = sockets.status();
      for (size_t i = 0; open.ok() && i < sockets->size(); ++i) {
        open = ListenForHttp(std::move((*sockets)[i]),
                             /*metrics_alone=*/!http.insecure_http());
      }
    }
    return open;
  }

  absl::Status ListenForHttp(UniqueFd socket, bool metrics_alone) {
    auto listener = HttpListener::Open(
        std::move(socket),
        [this, metrics_alone](const HttpRequest& request) {
          return metrics_alone ? http_api_->AnswerMetricsAlone(request)
                               : http_api_->Answer(request);
        },
        HttpLimits());
    if (!listener.ok()) return listener.status();
    http_listeners_.push_back(*std::move(listener));
    return absl::OkStatus();
  }

  void UnlinkHttpSocket() {
    const std::string& path = config().http().unix_socket();
    if (!path.empty()) unlink(path.c_str());
  }

  // The end of a turn of the core (see journal.h). While the pool's journal
  // cannot be written nothing goes out, and submissions are refused.
  absl::Status EndTurn() {
    // Of one that cannot be recorded, once.
    if (!turns_fail_) {
      readable_.meter.AddTurn(SteadyNow() - core_thread_.turn_began());
    }
    const auto& changes = core_->journal->pool_changes();
    if (!changes.empty()) {
      FailPoint("daemon.before_commit");
      const absl::Status written = opened_.state.pool_records->Apply(changes);
      if (!written.ok()) {
        const absl::Status trouble = ExplainPoolJournal(config(), written);
        if (!std::exchange(turns_fail_, true)) {
          LOG(ERROR) << "workers wait, since " << trouble.message();
        }
        for (uint64_t sequence : core_->journal->WithdrawSubmissions()) {
          core_->core->SubmissionRefused(sequence);
          gate_.Refused(sequence, trouble);
        }
        return trouble;
      }
      if (std::exchange(turns_fail_, false)) LOG(INFO) << "workers go on";
      FailPoint("daemon.after_commit");
    }
    for (Journal::Entry& entry : core_->journal->TakeEntries()) {
      writers_->jobs_journal().Enqueue(
          {entry.sequence, std::move(entry.changes), entry.refusable});
    }
    for (const Action& action : core_->core->TakeActions()) {
      std::visit([this](const auto& one) { Do(one); }, action);
    }
    readable_.model.Update(*core_->core, SteadyNow());
    return absl::OkStatus();
  }

  // Lets begun tasks end and checkpoints be written.
  void Park(absl::Time deadline) {
    core_thread_.Post([](Core& core, absl::Time) { core.Park(); });
    while (SteadyNow() < deadline) {
      const auto parked = core_thread_.Ask(
          [](Core& core, absl::Time) { return core.parked(); });
      if (parked.value_or(false)) return;
      absl::SleepFor(kParkPoll);
    }
    LOG(WARNING) << "the time to stop is over; not every checkpoint is written";
  }

  // The pool is memory, and goes unless the next daemon needs it: for a job
  // that should be saved and is not, or for the outbox in its journal.
  void LeavePool(bool all_saved, bool all_recorded) {
    if (!all_recorded) {
      LOG(WARNING) << "the pool " << opened_.state.pool->path()
                   << " stays in memory for the next daemon, since "
                   << JobsJournalPath(config())
                   << " lacks what its journal has";
    } else if (!all_saved && config().checkpoint_on_stop()) {
      LOG(WARNING) << "the pool " << opened_.state.pool->path()
                   << " stays in memory for the next daemon, since some jobs "
                      "could not be saved";
    } else {
      RemovePool();
    }
  }

  void RemovePool() {
    opened_.state.pool_records.reset();
    RemovePoolJournal(config());
    if (opened_.state.pool != nullptr) opened_.state.pool->RemoveOnClose();
  }

  // The core's actions, on its thread:

  void Do(const WorkerMessage& message) {
    worker_server_.streams().Send(message.worker, message.desired);
  }
  void Do(const WorkerKill& kill) { fleet_->Kill(kill.worker, kill.reason); }
  void Do(const SaveRequest& request) { writers_->models().Write(request); }
  void Do(const CheckpointRequest& request) {
    writers_->checkpoints().Write(request);
  }
  void Do(const CheckpointRemoval& removal) {
    writers_->checkpoints().Remove(removal);
  }
  void Do(const LogRemoval& removal) { readable_.logs.Forget(removal.job); }
  void Do(const FoundPartition& found) {
    writers_->StorePartition(found.key, found.partition);
  }
  void Do(const LineForJob& kept) {
    const v1::LogLine& line = kept.line;
    readable_.logs.Append(kept.job, line);
    if (line.source() != "hydrad") return;
    const std::string task =
        line.task_id() == 0
            ? ""
            : absl::StrCat(" step ", line.step(), " task ", line.task_id());
    LOG(INFO) << JobName(kept.job) << task << ": " << Printable(line.text());
  }
  void Do(const DroppedLines& dropped) {
    readable_.logs.CountDropped(dropped.job, dropped.count);
  }

  // A worker sends its lines again until they are in their files.
  void Do(const LogLinesTaken& taken) {
    readable_.logs.WhenWritten([this, taken] {
      core_thread_.Post([taken](Core& core, absl::Time) {
        core.LogLinesKept(taken.worker, taken.session, taken.sequence);
      });
    });
  }

  void Do(const TaskTrace& task) {
    readable_.trace.Add(task);
    const Job* const job = core_->core->jobs().Find(task.job);
    readable_.meter.Add(task, job == nullptr ? Caller() : job->owner);
  }
  void Do(const DecisionTrace& decision) { readable_.trace.Add(decision); }

  Opened opened_;
  bool pool_is_locked_ = false;

  // What submissions pass through, and what is read.
  const SubmissionChecker checker_;
  SubmissionGate gate_;
  Readable readable_;

  // Who makes calls, and what became of them.
  AccountNames names_{NameOfUser};
  AuditLog audit_;

  // What decides, on its thread. There when it is restored.
  std::optional<RestoredCore> core_;
  bool turns_fail_ = false;
  CoreThread core_thread_;

  // What looks ahead. There from Serve() on.
  std::optional<Forecaster> forecaster_;

  // What writes.
  std::optional<Writers> writers_;

  // What talks: with clients, with workers, with the system. There from
  // Serve() on.
  std::optional<ClientServer> client_server_;
  WorkerServer worker_server_;
  std::optional<WorkerFleet> fleet_;
  std::optional<MemoryTrimmer> trimmer_;
  std::optional<Notifier> notifier_;
  std::optional<HttpApi> http_api_;
  // They call it, so they end first.
  std::vector<std::unique_ptr<HttpListener>> http_listeners_;
};

// Whether hydra-files answers, if there shall be one.
absl::Status UseFileBroker(const std::string& socket) {
  SetFileBroker(socket);
  if (socket.empty()) return absl::OkStatus();
  broker::Request look;
  look.flags = O_PATH | O_DIRECTORY;
  look.name[0] = '/';
  UniqueFd root;
  const int error =
      broker::Channel(socket, geteuid()).Call(look, /*descriptors=*/{}, &root);
  if (error == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(
      "file_broker: hydra-files does not answer at ", socket, " (",
      std::strerror(error),
      "); start it, such as by systemctl start hydra-files.socket, let its "
      "unit "
      "have hydrad's user, which the machine must know, or take the key out"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::Start(
    const config::v1::DaemonConfig& config, const std::string& config_path) {
  absl::StatusOr<StateDirectory> directory =
      StateDirectory::Open(config.state_dir(),
                           /*others_pass=*/HasSocketInStateDirectory(config));
  if (!directory.ok()) return directory.status();
  absl::StatusOr<AccessPolicy> access = AccessOf(config);
  if (!access.ok()) return access.status();
  if (!config.notify().empty()) {
    const absl::Status program = CheckNoticeProgram(config.notify());
    if (!program.ok()) return program;
  }
  if (absl::Status need = CheckMemoryNeedHere(config); !need.ok()) return need;
  // Before the pool is made, which takes long.
  if (absl::Status claimed = ClaimSocketPath(config.unix_socket());
      !claimed.ok()) {
    return claimed;
  }
  if (!config.http().unix_socket().empty()) {
    const absl::Status claimed = ClaimSocketPath(config.http().unix_socket());
    if (!claimed.ok()) return claimed;
  }
  if (absl::Status reached = UseFileBroker(config.file_broker());
      !reached.ok()) {
    return reached;
  }
  // What jobs wrote is looked at when the state is opened.
  SetPrivatePlaces({config.state_dir()}, directory->outputs());
  absl::StatusOr<DaemonState> state = OpenDaemonState(config);
  if (!state.ok()) return state.status();
  const std::vector<std::string> own_files =
      OwnFiles(state->config, config_path);
  SetPrivatePlaces(own_files, directory->outputs());
  if (!state->pool->is_tmpfs()) {
    LOG(WARNING) << "the pool is an ordinary file, not memory: CPU devices are "
                    "served well while the kernel caches it, and no faster "
                    "than the disk when it does not";
  }
  auto daemon = std::make_unique<DaemonImpl>(
      Opened{*std::move(directory), *std::move(state), own_files,
             *std::move(access), config});
  if (absl::Status begun = daemon->Begin(); !begun.ok()) return begun;
  return daemon;
}

}  // namespace hydra
