#include "tests/benchmarks/control_path_daemon.h"

#include <grpcpp/grpcpp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <ctime>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/clock/steady_time.h"
#include "common/file/scratch_directory.h"
#include "common/model/gpt2_table.h"
#include "glog/logging.h"
#include "hydra/worker/v1/worker.grpc.pb.h"
#include "scheduler/daemon/journal_files.h"
#include "scheduler/journal/group_commit.h"
#include "scheduler/journal/journal.h"
#include "scheduler/journal/sqlite_record_store.h"
#include "scheduler/journal/tables.h"
#include "scheduler/policy/sharded_lrtf.h"
#include "scheduler/runtime/core_thread.h"
#include "scheduler/runtime/read_model.h"
#include "scheduler/runtime/submission_gate.h"
#include "scheduler/service/hydra_service.h"
#include "scheduler/service/worker_streams.h"
#include "scheduler/storage/job_history.h"
#include "scheduler/storage/log_store.h"
#include "scheduler/submission/submission.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

// The core and the stream only compare it.
constexpr pid_t kWorkerPid = 1;
constexpr int kJobs = 12;
// A user may have so many streams alone, and fewer than are watched.
constexpr uid_t kUsers = 8;

// Answers each message with a small one.
class Echo final : public wv1::WorkerService::Service {
  grpc::Status Attach(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<wv1::DesiredState, wv1::WorkerReport>* stream)
      override {
    wv1::WorkerReport report;
    wv1::DesiredState desired;
    while (stream->Read(&report)) {
      desired.set_sequence(report.sequence());
      stream->Write(desired);
    }
    return grpc::Status::OK;
  }
};

struct FilesToRemove {
  ~FilesToRemove() {
    for (const std::string& path : paths) unlink(path.c_str());
  }
  void push_back(std::string path) { paths.push_back(std::move(path)); }
  std::vector<std::string> paths;
};

// Five shards: nine tasks a step.
NewJob EndlessJob() {
  Gpt2Config config;
  config.vocab_size = 64;
  config.n_positions = 8;
  config.n_embd = 16;
  config.n_layer = 3;
  config.n_head = 2;
  config.n_inner = 64;
  NewJob job;
  job.model_config_json = std::string("{}");
  job.table = BuildGpt2Table(config);
  v1::TrainSpec& train = *job.spec.mutable_train();
  train.set_max_steps(1'000'000);
  train.set_per_device_train_batch_size(1);
  train.set_gradient_accumulation_steps(1);
  train.set_context_length(8);
  train.set_optim(v1::OPTIMIZER_ADAMW);
  job.spec.mutable_evaluation()->set_per_device_eval_batch_size(1);
  for (int cut : {1, 2, 3, 4}) {
    job.spec.mutable_partition()->add_cut_points(cut);
  }
  return job;
}

std::unique_ptr<grpc::Server> Serve(const std::string& address,
                                    grpc::Service* service) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(service);
  return builder.BuildAndStart();
}

void Shutdown(grpc::Server& server) {
  server.Shutdown(absl::ToChronoTime(absl::Now()));
}

// pool.db on tmpfs, jobs.db on the disk.
class Journals {
 public:
  Journals() {
    pool_records_ = OpenStore(PoolSchema(), "/dev/shm", /*durable=*/false);
    jobs_ = OpenStore(JobsSchema(), "/tmp", /*durable=*/true);
    group_commit_ = std::make_unique<GroupCommit>(
        jobs_.get(), GroupCommit::SequenceRecord{kJobsMetaTable, 0, 0},
        GroupCommit::Callbacks{[this](uint64_t up_to) {
                                 absl::MutexLock lock(&mu_);
                                 recorded_ = up_to;
                               },
                               [](uint64_t, const absl::Status&) {}},
        absl::Seconds(1));
  }

  RecordStore& pool_records() { return *pool_records_; }
  const RecordStore& jobs() const { return *jobs_; }
  GroupCommit& group_commit() { return *group_commit_; }
  uint64_t recorded() const {
    absl::MutexLock lock(&mu_);
    return recorded_;
  }

 private:
  std::unique_ptr<SqliteRecordStore> OpenStore(const RecordSchema& schema,
                                               const char* folder,
                                               bool durable) {
    const std::string path =
        absl::StrCat(folder, "/hydra-control-", getpid(), ".db");
    SqliteRecordStore::Options options;
    options.durable = durable;
    options.schema = schema;
    auto store = SqliteRecordStore::Open(path, options);
    CHECK(store.ok()) << store.status();
    // It lives as long as it is open.
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
      made_.push_back(path + suffix);
    }
    return *std::move(store);
  }

  FilesToRemove made_;
  std::unique_ptr<SqliteRecordStore> pool_records_;
  std::unique_ptr<SqliteRecordStore> jobs_;
  mutable absl::Mutex mu_;
  uint64_t recorded_ ABSL_GUARDED_BY(mu_) = 0;
  std::unique_ptr<GroupCommit> group_commit_;
};

// Of this thread.
absl::Duration CpuTime() {
  timespec time;
  CHECK_EQ(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time), 0);
  return absl::DurationFromTimespec(time);
}

