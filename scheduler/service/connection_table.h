#ifndef HYDRA_SCHEDULER_SERVICE_CONNECTION_TABLE_H_
#define HYDRA_SCHEDULER_SERVICE_CONNECTION_TABLE_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "scheduler/core/caller.h"

namespace hydra {

// How many connections there may be.
struct ConnectionLimits {
  int total = 2048;
  // Of one user. All who come by TCP count as one.
  int for_each_user = 256;
  // Whoever has fewer than this many is let in though the total is reached.
  int reserved_for_each_user = 8;
};

// As many as the process may have files open, less what it needs itself.
ConnectionLimits LimitsFor(int64_t open_files);

// Whether a user who has `own` connections of `total` may have one more.
bool MayConnect(int own, int total, const ConnectionLimits& limits);

// The connections of a server that closes them without a word: an entry is
// known to be over when its descriptor is closed or another socket's.
// Thread-compatible.
class ConnectionTable {
 public:
  struct Peer {
    uid_t uid = kUnknownUser;
    // 0: unknown.
    pid_t pid = 0;
    // As Caller has them.
    std::shared_ptr<const std::vector<gid_t>> groups;
  };

  explicit ConnectionTable(const ConnectionLimits& limits) : limits_(limits) {}

  // False: there are too many, and `fd` is not in the table.
  bool Add(int fd, const Peer& peer);

  // Who is behind an open descriptor of the table.
  Peer PeerOf(int fd) const;

  int size() const { return static_cast<int>(connections_.size()); }

 private:
  struct Connection {
    Peer peer;
    ino_t socket = 0;
  };

  int CountOf(uid_t uid) const;
  void ForgetClosed();
  void Forget(int fd);

  const ConnectionLimits limits_;
  absl::flat_hash_map<int, Connection> connections_;
  absl::flat_hash_map<uid_t, int> counts_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_CONNECTION_TABLE_H_
