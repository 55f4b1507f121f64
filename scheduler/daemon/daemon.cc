#include "scheduler/daemon/daemon.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/clock/steady_time.h"
#include "common/failpoint/fail_point.h"
#include "common/file/private_places.h"
#include "common/pool/pool_file.h"
#include "common/protocol/message_size.h"
#include "common/status/proto_time.h"
#include "common/text/printable.h"
#include "common/version/version.h"
#include "glog/logging.h"
#include "scheduler/core/core.h"
#include "scheduler/core/effect_buffer.h"
#include "scheduler/daemon/cpu_model.h"
#include "scheduler/daemon/daemon_state.h"
#include "scheduler/daemon/listening_socket.h"
#include "scheduler/daemon/memory_need.h"
#include "scheduler/daemon/memory_trimmer.h"
#include "scheduler/daemon/state_directory.h"
#include "scheduler/daemon/supervisor.h"
#include "scheduler/daemon/unix_socket.h"
#include "scheduler/journal/group_commit.h"
#include "scheduler/journal/journal.h"
#include "scheduler/journal/recovered.h"
#include "scheduler/journal/recovery.h"
#include "scheduler/journal/tables.h"
#include "scheduler/policy/sharded_lrtf.h"
#include "scheduler/runtime/core_thread.h"
#include "scheduler/runtime/read_model.h"
#include "scheduler/runtime/submission_gate.h"
#include "scheduler/service/connection_table.h"
#include "scheduler/service/doorkeeper.h"
#include "scheduler/service/hydra_service.h"
#include "scheduler/service/reflection_limit.h"
#include "scheduler/service/worker_streams.h"
#include "scheduler/storage/checkpoint_thread.h"
#include "scheduler/storage/job_history.h"
#include "scheduler/storage/log_store.h"
#include "scheduler/storage/model_writer.h"
#include "scheduler/storage/partition_store.h"
#include "scheduler/submission/submission.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr LogStore::Limit kLogOfAJob = {5000, 4 << 20};
constexpr LogStore::Limit kLogsOfAllJobs = {50'000, 64 << 20};
constexpr int kMaxMessageBytes = 64 << 20;
constexpr absl::Duration kJournalRetry = absl::Seconds(1);
// Of the time to stop, what is left when checkpoints had theirs.
constexpr absl::Duration kReserveForEnding = absl::Seconds(5);
constexpr absl::Duration kTrimEvery = absl::Minutes(1);
constexpr absl::Duration kParkPoll = absl::Milliseconds(20);
constexpr rlim_t kWantedOpenFiles = 16'384;
// A connection without a call; a client that has a call to make connects again.
constexpr int kIdleMs = 10 * 60 * 1000;
constexpr mode_t kClientSocketMode = 0660;
constexpr mode_t kWorkerSocketMode = 0600;

// More than calls and streams can be open that take one: these, and those of
// hydra_service.cc.
constexpr int kMaxClientThreads = 400;
constexpr StreamLimits kReflections = {16, 4};

// Pings find clients and workers that are gone without a word, so that their
// streams end within 20 s. They may ping as often themselves.
void KeepAlive(grpc::ServerBuilder& builder) {
  constexpr int kPingMs = 10'000;
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kPingMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingMs);
  // Connections without a call cost memory too.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // 0: a stream that is quiet for long is pinged nevertheless.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdleMs);
  builder.AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kPingMs);
}

std::vector<std::string> ReadRoots(const config::v1::DaemonConfig& config) {
  return {config.read_roots().begin(), config.read_roots().end()};
}

Core::Options CoreOptions(const config::v1::DaemonConfig& config,
                          const DaemonState& state,
                          const StateDirectory& directory) {
  Core::Options options;
  options.pool_first_byte = state.pool->data_offset();
  options.pool_bytes = state.pool->size_bytes() - state.pool->data_offset();
  const std::string model = CpuModel();
  for (const config::v1::DeviceConfig& device : config.devices()) {
    options.devices.push_back(
        {device.name(), device.memory_limit_bytes(), device.threads(), model});
  }
  options.lookahead = config.lookahead();
  options.prefetch_bytes = config.prefetch_bytes();
  options.watchdog_floor = absl::Seconds(config.task_timeout_seconds());
  options.token_cache_dir = directory.tokens();
  options.partitions = PartitionStore(directory.partitions()).Load();
  options.first_job = state.first_job;
  options.generation = state.generation;
  options.read_roots = ReadRoots(config);
  return options;
}

