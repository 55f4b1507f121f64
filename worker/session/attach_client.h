#ifndef HYDRA_WORKER_SESSION_ATTACH_CLIENT_H_
#define HYDRA_WORKER_SESSION_ATTACH_CLIENT_H_

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock/steady_event.h"
#include "hydra/worker/v1/worker.pb.h"
#include "worker/session/attach_stream.h"
#include "worker/session/compute_clock.h"
#include "worker/session/latency_recorder.h"
#include "worker/session/log_buffer.h"
#include "worker/session/task_queue.h"

namespace hydra {

// Keeps this worker attached to the daemon, and feeds its tasks to the one
// thread that computes, and those that need no device to another.
//
// The caller of Run is the thread that computes. It begins the next held task
// as soon as one is computed and waits for no message; the host's thread does
// the same with the tasks of its lane, see TaskQueue. Another thread waits
// until what was computed is written. A fourth one keeps the stream: it
// connects again when the stream ends, and sends a report every so often.
// Beside that a report is sent, at once, by whichever thread changed what it
// says: a task began or ended, or a newer desired state was taken over. So the
// daemon must send a desired state only when it differs from the one before.
//
// Without an answered stream the worker parks: it ends the begun tasks and
// begins no other, until a daemon's newer desired state says what is still
// wanted. So the worker outlives a daemon that is soon started again.
//
// All times are the monotonic clock's.
//
// Use one object for one Run.
class AttachClient : private AttachStream::Endpoint {
 public:
  struct Options {
    // gRPC's name of the daemon: "unix:/run/hydra/worker.sock".
    std::string daemon;

    // The secret that the daemon gave this process.
    std::string session;

    // The longest time between two reports.
    absl::Duration heartbeat = absl::Seconds(1);

    // The pause before connecting again; doubles until the daemon answers.
    absl::Duration min_backoff = absl::Milliseconds(20);
    absl::Duration max_backoff = absl::Seconds(1);

    // How long to go without an answered stream before giving up; noticed up
    // to a heartbeat or a pause later.
    absl::Duration patience = absl::Seconds(60);

    // What the device has in use. Asked by any thread, one at a time, at most
    // about once a heartbeat. The times are filled in here.
    std::function<worker::v1::DeviceStatus()> device_status = [] {
      return worker::v1::DeviceStatus();
    };

    // Sets how long tasks have waited for copies, and the lanes copied, and
    // which versions are on the device. Asked by any thread, several at once,
    // for each report: must not wait.
    std::function<void(worker::v1::DeviceStatus&)> fill_status =
        [](worker::v1::DeviceStatus&) {};

    // Told why Run will fail, by the stream's thread, while tasks may still
    // run: they end at their next step, or the process is ended.
    std::function<void(const absl::Status&)> on_lost = [](const absl::Status&) {
    };
  };

  // How a task ended.
  struct Outcome {
    Outcome(worker::v1::TaskReport report)  // NOLINT: a report is one.
        : report(std::move(report)) {}
    Outcome(worker::v1::TaskReport report,
            std::function<void(worker::v1::TaskReport&)> finish)
        : report(std::move(report)), finish(std::move(finish)) {}

    worker::v1::TaskReport report;
    // Waits until the report may be told, and completes it; called by a thread
    // of its own, while the lane goes on. Empty: it may be told at once.
    std::function<void(worker::v1::TaskReport&)> finish;
  };

  using Runner = absl::FunctionRef<Outcome(
      const worker::v1::Task&, const worker::v1::JobContext&, TaskControl&)>;

  // `log` is not owned and must outlive this.
  AttachClient(Options options, LogBuffer* log);

  // Runs tasks until the daemon says stop; begun tasks are ended and reported
  // before. The report names the task whatever `run` puts there. Tasks of the
  // host's lane are given to `run` by another thread, at the same time as
  // others.
  //
  // PERMISSION_DENIED: the daemon does not want this worker.
  // UNAVAILABLE: no daemon answered for as long as the patience lasts.
  // After both the begun tasks were ended, and are not reported.
  absl::Status Run(Runner run) ABSL_LOCKS_EXCLUDED(mu_);

  // The task that the device will run after the running one and `index` others,
  // if it is known. It may still be withdrawn. Any thread.
  std::optional<TaskQueue::BegunTask> NextDeviceTask(int index) const
      ABSL_LOCKS_EXCLUDED(mu_);

