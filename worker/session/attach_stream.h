#ifndef HYDRA_WORKER_SESSION_ATTACH_STREAM_H_
#define HYDRA_WORKER_SESSION_ATTACH_STREAM_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock/steady_event.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"
#include "grpcpp/support/status.h"
#include "hydra/worker/v1/worker.grpc.pb.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// One Attach call to the daemon, from its start to its end.
//
// Thread-safe. Sending never waits: while one report is on its way, all wishes
// to send become one report after it, so a slow daemon reads the newest state
// and not a queue of old ones.
//
// Destroy only after WaitForEnd returned true.
class AttachStream : public grpc::ClientBidiReactor<worker::v1::WorkerReport,
                                                    worker::v1::DesiredState> {
 public:
  // What the stream's two ends talk about. Called by any thread with no lock
  // held; each method by one thread at a time, not after the stream's end.
  class Endpoint {
   public:
    virtual ~Endpoint() = default;

    // Sets all of `report`, which holds an older one.
    virtual void MakeReport(worker::v1::WorkerReport& report) = 0;
    virtual void OnDesired(const worker::v1::DesiredState& desired) = 0;
  };

  // `endpoint` is not owned and must outlive the stream.
  explicit AttachStream(Endpoint* endpoint) : endpoint_(endpoint) {}

  // Begins the call. Once, before all else. `stub` must live until the end.
  void Start(worker::v1::WorkerService::Stub& stub);

  // Sends a report that is made after this call. Nothing after the end.
  void Send() ABSL_LOCKS_EXCLUDED(mu_);

  // As Send; the report is the last one, and the daemon is told so.
  void SendLast() ABSL_LOCKS_EXCLUDED(mu_);

  // Gives the call up.
  void Cancel() { context_.TryCancel(); }

  // Whether the call ended within `timeout`.
  bool WaitForEnd(absl::Duration timeout) { return done_.WaitFor(timeout); }

  // How it ended.
  grpc::Status status() const ABSL_LOCKS_EXCLUDED(mu_);

  // gRPC's calls.
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  void SendReport(bool last) ABSL_LOCKS_EXCLUDED(mu_);
  void Write();
  // Lets gRPC end the call, once no thread of ours can start an operation.
  void ReleaseIfEnded() ABSL_LOCKS_EXCLUDED(mu_);

  Endpoint* const endpoint_;
  grpc::ClientContext context_;
  // Of the thread that reads.
  worker::v1::DesiredState desired_;
  // Of the thread that set writing_.
  worker::v1::WorkerReport report_;

  mutable absl::Mutex mu_;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  // A report is wanted that is newer than the one on its way.
  bool wanted_ ABSL_GUARDED_BY(mu_) = false;
  bool last_ ABSL_GUARDED_BY(mu_) = false;
  // The daemon was told that no report follows.
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  // No operation can succeed any more.
  bool broken_ ABSL_GUARDED_BY(mu_) = false;
  bool released_ ABSL_GUARDED_BY(mu_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mu_);
  SteadyEvent done_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_SESSION_ATTACH_STREAM_H_