PathPolicy PathsOf(const config::v1::DaemonConfig& config,
                   const StateDirectory& directory) {
  std::vector<std::string> outputs(config.output_roots().begin(),
                                   config.output_roots().end());
  return PathPolicy(ReadRoots(config), outputs, directory.outputs());
}

// Whether `path` lies in the folder itself.
bool IsDirectlyIn(const std::string& path, const std::string& folder) {
  return std::filesystem::path(path).parent_path().lexically_normal() ==
         std::filesystem::path(folder + "/").lexically_normal().parent_path();
}

// What no job may read, whatever the read roots are.
std::vector<std::string> OwnFiles(const config::v1::DaemonConfig& config,
                                  const std::string& config_path) {
  std::vector<std::string> files = {config.state_dir(), config.pool().path()};
  for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
    files.push_back(PoolJournalPath(config) + suffix);
  }
  if (!config_path.empty()) files.push_back(config_path);
  return files;
}

// For as many connections as may be; workers inherit it, which does no harm.
ConnectionLimits RaiseOpenFiles() {
  rlimit limit = {};
  PCHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlim_t soft = limit.rlim_cur;
  limit.rlim_cur = std::min(limit.rlim_max, kWantedOpenFiles);
  if (limit.rlim_cur <= soft || setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    limit.rlim_cur = soft;
  }
  return LimitsFor(
      static_cast<int64_t>(std::min(limit.rlim_cur, kWantedOpenFiles)));
}

v1::GetServerInfoResponse InfoOf(const PoolFile& pool) {
  v1::GetServerInfoResponse info;
  info.set_version(kVersion);
  info.set_pool_path(pool.path());
  info.set_pool_bytes(pool.size_bytes());
  *info.mutable_started_at() = ToProto(absl::Now());
  return info;
}

absl::Status LockPool(const config::v1::DaemonConfig& config, PoolFile& pool) {
  if (!config.pool().lock_memory()) return absl::OkStatus();
  const absl::Status locked = pool.LockInMemory();
  if (locked.ok() || !config.pool().allow_unlocked()) return locked;
  LOG(WARNING) << "the pool may be swapped out: " << locked.message();
  return absl::OkStatus();
}

class DaemonImpl final : public Daemon, private Effects {
 public:
  DaemonImpl(StateDirectory directory, DaemonState state,
             std::vector<std::string> own_files)
      : config_(state.config),
        own_files_(std::move(own_files)),
        directory_(std::move(directory)),
        state_(std::move(state)),
        logs_(kLogOfAJob, kLogsOfAllJobs),
        checker_(PathsOf(config_, directory_), directory_.outputs()),
        history_(state_.jobs.get()),
        streams_(&core_thread_, [this](const std::string& peer) {
          return worker_door_->PeerOf(peer).pid;
        }) {}

  // Returns when clients can connect. After an error there is no pool that was
  // not there before.
  absl::Status Begin() {
    absl::Status status = LockPool(config_, *state_.pool);
    if (status.ok()) status = Restore();
    if (status.ok()) status = Serve();
    if (!status.ok() && state_.pool_is_new) RemovePool();
    return status;
  }

