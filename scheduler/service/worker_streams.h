#ifndef HYDRA_SCHEDULER_SERVICE_WORKER_STREAMS_H_
#define HYDRA_SCHEDULER_SERVICE_WORKER_STREAMS_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/ids/ids.h"
#include "hydra/worker/v1/worker.grpc.pb.h"
#include "scheduler/runtime/core_thread.h"

namespace hydra {

// The gRPC side of the worker protocol: one stream for each worker. What a
// worker says goes to the core; the newest desired state goes to the worker,
// and one that is overtaken before it was written is never sent, since each
// says all. Thread-safe. `core` must outlive this.
//
// A stream is a worker's that has its session, which is a secret, and comes
// from the process that was started with it.
class WorkerStreams final
    : public hydra::worker::v1::WorkerService::CallbackService {
 public:
  // The process that made a call, by its context's peer(); 0: it is not known.
  using PidOfPeer = std::function<pid_t(const std::string& peer)>;

  WorkerStreams(CoreThread* core, PidOfPeer pid_of_peer)
      : core_(core), pid_of_peer_(std::move(pid_of_peer)) {}

  // From now on a stream with this session is `worker`'s, and none of an
  // earlier session is. `pid`: the process that has it; 0: it is about to be
  // started, and is told to try again until Started() says which it is.
  void Expect(WorkerId worker, const std::string& session, pid_t pid = 0)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Started(WorkerId worker, pid_t pid) ABSL_LOCKS_EXCLUDED(mu_);

  // Does nothing while the worker has no stream. Does not block.
  void Send(WorkerId worker, const hydra::worker::v1::DesiredState& desired)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Ends every stream; for shutting down.
  void CloseAll() ABSL_LOCKS_EXCLUDED(mu_);

  grpc::ServerBidiReactor<hydra::worker::v1::WorkerReport,
                          hydra::worker::v1::DesiredState>*
  Attach(grpc::CallbackServerContext* context) override;

 private:
  class Stream;
  struct Expected {
    std::string session;
    pid_t pid = 0;
  };

  // `stream` becomes the stream of the worker whose session and process these
  // are.
  //
  // PERMISSION_DENIED: of none. UNAVAILABLE: the session is right, and which
  // process has it will be known in a moment.
  absl::StatusOr<WorkerId> Register(const std::string& session, pid_t pid,
                                    std::shared_ptr<Stream> stream)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<WorkerId> OwnerOf(const std::string& session, pid_t pid) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool IsCurrent(WorkerId worker, const Stream* stream)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Unregister(WorkerId worker, const Stream* stream)
      ABSL_LOCKS_EXCLUDED(mu_);

  CoreThread* const core_;
  const PidOfPeer pid_of_peer_;
  absl::Mutex mu_;
  absl::flat_hash_map<WorkerId, Expected> expected_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<WorkerId, std::shared_ptr<Stream>> streams_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_WORKER_STREAMS_H_
