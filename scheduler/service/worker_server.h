#ifndef HYDRA_SCHEDULER_SERVICE_WORKER_SERVER_H_
#define HYDRA_SCHEDULER_SERVICE_WORKER_SERVER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/file/file.h"
#include "scheduler/runtime/core_thread.h"
#include "scheduler/service/connection_table.h"
#include "scheduler/service/guarded_server.h"
#include "scheduler/service/worker_streams.h"

namespace hydra {

// What workers attach to, where no other user comes. One thread opens and ends
// it, in the order in which the functions stand here.
class WorkerServer {
 public:
  // `core` must outlive this.
  explicit WorkerServer(CoreThread* core);

  // Usable before Open() too: then no worker has a stream.
  WorkerStreams& streams() { return streams_; }

  // Returns when workers can attach at `socket`, which listens. Call once.
  //
  // INTERNAL: gRPC cannot make a server.
  absl::Status Open(UniqueFd socket, const ConnectionLimits& limits);

  // Nobody connects any more. Only after Open().
  void Close() { server_->Close(); }
  // Returns when no stream is there any more. Only after Open().
  void Shutdown(absl::Time deadline) { server_->Shutdown(deadline); }

 private:
  // The server calls the streams, so it ends first.
  WorkerStreams streams_;
  // Null before Open().
  std::unique_ptr<GuardedServer> server_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_WORKER_SERVER_H_
