#ifndef HYDRA_WORKER_SESSION_TESTING_FAKE_DAEMON_H_
#define HYDRA_WORKER_SESSION_TESTING_FAKE_DAEMON_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/server.h"
#include "hydra/worker/v1/worker.grpc.pb.h"
#include "hydra/worker/v1/worker.pb.h"
#include "worker/session/testing/model_daemon.h"

namespace hydra {

// A daemon for one worker, in this process: serves a ModelDaemon on a unix
// socket and hands out NOOP tasks of job 1.
//
// Thread-safe.
class FakeDaemon : public worker::v1::WorkerService::Service {
 public:
  struct Options {
    // A path for the socket, below about 100 characters.
    std::string socket;
    std::string session = "secret";
    // How many tasks there are in all.
    int64_t task_count = 0;
    // Tasks listed at once.
    int64_t listed = 2;
    // Ends the stream each time that so many more tasks are recorded. 0: never.
    int64_t break_every = 0;
    // Says nothing at first, see SetSilent.
    bool silent = false;
  };

  // `model`: what a daemon before this one had recorded.
  explicit FakeDaemon(Options options, ModelDaemon model = ModelDaemon());
  ~FakeDaemon() override;

  // gRPC's name of it.
  std::string address() const { return "unix:" + options_.socket; }

  // Withdraws the newest listed tasks, all but one, and hands out no more.
  void WithdrawAllButOne() ABSL_LOCKS_EXCLUDED(mu_);
  // Asks the worker to end.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);
  // Ends the stream, as if the connection broke.
  void BreakStream() ABSL_LOCKS_EXCLUDED(mu_);
  // A silent daemon takes reports and says nothing. Not silent any more, it
  // says all.
  void SetSilent(bool silent) ABSL_LOCKS_EXCLUDED(mu_);
  // Ends all, as if the process died. Returns what had been recorded.
  ModelDaemon Vanish() ABSL_LOCKS_EXCLUDED(mu_);

  // Wait until it is so.
  void AwaitRecorded(int64_t tasks) ABSL_LOCKS_EXCLUDED(mu_);
  void AwaitWithdrawn(int64_t tasks) ABSL_LOCKS_EXCLUDED(mu_);
  void AwaitStreams(int64_t streams) ABSL_LOCKS_EXCLUDED(mu_);
  // A report that `has` is true of.
  template <typename Predicate>
  void AwaitReport(Predicate has) ABSL_LOCKS_EXCLUDED(mu_) {
    const auto holds = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return has(newest_report_);
    };
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(&holds));
  }

  // Log lines acknowledged, in order.
  std::vector<std::string> log_texts() const ABSL_LOCKS_EXCLUDED(mu_);
  // By how many the recorded tasks were more than the log lines with a text, at
  // the most.
  int64_t lines_behind() const ABSL_LOCKS_EXCLUDED(mu_);
  int64_t stream_count() const ABSL_LOCKS_EXCLUDED(mu_);

  // The service.
  grpc::Status Attach(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<worker::v1::DesiredState,
                               worker::v1::WorkerReport>* stream) override
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Stream = grpc::ServerReaderWriter<worker::v1::DesiredState,
                                          worker::v1::WorkerReport>;

  void Receive(const worker::v1::WorkerReport& report)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TakeLogLines(const worker::v1::WorkerReport& report)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void IssueTasks() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Sends what the worker should hold if that changed since it was last told.
  void Tell() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Options options_;
  mutable absl::Mutex mu_;
  ModelDaemon model_ ABSL_GUARDED_BY(mu_);
  Stream* stream_ ABSL_GUARDED_BY(mu_) = nullptr;
  grpc::ServerContext* context_ ABSL_GUARDED_BY(mu_) = nullptr;
  int64_t issued_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t stream_count_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t next_break_ ABSL_GUARDED_BY(mu_) = 0;
  bool issuing_ ABSL_GUARDED_BY(mu_) = true;
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  bool silent_ ABSL_GUARDED_BY(mu_);
  uint64_t log_sequence_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<std::string> log_texts_ ABSL_GUARDED_BY(mu_);
  int64_t line_count_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t lines_behind_ ABSL_GUARDED_BY(mu_) = 0;
  worker::v1::WorkerReport newest_report_ ABSL_GUARDED_BY(mu_);
  // The newest desired state, without its number.
  std::string told_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_SESSION_TESTING_FAKE_DAEMON_H_
