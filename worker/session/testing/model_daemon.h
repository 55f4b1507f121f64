#ifndef HYDRA_WORKER_SESSION_TESTING_MODEL_DAEMON_H_
#define HYDRA_WORKER_SESSION_TESTING_MODEL_DAEMON_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// The daemon's side of the protocol for one worker, as plain as it can be: the
// yardstick for the worker's side. Not thread-safe.
class ModelDaemon {
 public:
  enum class Outcome { kPending, kDone, kFailed, kWithdrawn };

  struct IssuedTask {
    uint64_t job_id = 0;
    // Rises when the daemon learns of a failure of the job.
    int attempt = 0;
    Outcome outcome = Outcome::kPending;
    // The desired state that first left it out, if it was withdrawn.
    std::optional<uint64_t> withdrawn_by;
  };

  // Adds a task of `job_id` behind those listed. Does nothing while a
  // withdrawal of the job's tasks is open: what the new one builds on is not
  // known.
  void Issue(uint64_t job_id);

  // Withdraws the listed task at `index` and all later ones of its job.
  void Withdraw(size_t index);

  // A new message with all that the worker should hold.
  worker::v1::DesiredState MakeDesired();

  void Receive(const worker::v1::WorkerReport& report);

  // What a daemon does that was started again: it knows what it had recorded,
  // and numbers its messages far above all that the one before may have sent.
  void Restart() { sequence_ += 1000000; }

  size_t listed_count() const { return listed_.size(); }
  // Tasks that ended, well or not, and tasks that ended withdrawn.
  int64_t recorded_count() const { return recorded_count_; }
  int64_t withdrawn_count() const { return withdrawn_count_; }
  const std::map<uint64_t, IssuedTask>& tasks() const { return tasks_; }
  // Reports that the worker still sends although they are acknowledged.
  const std::set<uint64_t>& acknowledged() const { return acknowledged_; }

 private:
  void Record(const worker::v1::TaskReport& report);
  // After a failure nothing of the job that is still listed may run.
  void GiveUpAttempt(uint64_t job_id);
  void ResolveWithdrawals(const worker::v1::WorkerReport& report);

  uint64_t next_task_id_ = 1;
  uint64_t sequence_ = 0;
  uint64_t newest_report_ = 0;
  int64_t recorded_count_ = 0;
  int64_t withdrawn_count_ = 0;
  std::vector<uint64_t> listed_;
  std::map<uint64_t, IssuedTask> tasks_;
  std::map<uint64_t, int> attempts_;
  // Of pending tasks: what the worker has not been seen to drop.
  std::set<uint64_t> open_withdrawals_;
  std::set<uint64_t> acknowledged_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_SESSION_TESTING_MODEL_DAEMON_H_
