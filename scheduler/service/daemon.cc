#include "scheduler/service/daemon.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/pool/pool_file.h"
#include "common/status/proto_time.h"
#include "common/version/version.h"
#include "glog/logging.h"
#include "scheduler/core/core.h"
#include "scheduler/journal/memory_journal.h"
#include "scheduler/policy/sharded_lrtf.h"
#include "scheduler/service/core_thread.h"
#include "scheduler/service/hydra_service.h"
#include "scheduler/service/log_store.h"
#include "scheduler/service/model_writer.h"
#include "scheduler/service/partition_store.h"
#include "scheduler/service/state_directory.h"
#include "scheduler/service/submission.h"
#include "scheduler/service/supervisor.h"
#include "scheduler/service/worker_streams.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr int64_t kLogLinesPerJob = 5000;
constexpr int kMaxMessageBytes = 64 << 20;

// A socket file that a dead daemon left is removed.
absl::Status ClaimSocketPath(const std::string& path) {
  sockaddr_un address = {};
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "unix_socket: ", path, " has ", path.size(), " bytes; at most ",
        sizeof(address.sun_path) - 1, " are possible"));
  }
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) return absl::OkStatus();
  if (!S_ISSOCK(info.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " exists and is not a socket"));
  }
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool answers = connect(fd, reinterpret_cast<const sockaddr*>(&address),
                               sizeof(address)) == 0;
  close(fd);
  if (answers) {
    return absl::FailedPreconditionError(
        absl::StrCat("a live server listens on ", path));
  }
  unlink(path.c_str());
  return absl::OkStatus();
}

Core::Options CoreOptions(const config::v1::DaemonConfig& config,
                          const PoolFile& pool,
                          const StateDirectory& directory) {
  Core::Options options;
  options.pool_first_byte = pool.data_offset();
  options.pool_bytes = pool.size_bytes() - pool.data_offset();
  for (const config::v1::DeviceConfig& device : config.devices()) {
    options.devices.push_back(
        {device.name(), device.memory_limit_bytes(), device.threads()});
  }
  options.lookahead = config.lookahead();
  options.prefetch_bytes = config.prefetch_bytes();
  options.token_cache_dir = directory.tokens();
  options.partitions = PartitionStore(directory.partitions()).Load();
  options.first_job = directory.NextJob();
  options.read_roots.assign(config.read_roots().begin(),
                            config.read_roots().end());
  return options;
}

PathPolicy PathsOf(const config::v1::DaemonConfig& config,
                   const StateDirectory& directory) {
  std::vector<std::string> outputs(config.output_roots().begin(),
                                   config.output_roots().end());
  outputs.push_back(directory.outputs());
  return PathPolicy({config.read_roots().begin(), config.read_roots().end()},
                    std::move(outputs));
}

v1::GetServerInfoResponse InfoOf(const PoolFile& pool) {
  v1::GetServerInfoResponse info;
  info.set_version(kVersion);
  info.set_pool_path(pool.path());
  info.set_pool_bytes(pool.size_bytes());
  *info.mutable_started_at() = ToProto(absl::Now());
  return info;
}

class DaemonImpl final : public Daemon, private Effects {
 public:
  DaemonImpl(const config::v1::DaemonConfig& config, StateDirectory directory,
             std::unique_ptr<PoolFile> pool)
      : config_(config),
        directory_(std::move(directory)),
        pool_(std::move(pool)),
        logs_(kLogLinesPerJob),
        checker_(PathsOf(config_, directory_), directory_.outputs()),
        core_(CoreOptions(config_, *pool_, directory_), &policy_, &journal_,
              this),
        streams_(&core_thread_),
        service_(&core_thread_, &logs_, &checker_, InfoOf(*pool_)),
        writer_(pool_.get(), [this](JobId job, const absl::Status& status) {
          core_thread_.Post([job, status](Core& core, absl::Time now) {
            core.ModelSaved(job, status, now);
          });
        }) {}

  absl::Status Serve() {
    absl::Status socket = ClaimSocketPath(config_.unix_socket());
    if (!socket.ok()) return socket;
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    // Two daemons on one port would share its clients between them.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
    builder.AddListeningPort("unix:" + config_.unix_socket(),
                             grpc::InsecureServerCredentials());
    int tcp_port = -1;
    if (!config_.tcp_address().empty()) {
      builder.AddListeningPort(config_.tcp_address(),
                               grpc::InsecureServerCredentials(), &tcp_port);
    }
    builder.RegisterService(&service_);
    builder.RegisterService(&streams_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || tcp_port == 0) {
      return absl::FailedPreconditionError(absl::StrCat(
          "cannot listen on unix:", config_.unix_socket(),
          config_.tcp_address().empty() ? "" : " and ", config_.tcp_address(),
          ": the address is in use, or the folder is missing"));
    }
    chmod(config_.unix_socket().c_str(), 0660);
    core_thread_.Start(&core_);
    for (int i = 0; i < config_.devices_size(); ++i) StartWorker(i);
    return absl::OkStatus();
  }

