#ifndef HYDRA_SCHEDULER_SIM_WORLD_H_
#define HYDRA_SCHEDULER_SIM_WORLD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "scheduler/core/core.h"
#include "scheduler/core/effects.h"
#include "scheduler/journal/memory_journal.h"
#include "scheduler/policy/sharded_lrtf.h"
#include "scheduler/sim/sim_worker.h"

namespace hydra {

// The scheduler's core under a virtual clock, with simulated workers, messages
// that take random times, come twice or get lost with their stream, and workers
// that die. One seed, one course of events. After every event the core's
// invariants are checked, and every simulated task checks what it reads.
// Not thread-safe.
class World : public Effects {
 public:
  struct Options {
    uint64_t seed = 1;
    int workers = 2;
    int lookahead = 1;
    int64_t pool_bytes = int64_t{64} << 20;
    // Chances, for each finished task.
    double crash = 0;
    double stream_break = 0;
    double task_failure = 0;
    // Chance that a message arrives twice.
    double duplicate = 0;
    int poison_crashes = 1'000'000;
  };

  explicit World(const Options& options);
  ~World() override;

  Core& core() { return *core_; }
  const MemoryJournal& journal() const { return journal_; }
  absl::Time now() const { return now_; }

  // A sweep of small GPT-2 jobs of `steps` steps each.
  SweepId Submit(int jobs, int64_t steps);
  static NewJob SmallJob(int64_t steps);

  // Runs events until none is left or `done`.
  void RunUntil(const std::function<bool()>& done);
  void RunUntilJobsEnd();
  bool AllJobsEnded() const;

  // Kills a worker's process now.
  void Crash(int worker);

  // What happened.
  int64_t events() const { return events_; }
  int64_t saves() const { return saves_; }
  // Wall time that each worker computed.
  absl::Duration busy(int worker) const { return workers_[worker].busy; }

  // Effects:
  void SendDesired(WorkerId worker,
                   const hydra::worker::v1::DesiredState& desired) override;
  void KillWorker(WorkerId worker, absl::string_view reason) override;
  void SaveModel(const SaveRequest& request) override;
  void StorePartition(const std::string& key,
                      const hydra::v1::Partition& partition) override {}
  void LogForJob(JobId job, const hydra::v1::LogLine& line) override {}
  void LogLinesDropped(JobId job, int64_t count) override {}

 private:
  struct SimProcess {
    std::unique_ptr<SimWorker> worker;
    // Rises with every process; events of older ones are ignored.
    int generation = 0;
    bool stream_open = false;
    absl::Duration busy;
  };

  void At(absl::Duration delay, std::function<void()> action);
  void AtWorker(int worker, absl::Duration delay,
                std::function<void(SimProcess&)> action);
  absl::Duration Delay(absl::Duration longest);
  bool Chance(double probability);
  void Start(int worker);
  void Report(int worker);
  void Compute(int worker);
  void TaskDone(int worker, absl::Duration duration);
  void BreakStream(int worker);

  const Options options_;
  std::mt19937_64 random_;
  absl::Time now_ = absl::UnixEpoch();
  // Ordered by time, then by the order in which they were planned.
  std::map<std::pair<absl::Time, uint64_t>, std::function<void()>> agenda_;
  uint64_t planned_ = 0;
  int64_t events_ = 0;
  int64_t saves_ = 0;
  ShardedLrtf policy_;
  MemoryJournal journal_;
  SimPool pool_;
  std::vector<SimProcess> workers_;
  std::unique_ptr<Core> core_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_WORLD_H_