  void Stop(absl::Duration patience) override {
    const absl::Time deadline = SteadyNow() + patience;
    service_->Stop();
    core_thread_.EndPatience();
    for (auto& supervisor : supervisors_) supervisor->StopRestarting();
    if (config_.checkpoint_on_stop()) Park(deadline - kReserveForEnding);
    core_thread_.Post([](Core& core, absl::Time) { core.StopWorkers(); });
    for (auto& supervisor : supervisors_) {
      supervisor->Stop(std::max(absl::ZeroDuration(), deadline - SteadyNow()));
    }
    streams_.CloseAll();
    gate_.Stop();
    worker_door_->Stop();
    door_->Stop();
    const absl::Time shut_down = absl::Now() + absl::Seconds(1);
    server_->Shutdown(absl::ToChronoTime(shut_down));
    worker_server_->Shutdown(absl::ToChronoTime(shut_down));
    const bool all_saved =
        core_thread_.Ask([](Core& core, absl::Time) { return core.AllSaved(); })
            .value_or(false);
    // The core's last turns may still ask them to write, which does nothing.
    checkpoints_->Stop();
    models_->Stop();
    core_thread_.Stop();
    const bool all_recorded = group_commit_->Stop() && !turns_fail_;
    unlink(config_.unix_socket().c_str());
    unlink(directory_.worker_socket().c_str());
    LeavePool(all_saved, all_recorded);
  }

 private:
  // Goes on where an earlier daemon was.
  absl::Status Restore() {
    absl::Status restored = MakeCore(state_.recovered);
    if (!absl::IsDataLoss(restored)) return restored;
    LOG(WARNING) << restored.message();
    // The pool is not given up for a fault of jobs.db, which would stay.
    Recovered without_pool = state_.recovered;
    DropPool(without_pool);
    restored = MakeCore(without_pool);
    if (restored.ok()) restored = StartWithNewPool(state_);
    if (restored.ok()) restored = MakeCore(state_.recovered);
    return restored;
  }

  absl::Status Serve() {
    StartWriters();
    HydraServiceImpl::Parts parts;
    parts.core = &core_thread_;
    parts.model = &read_model_;
    parts.logs = &logs_;
    parts.checker = &checker_;
    parts.history = &history_;
    parts.journal = group_commit_.get();
    parts.gate = &gate_;
    parts.user_of = [this](const std::string& peer) {
      return door_->PeerOf(peer).uid;
    };
    service_ = std::make_unique<HydraServiceImpl>(std::move(parts),
                                                  InfoOf(*state_.pool));
    for (const auto& [id, process] : state_.recovered.workers) {
      streams_.Expect(id, process.session(), static_cast<pid_t>(process.pid()));
    }
    const ConnectionLimits limits = RaiseOpenFiles();
    absl::Status open = OpenToWorkers(limits);
    // Clients that were there before ask at once.
    do {
      read_model_.Update(*core_, SteadyNow());
    } while (core_->has_changes());
    if (open.ok()) open = OpenToClients(limits);
    if (!open.ok()) return open;
    for (int i = 0; i < config_.devices_size(); ++i) StartWorker(i);
    // The core has taken it over, and it may be much.
    state_.recovered = {};
    trimmer_.emplace(kTrimEvery);
    core_thread_.Start(core_.get(), [this] { return EndTurn(); });
    return absl::OkStatus();
  }

  // Workers have a socket of their own, where nobody else comes.
  absl::Status OpenToWorkers(const ConnectionLimits& limits) {
    if (absl::Status claimed = ClaimSocketPath(directory_.worker_socket());
        !claimed.ok()) {
      return claimed;
    }
    absl::StatusOr<UniqueFd> socket =
        ListenOnUnix(directory_.worker_socket(), kWorkerSocketMode);
    if (!socket.ok()) return socket.status();
    grpc::ServerBuilder builder;
    KeepAlive(builder);
    builder.SetMaxReceiveMessageSize(kMaxWorkerMessageBytes);
    builder.RegisterService(&streams_);
    worker_server_ = builder.BuildAndStart();
    if (worker_server_ == nullptr) return CannotServe();
    std::vector<UniqueFd> sockets;
    sockets.push_back(*std::move(socket));
    worker_door_ = std::make_unique<Doorkeeper>(
        std::move(sockets), worker_server_.get(), limits,
        [own = geteuid()](const Doorkeeper::Peer& peer) {
          return peer.uid == own;
        });
    worker_door_->Start();
    return absl::OkStatus();
  }