  // For each answer that brought a new task: the time since the first report
  // that told of an ended task and was sent after the previous such answer.
  LatencyRecorder control_latency() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // How one stream ended.
  struct StreamEnd {
    grpc::Status status;
    bool answered = false;
  };

  using Lane = TaskQueue::Lane;

  // A lane's thread.
  void RunLane(Lane lane, Runner run) ABSL_LOCKS_EXCLUDED(mu_);
  std::optional<TaskQueue::BegunTask> Begin(Lane lane) ABSL_LOCKS_EXCLUDED(mu_);
  // The lane has computed its task: it may begin another.
  void EndLane(Lane lane, Outcome outcome) ABSL_LOCKS_EXCLUDED(mu_);
  void End(worker::v1::TaskReport report) ABSL_LOCKS_EXCLUDED(mu_);
  // The thread of those whose reports have to wait, one after another.
  void EndWritten() ABSL_LOCKS_EXCLUDED(mu_);
  // Waits for something to begin. False: it is time to end.
  bool AwaitTask(Lane lane) ABSL_LOCKS_EXCLUDED(mu_);
  bool MayBegin(Lane lane) const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  // Tells the daemon all, a last time, and makes the stream's thread end.
  void Detach() ABSL_LOCKS_EXCLUDED(mu_);

  // The stream's thread.
  void StayAttached() ABSL_LOCKS_EXCLUDED(mu_);
  // One stream, from its start to its end.
  StreamEnd FollowOneStream() ABSL_LOCKS_EXCLUDED(mu_);
  // The reason why no further stream is worth a try; OK: there is none.
  absl::Status WhyLost(const grpc::Status& ended) const
      ABSL_LOCKS_EXCLUDED(mu_);
  bool IsOutOfPatience() const ABSL_LOCKS_EXCLUDED(mu_);
  // Lets other threads send on `stream`.
  void Publish(std::shared_ptr<AttachStream> stream) ABSL_LOCKS_EXCLUDED(mu_);
  // The stream ended: parks. Returns whether it had been answered.
  bool Unpublish() ABSL_LOCKS_EXCLUDED(mu_);

  // Any thread.
  void Send() ABSL_LOCKS_EXCLUDED(mu_);
  void RefreshDeviceStatus() ABSL_LOCKS_EXCLUDED(device_status_mu_, mu_);
  void MakeReport(worker::v1::WorkerReport& report) override
      ABSL_LOCKS_EXCLUDED(mu_);
  void OnDesired(const worker::v1::DesiredState& desired) override
      ABSL_LOCKS_EXCLUDED(mu_);

  const Options options_;
  LogBuffer* const log_;

  // Held while the device is asked. Taken before mu_.
  absl::Mutex device_status_mu_ ABSL_ACQUIRED_BEFORE(mu_);

  mutable absl::Mutex mu_;
  TaskQueue queue_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<AttachStream> stream_ ABSL_GUARDED_BY(mu_);
  std::optional<ComputeClock> compute_clock_ ABSL_GUARDED_BY(mu_);
  worker::v1::DeviceStatus device_status_ ABSL_GUARDED_BY(mu_);
  // Computed, in order.
  std::deque<Outcome> unwritten_ ABSL_GUARDED_BY(mu_);
  // Nothing comes there any more.
  bool lanes_ended_ ABSL_GUARDED_BY(mu_) = false;
  // Why Run must fail.
  absl::Status lost_ ABSL_GUARDED_BY(mu_);
  // The daemon said something newer on this stream.
  bool answered_ ABSL_GUARDED_BY(mu_) = false;
  // When the last answered stream ended, or Run began.
  absl::Time unanswered_since_ ABSL_GUARDED_BY(mu_);
  // A task ended that no report told of yet.
  bool end_untold_ ABSL_GUARDED_BY(mu_) = false;
  // When the daemon was told of a task's end and owed a new task from then on.
  std::optional<absl::Time> told_at_ ABSL_GUARDED_BY(mu_);
  LatencyRecorder control_latency_ ABSL_GUARDED_BY(mu_);

  // No lane takes a further task.
  SteadyEvent detaching_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_SESSION_ATTACH_CLIENT_H_
