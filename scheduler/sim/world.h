#ifndef HYDRA_SCHEDULER_SIM_WORLD_H_
#define HYDRA_SCHEDULER_SIM_WORLD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/time/time.h"
#include "scheduler/core/actions.h"
#include "scheduler/core/core.h"
#include "scheduler/sim/sim_daemon.h"
#include "scheduler/sim/sim_worker.h"

namespace hydra {

// A whole simulated machine: the scheduler's core with its journals under a
// virtual clock, workers, a network whose messages take random times, come
// twice or get lost with their stream, and a user. Daemon and workers die,
// stand still and come back; the power fails. One seed, one course of events.
//
// After every event the core's invariants are checked; every simulated task
// checks what it reads; no place of a chain runs twice at once; what is
// committed stays committed; a trained model and its losses are what
// undisturbed training makes; and whatever happened, all comes to an end. A
// violation ends the program. Not thread-safe.
class World {
 public:
  struct Options {
    uint64_t seed = 1;
    int workers = 2;
    int lookahead = 1;
    int64_t pool_bytes = int64_t{64} << 20;
    // Of the pool, see Core::Options.
    int promised_tenths = 9;
    // Else each has twice the memory of the one before.
    bool equal_devices = true;
    // Chances, for each finished task.
    double crash = 0;
    double stream_break = 0;
    // For a reason that may pass, and for one in what the user gave.
    double task_failure = 0;
    double data_failure = 0;
    double hang = 0;
    // It takes long, and gets on.
    double long_task = 0;
    // The gradient of some block is no number.
    double nonfinite = 0;
    // The process stands still, for up to twice the lease.
    double stop = 0;
    // Chance that a message arrives twice.
    double duplicate = 0;
    // Chances, for each turn of the daemon.
    double daemon_crash = 0;
    double power_cut = 0;
    // Chances, for each checkpoint.
    double checkpoint_failure = 0;
    double checkpoint_damage = 0;
    // Chance that the user pauses, resumes or cancels some job, for each
    // finished task.
    double meddling = 0;
    int poison_crashes = 1'000'000;
    // Of every job.
    int max_nonfinite_steps = 0;
    // How often every job is saved; 0: after every second step.
    double checkpoint_minutes = 0;
    // The longest that the disk takes for a block of a checkpoint.
    absl::Duration block_time = absl::Milliseconds(20);
    // Waiting jobs that one event looks at.
    int advances_in_one_go = 100;
  };

  explicit World(const Options& options);
  ~World();

  // The daemon must be up.
  Core& core() { return daemon_->core(); }
  bool daemon_is_up() const { return daemon_ != nullptr; }
  absl::Time now() const { return now_; }

  // The user submits a sweep of small GPT-2 jobs of `steps` steps each, again
  // and again until it is acknowledged; returns then.
  void Submit(int jobs, int64_t steps);

  // Runs events until `done`, which is asked only while the daemon is up.
  void RunUntil(const std::function<bool()>& done);
  void RunUntilJobsEnd();
  bool AllJobsEnded() const;
  // One turn of the core.
  void InCore(const std::function<void(Core&)>& action);

  // Kills a process now.
  void Crash(int worker);
  // Kills it, and it is not started again.
  void Remove(int worker);
  void CrashDaemon();
  // The process stands still.
  void StopProcess(int worker, absl::Duration time);
  // Everything that is not on the disk is gone.
  void CutPower();
  // The daemon dies, and was an earlier one, with a record for each block.
  void CrashEarlierDaemon();
  // The checkpoints on the disk can or cannot be read.
  void MakeCheckpointsReadable(bool readable);
  // May be changed at any time.
  SimSetup& setup() { return setup_; }

