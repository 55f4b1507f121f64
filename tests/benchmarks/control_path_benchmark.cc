// The control path: from a worker's sending of a report to its receipt of an
// answer that names a task it did not hold. 10,000 tasks that do nothing, of 12
// jobs, lookahead 1; the daemon's core, its worker service and a worker's
// session as they are, in two processes on a unix socket. In the same run, a
// raw stream of small messages between the same processes.

#include <grpcpp/grpcpp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
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
#include "scheduler/service/worker_streams.h"
#include "worker/session/attach_client.h"
#include "worker/session/latency_recorder.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

constexpr char kSession[] = "benchmark";
// The core and the stream only compare it.
constexpr pid_t kWorkerPid = 1;
constexpr int kJobs = 12;
constexpr int64_t kTasks = 10'000;
constexpr int kPings = 10'000;
constexpr int kRounds = 3;

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

// As hydrad ends its turns: with both journals, or with none.
class TurnEnder {
 public:
  TurnEnder(bool journalled, Journal* journal) : journal_(journal) {
    if (!journalled) return;
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

  void EndTurn(Core& core, WorkerStreams& streams) {
    const auto& changes = journal_->pool_changes();
    if (pool_records_ != nullptr && !changes.empty()) {
      CHECK(pool_records_->Apply(changes).ok());
    }
    for (Journal::Entry& entry : journal_->TakeEntries()) {
      if (group_commit_ != nullptr) {
        group_commit_->Enqueue(
            {entry.sequence, std::move(entry.changes), entry.refusable});
      }
    }
    for (const Action& action : core.TakeActions()) {
      const auto* message = std::get_if<WorkerMessage>(&action);
      if (message != nullptr) streams.Send(message->worker, message->desired);
    }
    if (group_commit_ == nullptr) return;
    absl::MutexLock lock(&mu_);
    journal_->Recorded(recorded_);
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

  Journal* const journal_;
  FilesToRemove made_;
  std::unique_ptr<SqliteRecordStore> pool_records_;
  std::unique_ptr<SqliteRecordStore> jobs_;
  absl::Mutex mu_;
  uint64_t recorded_ ABSL_GUARDED_BY(mu_) = 0;
  std::unique_ptr<GroupCommit> group_commit_;
};

void RunDaemon(const std::string& address, const std::string& echo_address,
               bool journalled) {
  ShardedLrtf policy;
  Journal journal;
  Core::Options options;
  options.pool_bytes = int64_t{64} << 20;
  options.devices.push_back({"cpu:0", 1 << 30, 1, "none"});
  Core core(options, &policy, &journal);
  TurnEnder ender(journalled, &journal);
  CoreThread thread;
  WorkerStreams streams(&thread, [](const std::string&) { return kWorkerPid; });
  Echo echo;
  auto server = Serve(address, &streams);
  auto echo_server = Serve(echo_address, &echo);
  streams.Expect(WorkerId(1), kSession, kWorkerPid);
  thread.Start(&core, [&] {
    ender.EndTurn(core, streams);
    (void)core.TakeChanges(std::numeric_limits<size_t>::max());
    return absl::OkStatus();
  });
  thread.Post([](Core& c, absl::Time now) {
    journal::v1::WorkerProcess process;
    process.set_pid(kWorkerPid);
    process.set_session(kSession);
    c.WorkerStarted(WorkerId(1), process);
    const auto submission =
        c.Submit(std::vector<NewJob>(kJobs, EndlessJob()), {}, now);
    c.Recorded(submission->sequence);
  });
  auto finished = [&] {
    return thread.Ask([](Core& c, absl::Time now) {
      return c.Workers(now)[0].finished_tasks();
    });
  };
  while (finished().value_or(kTasks) < kTasks) {
    absl::SleepFor(absl::Milliseconds(20));
  }
  thread.Post([](Core& c, absl::Time) { c.StopWorkers(); });
  int status = 0;
  wait(&status);
  streams.CloseAll();
  server->Shutdown(absl::ToChronoTime(absl::Now()));
  echo_server->Shutdown(absl::ToChronoTime(absl::Now()));
}

wv1::TaskReport DoNothing(const wv1::Task& task, const wv1::JobContext&,
                          TaskControl&) {
  wv1::TaskReport report;
  if (task.kind() == wv1::TASK_KIND_PREPARE) {
    wv1::PreparedSplit& split = *report.mutable_prepare()->add_splits();
    split.set_split(wv1::SPLIT_TRAIN);
    split.set_token_count(1000);
  } else {
    report.mutable_pass()->set_loss_sum(1);
    report.mutable_pass()->set_loss_tokens(1);
  }
  return report;
}

LatencyRecorder Ping(const std::string& address) {
  auto stub = wv1::WorkerService::NewStub(
      grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  auto stream = stub->Attach(&context);
  wv1::WorkerReport report;
  report.set_session(std::string(60, 's'));
  wv1::DesiredState desired;
  LatencyRecorder latency;
  for (int i = 1; i <= kPings; ++i) {
    report.set_sequence(i);
    const absl::Time start = absl::Now();
    stream->Write(report);
    stream->Read(&desired);
    latency.Add(absl::Now() - start);
  }
  stream->WritesDone();
  (void)stream->Finish();
  return latency;
}

void Print(const char* what, const LatencyRecorder& latency) {
  std::printf("%s: %ld samples, p50 %.0f us, p99 %.0f us\n", what,
              static_cast<long>(latency.count()),
              absl::ToDoubleMicroseconds(latency.Quantile(0.5)),
              absl::ToDoubleMicroseconds(latency.Quantile(0.99)));
}

void RunWorker(const std::string& address, const std::string& echo_address) {
  Print("raw stream ping-pong", Ping(echo_address));
  LogBuffer log({});
  AttachClient::Options options;
  options.daemon = address;
  options.session = kSession;
  AttachClient client(options, &log);
  const absl::Time start = absl::Now();
  const absl::Status status = client.Run(DoNothing);
  const absl::Duration wall = absl::Now() - start;
  Print("report to new task", client.control_latency());
  std::printf("%.0f tasks/s; session ended: %s\n",
              kTasks / absl::ToDoubleSeconds(wall), status.ToString().c_str());
}

// Both sides in processes of their own.
void RunOnce(bool journalled) {
  std::printf("%s\n", journalled ? "with both journals" : "without journals");
  std::fflush(stdout);
  if (fork() != 0) {
    int status = 0;
    wait(&status);
    return;
  }
  const std::string base = absl::StrCat("unix:/tmp/hydra-control-", getpid());
  const std::string address = base + ".sock";
  const std::string echo_address = base + "-echo.sock";
  // Before either side has threads.
  if (fork() == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    RunWorker(address, echo_address);
    std::fflush(stdout);
    _exit(0);
  }
  RunDaemon(address, echo_address, journalled);
  _exit(0);
}

int Main() {
  for (int round = 0; round < kRounds; ++round) {
    RunOnce(/*journalled=*/false);
    RunOnce(/*journalled=*/true);
  }
  return 0;
}

}  // namespace
}  // namespace hydra

int main() { return hydra::Main(); }