// Each member uses those above it, and ends before them.
class ControlDaemon {
 public:
  explicit ControlDaemon(const ControlRun& run) {
    if (run.journalled) {
      journals_.emplace();
      history_.emplace(&journals_->jobs());
      service_.emplace(
          HydraServiceImpl::Parts{&thread_, &model_, &logs_, &trace_, &checker_,
                                  &*history_, &journals_->group_commit(),
                                  &gate_},
          [this](const std::string&) { return Caller{next_user_++ % kUsers}; },
          v1::GetServerInfoResponse());
      client_server_ = Serve(run.client_address, &*service_);
    }
    worker_server_ = Serve(run.worker_address, &streams_);
    echo_server_ = Serve(run.echo_address, &echo_);
    streams_.Expect(WorkerId(1), kControlSession, kWorkerPid);
    thread_.Start(&core_, [this] { return EndTurn(); });
    thread_.Post([](Core& core, absl::Time now) {
      journal::v1::WorkerProcess process;
      process.set_pid(kWorkerPid);
      process.set_session(kControlSession);
      core.WorkerStarted(WorkerId(1), process);
      const auto submission =
          core.Submit(std::vector<NewJob>(kJobs, EndlessJob()), {}, now);
      core.Recorded(submission->sequence);
    });
  }

  // Without a turn of the core.
  void AwaitTasks(int64_t count) const {
    while (model_.workers().statuses->empty() ||
           model_.workers().statuses->front().finished_tasks() < count) {
      absl::SleepFor(absl::Milliseconds(20));
    }
  }

  void StopWorker() {
    thread_.Post([](Core& core, absl::Time) { core.StopWorkers(); });
  }

  void Stop(ControlFigures* figures) {
    if (service_.has_value()) service_->Stop();
    streams_.CloseAll();
    for (auto* server : {&worker_server_, &echo_server_, &client_server_}) {
      if (*server != nullptr) Shutdown(**server);
    }
    thread_.Stop();
    figures->turn = QuantilesOf(turns_);
    figures->turn_cpu = QuantilesOf(turns_cpu_);
    figures->cpu_us_of_a_task =
        absl::ToDoubleMicroseconds(cpu_) / kControlTasks;
  }

 private:
  static Core::Options CoreOptions() {
    Core::Options options;
    options.pool_bytes = int64_t{64} << 20;
    options.devices.push_back({"cpu:0", 1 << 30, 1, "none"});
    return options;
  }

  // As hydrad's, and measured.
  absl::Status EndTurn() {
    RecordTurn();
    for (const Action& action : core_.TakeActions()) {
      const auto* message = std::get_if<WorkerMessage>(&action);
      if (message != nullptr) streams_.Send(message->worker, message->desired);
      const auto* task = std::get_if<TaskTrace>(&action);
      if (task != nullptr) trace_.Add(*task);
    }
    if (journals_.has_value()) journal_.Recorded(journals_->recorded());
    model_.Update(core_, SteadyNow());
    turns_.Add(SteadyNow() - thread_.turn_began());
    const absl::Duration cpu = CpuTime();
    turns_cpu_.Add(cpu - std::exchange(cpu_, cpu));
    return absl::OkStatus();
  }

  void RecordTurn() {
    const auto& changes = journal_.pool_changes();
    if (journals_.has_value() && !changes.empty()) {
      CHECK(journals_->pool_records().Apply(changes).ok());
    }
    for (Journal::Entry& entry : journal_.TakeEntries()) {
      if (!journals_.has_value()) continue;
      journals_->group_commit().Enqueue(
          {entry.sequence, std::move(entry.changes), entry.refusable});
    }
  }

  ShardedLrtf policy_;
  Journal journal_;
  std::optional<Journals> journals_;
  Core core_{CoreOptions(), &policy_, &journal_};
  ReadModel model_;
  // The core thread's own.
  LatencyRecorder turns_;
  LatencyRecorder turns_cpu_;
  absl::Duration cpu_;

  CoreThread thread_;
  const ScratchDirectory logs_folder_;
  LogStore logs_{LogStore::Options{logs_folder_.path()}};
  TraceLog trace_{{}, absl::Now()};
  const SubmissionChecker checker_{PathPolicy({}, {}), "/nowhere"};
  SubmissionGate gate_;
  std::optional<JobHistory> history_;
  std::atomic<uid_t> next_user_ = 0;
  std::optional<HydraServiceImpl> service_;
  WorkerStreams streams_{&thread_,
                         [](const std::string&) { return kWorkerPid; }};
  Echo echo_;
  std::unique_ptr<grpc::Server> client_server_;
  std::unique_ptr<grpc::Server> worker_server_;
  std::unique_ptr<grpc::Server> echo_server_;
};

}  // namespace

void RunControlDaemon(const ControlRun& run, pid_t worker,
                      ControlFigures* figures) {
  ControlDaemon daemon(run);
  daemon.AwaitTasks(kControlTasks);
  daemon.StopWorker();
  CHECK_EQ(waitpid(worker, nullptr, 0), worker);
  daemon.Stop(figures);
}

}  // namespace hydra