  // What happened.
  int64_t events() const { return events_; }
  int64_t saves() const { return saves_; }
  int64_t daemon_starts() const { return daemon_starts_; }
  // By steps of the job: what stands for its trained model.
  const std::map<int64_t, uint64_t>& trained() const { return trained_; }
  int64_t checkpoints_written() const { return checkpoints_written_; }
  // The first hundred lines of a job's log that the daemon wrote itself.
  const std::vector<std::string>& LogOf(JobId job) { return logs_[job]; }
  // Wall time that each worker computed.
  absl::Duration busy(int worker) const { return workers_[worker].busy; }
  // The secret that its process attached with.
  const std::string& session(int worker) const {
    return workers_[worker].session;
  }

 private:
  struct SimProcess {
    std::unique_ptr<SimWorker> worker;
    // Rises with every process; events of older ones are ignored.
    int generation = 0;
    bool alive = false;
    bool stopped = false;
    bool stream_open = false;
    bool removed = false;
    std::string session;
    absl::Duration busy;
  };
  // A place in a job's chain.
  using Place = std::tuple<uint64_t, int, int64_t, int, int>;
  struct Request {
    int jobs = 0;
    int64_t steps = 0;
    bool acknowledged = false;
  };

  // The core's actions.
  void Do(const WorkerMessage& message);
  void Do(const WorkerKill& kill);
  void Do(const SaveRequest& request);
  void Do(const CheckpointRequest& request);
  void Do(const CheckpointRemoval& removal);
  void Do(const FoundPartition&) {}
  void Do(const LineForJob& kept);
  void Do(const DroppedLines&) {}

  void At(absl::Duration delay, std::function<void()> action);
  void AtWorker(int worker, absl::Duration delay,
                std::function<void(SimProcess&)> action);
  // For whoever looks why nothing goes on.
  std::string Describe() const;
  // Nothing happens if this daemon is gone already, or by then.
  void AtDaemon(absl::Duration delay, std::function<void()> action);
  absl::Duration Delay(absl::Duration longest);
  bool Chance(double probability);

  void StartDaemon();
  void WriteJobsSoon();
  void TickSoon();
  void ContinueSoon();
  void CheckCommitted();
  void NoteCommitted();
  void CheckAcknowledged();

  void Start(int worker);
  void Heartbeat(int worker);
  void Attach(int worker);
  void Report(int worker);
  void Compute(int worker);
  // Nothing happens unless the task computes.
  void TaskDone(int worker, uint64_t task, absl::Duration duration);
  // Ends the computing task.
  void End(int worker, const absl::Status& failure, absl::Duration duration);
  void BreakStream(int worker);
  void Kill(int worker);
  void Meddle();
  void ResumeLater(JobId job);

  void TrySubmit(size_t request);
  void CheckMetrics(const SaveRequest& request);
  void WriteBlock(std::shared_ptr<const CheckpointRequest> request,
                  std::shared_ptr<SimCheckpoint> made, size_t index);

  const Options options_;
  std::mt19937_64 random_;
  absl::Time now_ = absl::UnixEpoch();
  // Ordered by time, then by the order in which they were planned.
  std::map<std::pair<absl::Time, uint64_t>, std::function<void()>> agenda_;
  uint64_t planned_ = 0;
  int64_t events_ = 0;
  int64_t saves_ = 0;
  int64_t daemon_starts_ = 0;
  int64_t checkpoints_written_ = 0;
  std::map<JobId, std::vector<std::string>> logs_;

  SimSetup setup_;
  SimDisk disk_;
  SimPool pool_;
  std::vector<SimProcess> workers_;
  std::unique_ptr<SimDaemon> daemon_;
  // Rises when it dies.
  int daemon_generation_ = 0;
  bool power_failed_ = false;
  bool write_planned_ = false;
  std::vector<Request> requests_;
  // Where each job is, by what is in the pool's journal.
  std::map<JobId, ChainPosition> committed_;
  std::set<Place> running_;
  std::map<int64_t, uint64_t> trained_;
  // By step and split, of jobs with any number of steps.
  std::map<std::pair<int64_t, std::string>, double> losses_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_WORLD_H_
