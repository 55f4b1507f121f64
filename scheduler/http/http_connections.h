#ifndef HYDRA_SCHEDULER_HTTP_HTTP_CONNECTIONS_H_
#define HYDRA_SCHEDULER_HTTP_HTTP_CONNECTIONS_H_

#include <list>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "scheduler/core/caller.h"

namespace hydra {

// The open connections of an HTTP listener: bounds how many one user has, and
// shuts down those that are too old. Thread-safe.
class HttpConnections {
 public:
  struct Connection {
    int fd = -1;
    Caller caller;
    absl::Time end;
  };
  using Place = std::list<Connection>::iterator;

  // `for_each`: how many one user may have; all who come by TCP are one.
  // `life`: how old one gets.
  HttpConnections(int for_each, absl::Duration life)
      : for_each_(for_each), life_(life) {}

  // The connection behind `fd`, which stays open until End(). If it is one too
  // many, it is shut down, so that whoever reads it finds its end.
  Place Begin(int fd, absl::Time now) ABSL_LOCKS_EXCLUDED(mu_);
  void End(Place place) ABSL_LOCKS_EXCLUDED(mu_);

  // Shuts down all whose life is over.
  void ShutDownOld(absl::Time now) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  const int for_each_;
  const absl::Duration life_;
  absl::Mutex mu_;
  // The oldest first.
  std::list<Connection> connections_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_HTTP_HTTP_CONNECTIONS_H_
