#ifndef HYDRA_SCHEDULER_DAEMON_DAEMON_STATE_H_
#define HYDRA_SCHEDULER_DAEMON_DAEMON_STATE_H_

#include <cstdint>
#include <memory>

#include "absl/container/btree_map.h"
#include "common/ids/ids.h"
#include "common/pool/pool_file.h"
#include "hydra/config/v1/daemon.pb.h"
#include "scheduler/daemon/worker_process.h"
#include "scheduler/journal/recovered.h"
#include "scheduler/journal/sqlite_record_store.h"

namespace hydra {

// What a daemon begins with: the journals, the pool, and what an earlier daemon
// left. A plain record; not thread-safe.
struct DaemonState {
  // As it was given, with the pool's path.
  config::v1::DaemonConfig config;
  std::unique_ptr<SqliteRecordStore> jobs;
  std::unique_ptr<PoolFile> pool;
  // No earlier daemon left it.
  bool pool_is_new = false;
  std::unique_ptr<SqliteRecordStore> pool_records;
  Recovered recovered;
  // Those of `recovered.workers`: they live and have this configuration.
  absl::btree_map<WorkerId, ForeignProcess> workers;
  // What Journal goes on from, and Core::Options::generation.
  uint64_t last_sequence = 0;
  // Core::Options::first_job.
  uint64_t first_job = 1;
  uint64_t generation = 0;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_DAEMON_STATE_H_
