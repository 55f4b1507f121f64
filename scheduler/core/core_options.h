#ifndef HYDRA_SCHEDULER_CORE_CORE_OPTIONS_H_
#define HYDRA_SCHEDULER_CORE_CORE_OPTIONS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "hydra/v1/status.pb.h"
#include "scheduler/core/device_options.h"
#include "scheduler/core/quota_options.h"
#include "scheduler/policy/share_ledger.h"

namespace hydra {

// Numbers of tasks, versions and messages of one generation are above this, and
// never meet those of another one.
constexpr uint64_t FirstNumber(uint64_t generation) { return generation << 40; }

// What the core is configured with. A value; while the core lives only
// `shares.weights` and `quotas` change (Core::SetUserLimits).
struct CoreOptions {
  // The part of the pool file that slots are cut from.
  int64_t pool_first_byte = 0;
  int64_t pool_bytes = 0;
  std::vector<DeviceOptions> devices;
  // Of the devices, among users.
  ShareOptions shares;
  // Room in the pool is taken back from users who have more than their part of
  // it (room_reclaimer.h).
  bool reclaim_room = false;
  // What a user may have at most.
  QuotaOptions quotas;
  // Tasks that a worker holds beside the one that it computes.
  int lookahead = 1;
  int64_t prefetch_bytes = 0;
  std::string token_cache_dir;
  // The first job's id; those before were given out by earlier daemons.
  uint64_t first_job = 1;
  // How often daemons were started on this state before; task, version and
  // message numbers of different ones never meet.
  uint64_t generation = 0;
  // Job files may name paths below these directories; none: anywhere.
  std::vector<std::string> read_roots;
  // A worker whose stream ended has this long to attach again.
  absl::Duration lease = absl::Seconds(3);
  // A worker whose stream is open and says nothing has this long. It says
  // something every second.
  absl::Duration silence = absl::Seconds(3);
  // A job whose tasks killed a worker this often in a row has failed, once
  // they did so on two devices, or on every one that there is.
  int poison_crashes = 3;
  // A device that is to blame for the deaths of its worker gets no task for
  // so long; for longer if that does not help.
  absl::Duration quarantine = absl::Minutes(1);
  // A device that was not there for so long is not waited for.
  absl::Duration absence = absl::Minutes(1);
  // A task that does not get on for so many times longer than it should take
  // as a whole, and at least so long, is killed with its worker. Of one whose
  // worker reports no progress, that is all of its time.
  double watchdog_factor = 20;
  absl::Duration watchdog_floor = absl::Seconds(30);
  // Without getting on, for tasks that nothing estimates: PREPARE, PILOT,
  // INIT.
  absl::Duration watchdog_unmeasured = absl::Hours(1);
  // A process that was started has this long to attach: it may have much
  // memory to map and a driver to wait for.
  absl::Duration start_patience = absl::Minutes(10);
  // The part of the pool that is promised to jobs, in tenths. The rest is for
  // fragmentation: with real block sizes a best-fit pool needed up to 1.07
  // times its live bytes (docs/benchmarks.md).
  int promised_tenths = 9;
  // A job that had no task in a hand for so long says what it waits for, and
  // again after as long.
  absl::Duration wait_to_explain = absl::Seconds(5);
  // A task that failed for a reason that may pass is tried again so often,
  // after a second, then two, four and so on: for about a minute.
  int task_retries = 6;
  // After a checkpoint that could not be written.
  absl::Duration checkpoint_retry = absl::Minutes(1);
  // A job that found the writer of checkpoints taken at the end of a step,
  // and was due for so long, or whose steps take so long, waits for it there.
  absl::Duration checkpoint_patience = absl::Minutes(1);
  // It does not wait for a checkpoint that takes longer to write.
  absl::Duration longest_write = absl::Minutes(10);
  // After a trained model for which the disk had no room.
  absl::Duration save_retry = absl::Seconds(10);
  // Waiting jobs that one event looks at; see Core::EndTurn.
  int advances_in_one_go = 50;
  // Ended jobs that stay in memory, at least; older ones are in jobs.db
  // alone.
  int64_t kept_ended_jobs = 10'000;
  // Of those, how many keep all of their steps.
  int64_t kept_step_lists = 100;
  // Partitions that earlier pilots found.
  std::map<std::string, hydra::v1::Partition> partitions;
};

// Of the pool, what may be promised to jobs.
inline int64_t PromisedBytes(const CoreOptions& options) {
  return options.pool_bytes / 10 * options.promised_tenths;
}

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_CORE_OPTIONS_H_