  absl::Status OpenToClients(const ConnectionLimits& limits) {
    absl::StatusOr<UniqueFd> socket =
        ListenOnUnix(config_.unix_socket(), kClientSocketMode);
    if (!socket.ok()) return socket.status();
    std::vector<UniqueFd> sockets;
    if (!config_.tcp_address().empty()) {
      auto tcp = ListenOnTcp(config_.tcp_address());
      if (!tcp.ok()) {
        unlink(config_.unix_socket().c_str());
        return tcp.status();
      }
      sockets = *std::move(tcp);
    }
    sockets.push_back(*std::move(socket));
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    KeepAlive(builder);
    std::vector<
        std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>>
        interceptors;
    interceptors.push_back(std::make_unique<ReflectionLimit>(
        &reflections_,
        [this](const std::string& peer) { return door_->PeerOf(peer).uid; }));
    builder.experimental().SetInterceptorCreators(std::move(interceptors));
    builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
    builder.RegisterService(service_.get());
    builder.SetResourceQuota(
        grpc::ResourceQuota("clients").SetMaxThreads(kMaxClientThreads));
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) return CannotServe();
    server_->GetHealthCheckService()->SetServingStatus(
        v1::HydraService::service_full_name(), true);
    door_ = std::make_unique<Doorkeeper>(
        std::move(sockets), server_.get(), limits,
        [](const Doorkeeper::Peer&) { return true; });
    door_->Start();
    return absl::OkStatus();
  }

  static absl::Status CannotServe() {
    return absl::InternalError("gRPC cannot make a server");
  }

  absl::Status MakeCore(const Recovered& recovered) {
    journal_ = std::make_unique<Journal>(state_.last_sequence);
    effects_ = std::make_unique<EffectBuffer>();
    policy_ = std::make_unique<ShardedLrtf>();
    core_ =
        std::make_unique<Core>(CoreOptions(config_, state_, directory_),
                               policy_.get(), journal_.get(), effects_.get());
    return core_->Restore(recovered, SteadyNow());
  }

  void StartWriters() {
    GroupCommit::Callbacks committed;
    committed.recorded = [this](uint64_t up_to) {
      core_thread_.Post(
          [up_to](Core& core, absl::Time now) { core.Recorded(up_to, now); });
      gate_.Recorded(up_to);
    };
    committed.refused = [this](uint64_t sequence, const absl::Status& why) {
      core_thread_.Post([sequence](Core& core, absl::Time) {
        core.SubmissionRefused(sequence);
      });
      gate_.Refused(sequence, why);
    };
    group_commit_ = std::make_unique<GroupCommit>(
        state_.jobs.get(),
        GroupCommit::SequenceRecord{kJobsMetaTable, 0, kLastSequence},
        std::move(committed), kJournalRetry);
    models_ = std::make_unique<ModelWriter>(
        state_.pool.get(), ReadRoots(config_),
        [this](JobId job, v1::JobDetail& detail) {
          const absl::Status read =
              history_.AddOlderSteps(job, kAllSteps, detail);
          LOG_IF(WARNING, !read.ok())
              << "hydra_job.json of " << JobName(job)
              << " lacks steps that jobs.db has: " << read.message();
        },
        [this](JobId job, const absl::Status& status) {
          core_thread_.Post([job, status](Core& core, absl::Time now) {
            core.ModelSaved(job, status, now);
          });
        });
    CheckpointThread::Callbacks written;
    written.block_written = [this](JobId job, size_t block) {
      core_thread_.Post([job, block](Core& core, absl::Time now) {
        core.CheckpointBlockWritten(job, block, now);
      });
    };
    written.written = [this](JobId job, const absl::StatusOr<int64_t>& bytes) {
      core_thread_.Post([job, bytes](Core& core, absl::Time now) {
        core.CheckpointWritten(job, bytes, now);
      });
    };
    written.not_removed = [this](JobId job, const absl::Status& why) {
      v1::LogLine line;
      *line.mutable_time() = ToProto(absl::Now());
      line.set_severity("W");
      line.set_source("hydrad");
      line.set_step(-1);
      line.set_text(
          absl::StrCat("a checkpoint stays on the disk: ", why.message()));
      LogForJob(job, line);
    };
    checkpoints_ = std::make_unique<CheckpointThread>(
        state_.pool.get(), ReadRoots(config_), std::move(written));
  }

  // The end of a turn of the core (see journal.h). While the pool's journal
  // cannot be written nothing goes out, and submissions are refused.
  absl::Status EndTurn() {
    const auto& changes = journal_->pool_changes();
    if (!changes.empty()) {
      FailPoint("daemon.before_commit");
      const absl::Status written = state_.pool_records->Apply(changes);
      if (!written.ok()) {
        const absl::Status trouble = ExplainPoolJournal(config_, written);
        if (!std::exchange(turns_fail_, true)) {
          LOG(ERROR) << "workers wait, since " << trouble.message();
        }
        for (uint64_t sequence : journal_->WithdrawSubmissions()) {
          core_->SubmissionRefused(sequence);
          gate_.Refused(sequence, trouble);
        }
        return trouble;
      }
      if (std::exchange(turns_fail_, false)) LOG(INFO) << "workers go on";
      FailPoint("daemon.after_commit");
    }
    for (Journal::Entry& entry : journal_->TakeEntries()) {
      group_commit_->Enqueue(
          {entry.sequence, std::move(entry.changes), entry.refusable});
    }
    effects_->Flush(*this);
    read_model_.Update(*core_, SteadyNow());
    return absl::OkStatus();
  }

  // Lets begun tasks end and checkpoints be written.
  void Park(absl::Time deadline) {
    core_thread_.Post([](Core& core, absl::Time now) { core.Park(now); });
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
      LOG(WARNING) << "the pool " << state_.pool->path()
                   << " stays in memory for the next daemon, since "
                   << JobsJournalPath(config_) << " lacks what its journal has";
    } else if (!all_saved && config_.checkpoint_on_stop()) {
      LOG(WARNING) << "the pool " << state_.pool->path()
                   << " stays in memory for the next daemon, since some jobs "
                      "could not be saved";
    } else {
      RemovePool();
    }
  }

  void RemovePool() {
    state_.pool_records.reset();
    RemovePoolJournal(config_);
    if (state_.pool != nullptr) state_.pool->RemoveOnClose();
  }

  void StartWorker(int index) {
    const WorkerId id(index + 1);
    const std::string name = config_.devices(index).name();
    // Only the supervisor's thread uses it.
    auto session = std::make_shared<std::string>();
    Supervisor::Callbacks callbacks;
    callbacks.next = [this, id, index, session] {
      *session = InstanceId::Random().ToHex();
      streams_.Expect(id, *session);
      return WorkerCommand(config_.devices(index), *session);
    };
    callbacks.started = [this, id, name, session](pid_t pid) {
      streams_.Started(id, pid);
      LOG(INFO) << "worker " << name << " started as process " << pid;
      journal::v1::WorkerProcess process;
      process.set_pid(pid);
      process.set_start_time(StartTimeOf(pid).value_or(0));
      process.set_session(*session);
      core_thread_.Post([id, process](Core& core, absl::Time) {
        core.WorkerStarted(id, process);
      });
    };
    callbacks.died = [this, id, name](const std::string& how) {
      LOG(INFO) << "worker " << name << " " << how;
      core_thread_.Post([id, how](Core& core, absl::Time now) {
        core.WorkerDied(id, how, now);
      });
    };
    auto adopted = state_.workers.find(id);
    supervisors_.push_back(
        adopted == state_.workers.end()
            ? std::make_unique<Supervisor>(std::move(callbacks))
            : std::make_unique<Supervisor>(std::move(callbacks),
                                           std::move(adopted->second)));
  }

  Supervisor::Process WorkerCommand(const config::v1::DeviceConfig& device,
                                    const std::string& session) const {
    Supervisor::Process process;
    process.arguments = {
        config_.worker_binary(),
        "--daemon=unix:" + directory_.worker_socket(),
        "--device=" + device.name(),
        absl::StrCat("--memory-limit-bytes=", device.memory_limit_bytes()),
        absl::StrCat("--threads=", device.threads()),
        "--pool-path=" + state_.pool->path(),
        "--pool-instance=" + state_.pool->instance_id().ToHex(),
        "--log-dir=" + directory_.logs(),
        absl::StrCat("--patience-seconds=", config_.worker_patience_seconds()),
        "--private-but-linkable=" + directory_.outputs()};
    for (const std::string& file : own_files_) {
      process.arguments.push_back("--private=" + file);
    }
    process.environment = {"HYDRA_WORKER_SESSION=" + session};
    return process;
  }

  // Effects, on the core's thread:

  void SendDesired(WorkerId worker,
                   const hydra::worker::v1::DesiredState& desired) override {
    streams_.Send(worker, desired);
  }
  void KillWorker(WorkerId worker, absl::string_view reason) override {
    supervisors_[worker.value() - 1]->Kill(reason);
  }
  void SaveModel(const SaveRequest& request) override {
    models_->Write(request);
  }
  void WriteCheckpoint(const CheckpointRequest& request) override {
    checkpoints_->Write(request);
  }
  void RemoveCheckpoint(JobId job, const std::string& path) override {
    checkpoints_->Remove(job, path);
  }
  void StorePartition(const std::string& key,
                      const v1::Partition& partition) override {
    checkpoints_->Do(
        [store = PartitionStore(directory_.partitions()), key, partition] {
          const absl::Status stored = store.Store(key, partition);
          if (!stored.ok()) LOG(WARNING) << stored.message();
        });
  }
  void LogForJob(JobId job, const v1::LogLine& line) override {
    logs_.Append(job, line);
    if (line.source() != "hydrad") return;
    const std::string task =
        line.task_id() == 0
            ? ""
            : absl::StrCat(" step ", line.step(), " task ", line.task_id());
    LOG(INFO) << JobName(job) << task << ": " << Printable(line.text());
  }
  void LogLinesDropped(JobId job, int64_t count) override {
    logs_.CountDropped(job, count);
  }

  const config::v1::DaemonConfig config_;
  const std::vector<std::string> own_files_;
  const StateDirectory directory_;
  DaemonState state_;
  LogStore logs_;
  const SubmissionChecker checker_;
  const JobHistory history_;
  SubmissionGate gate_;
  std::unique_ptr<ShardedLrtf> policy_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<EffectBuffer> effects_;
  std::unique_ptr<Core> core_;
  bool turns_fail_ = false;
  ReadModel read_model_;
  CoreThread core_thread_;
  WorkerStreams streams_;
  std::unique_ptr<GroupCommit> group_commit_;
  std::unique_ptr<ModelWriter> models_;
  std::unique_ptr<CheckpointThread> checkpoints_;
  std::optional<MemoryTrimmer> trimmer_;
  StreamTable reflections_{"reflection streams", kReflections};
  std::unique_ptr<HydraServiceImpl> service_;
  std::unique_ptr<grpc::Server> worker_server_;
  std::unique_ptr<Doorkeeper> worker_door_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Doorkeeper> door_;
  std::vector<std::unique_ptr<Supervisor>> supervisors_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::Start(
    const config::v1::DaemonConfig& config, const std::string& config_path) {
  absl::StatusOr<StateDirectory> directory = StateDirectory::Open(
      config.state_dir(),
      /*others_pass=*/IsDirectlyIn(config.unix_socket(), config.state_dir()));
  if (!directory.ok()) return directory.status();
  if (absl::Status need = CheckMemoryNeedHere(config); !need.ok()) return need;
  // Before the pool is made, which takes long.
  if (absl::Status claimed = ClaimSocketPath(config.unix_socket());
      !claimed.ok()) {
    return claimed;
  }
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
  auto daemon = std::make_unique<DaemonImpl>(*std::move(directory),
                                             *std::move(state), own_files);
  if (absl::Status begun = daemon->Begin(); !begun.ok()) return begun;
  return daemon;
}

}  // namespace hydra