  void Stop(absl::Duration patience) override {
    const absl::Time deadline = absl::Now() + patience;
    service_.Stop();
    for (auto& supervisor : supervisors_) supervisor->StopRestarting();
    core_thread_.Post([](Core& core, absl::Time) { core.StopWorkers(); });
    for (auto& supervisor : supervisors_) {
      supervisor->Stop(std::max(absl::ZeroDuration(), deadline - absl::Now()));
    }
    streams_.CloseAll();
    server_->Shutdown(absl::ToChronoTime(absl::Now() + absl::Seconds(1)));
    core_thread_.Stop();
    unlink(config_.unix_socket().c_str());
    pool_->RemoveOnClose();
  }

 private:
  void StartWorker(int index) {
    const WorkerId id(index + 1);
    const std::string name = config_.devices(index).name();
    Supervisor::Callbacks callbacks;
    callbacks.next = [this, id, index] {
      const std::string session = InstanceId::Random().ToHex();
      streams_.Expect(id, session);
      return WorkerProcess(config_.devices(index), session);
    };
    callbacks.started = [this, id, name](pid_t pid) {
      LOG(INFO) << "worker " << name << " started as process " << pid;
      core_thread_.Post(
          [id, pid](Core& core, absl::Time) { core.WorkerStarted(id, pid); });
    };
    callbacks.died = [this, id, name](const std::string& how) {
      LOG(INFO) << "worker " << name << " " << how;
      core_thread_.Post(
          [id](Core& core, absl::Time now) { core.WorkerDied(id, now); });
    };
    supervisors_.push_back(std::make_unique<Supervisor>(std::move(callbacks)));
  }

  Supervisor::Process WorkerProcess(const config::v1::DeviceConfig& device,
                                    const std::string& session) const {
    return {{config_.worker_binary(), "--daemon=unix:" + config_.unix_socket(),
             "--device=" + device.name(),
             absl::StrCat("--memory-limit-bytes=", device.memory_limit_bytes()),
             absl::StrCat("--threads=", device.threads()),
             "--pool-path=" + pool_->path(),
             "--pool-instance=" + pool_->instance_id().ToHex(),
             "--log-dir=" + directory_.logs(),
             absl::StrCat("--daemon-pid=", getpid())},
            {"HYDRA_WORKER_SESSION=" + session}};
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
    writer_.Write(request);
  }
  void StorePartition(const std::string& key,
                      const v1::Partition& partition) override {
    const absl::Status stored =
        PartitionStore(directory_.partitions()).Store(key, partition);
    if (!stored.ok()) LOG(WARNING) << stored.message();
  }
  void LogForJob(JobId job, const v1::LogLine& line) override {
    logs_.Append(job, line);
    if (line.source() != "hydrad") return;
    LOG(INFO) << JobName(job) << " step " << line.step() << " task "
              << line.task_id() << ": " << line.text();
  }
  void LogLinesDropped(JobId job, int64_t count) override {
    logs_.CountDropped(job, count);
  }

  const config::v1::DaemonConfig config_;
  const StateDirectory directory_;
  const std::unique_ptr<PoolFile> pool_;
  LogStore logs_;
  const SubmissionChecker checker_;
  ShardedLrtf policy_;
  MemoryJournal journal_;
  Core core_;
  CoreThread core_thread_;
  WorkerStreams streams_;
  HydraServiceImpl service_;
  ModelWriter writer_;
  std::unique_ptr<grpc::Server> server_;
  std::vector<std::unique_ptr<Supervisor>> supervisors_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::Start(
    const config::v1::DaemonConfig& config) {
  absl::StatusOr<StateDirectory> directory =
      StateDirectory::Open(config.state_dir());
  if (!directory.ok()) return directory.status();
  PoolFile::CreateOptions pool_options;
  pool_options.path = config.pool().path();
  pool_options.size_bytes = config.pool().size_bytes();
  const absl::Time start = absl::Now();
  absl::StatusOr<std::unique_ptr<PoolFile>> pool =
      PoolFile::Create(pool_options);
  if (!pool.ok()) return pool.status();
  LOG(INFO) << "pool " << (*pool)->path() << ", " << (*pool)->size_bytes()
            << " bytes, allocated in " << absl::Now() - start;
  if (!(*pool)->is_tmpfs()) {
    LOG(WARNING) << "the pool is an ordinary file, not memory: CPU devices are "
                    "served well while the kernel caches it, and no faster "
                    "than the disk when it does not";
  }
  auto daemon = std::make_unique<DaemonImpl>(config, *std::move(directory),
                                             *std::move(pool));
  if (absl::Status served = daemon->Serve(); !served.ok()) return served;
  return daemon;
}

}  // namespace hydra
