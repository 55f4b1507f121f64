#ifndef HYDRA_SCHEDULER_SERVICE_WORKER_STREAMS_H_
#define HYDRA_SCHEDULER_SERVICE_WORKER_STREAMS_H_

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "common/ids/ids.h"
#include "hydra/worker/v1/worker.grpc.pb.h"
#include "scheduler/service/core_thread.h"

namespace hydra {

// The gRPC side of the worker protocol: one stream for each worker. What a
// worker says goes to the core; the newest desired state goes to the worker,
// and one that is overtaken before it was written is never sent, since each
// says all. Thread-safe. `core` must outlive this.
class WorkerStreams final
    : public hydra::worker::v1::WorkerService::CallbackService {
 public:
  explicit WorkerStreams(CoreThread* core) : core_(core) {}

  // From now on a stream with this session is `worker`'s, and none of an
  // earlier session is.
  void Expect(WorkerId worker, const std::string& session)
      ABSL_LOCKS_EXCLUDED(mu_);

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

  // The worker whose session this is, if any; `stream` becomes its stream.
  bool Register(const std::string& session, std::shared_ptr<Stream> stream,
                WorkerId* worker) ABSL_LOCKS_EXCLUDED(mu_);
  bool IsCurrent(WorkerId worker, const Stream* stream)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Unregister(WorkerId worker, const Stream* stream)
      ABSL_LOCKS_EXCLUDED(mu_);

  CoreThread* const core_;
  absl::Mutex mu_;
  absl::flat_hash_map<WorkerId, std::string> sessions_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<WorkerId, std::shared_ptr<Stream>> streams_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_WORKER_STREAMS_H_
