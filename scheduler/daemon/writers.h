#ifndef HYDRA_SCHEDULER_DAEMON_WRITERS_H_
#define HYDRA_SCHEDULER_DAEMON_WRITERS_H_

#include <functional>
#include <string>
#include <vector>

#include "common/ids/ids.h"
#include "common/pool/pool_file.h"
#include "hydra/v1/status.pb.h"
#include "scheduler/journal/group_commit.h"
#include "scheduler/journal/record_store.h"
#include "scheduler/runtime/core_thread.h"
#include "scheduler/runtime/submission_gate.h"
#include "scheduler/storage/checkpoint_thread.h"
#include "scheduler/storage/job_history.h"
#include "scheduler/storage/metrics_thread.h"
#include "scheduler/storage/model_writer.h"
#include "scheduler/storage/partition_store.h"

namespace hydra {

// The threads that write what the core decided: jobs.db, trained models,
// checkpoints, what pilots found, and files of jobs' metrics. What became of it
// goes to the core's thread and to the submissions that wait. Thread-safe, but
// one thread ends it.
class Writers {
 public:
  struct Parts {
    // Borrowed; they outlive this.
    const PoolFile* pool = nullptr;
    RecordStore* jobs = nullptr;
    const JobHistory* history = nullptr;
    CoreThread* core = nullptr;
    SubmissionGate* gate = nullptr;
    // Where files of jobs may be copied from: as ModelWriter's.
    std::vector<std::string> read_roots;
    // The directory of what pilots found.
    std::string partitions;
    // Keeps a line with the job; called on the writers' threads.
    std::function<void(JobId, const v1::LogLine&)> log;
  };
  explicit Writers(Parts parts);

  GroupCommit& jobs_journal() { return jobs_journal_; }
  ModelWriter& models() { return models_; }
  CheckpointThread& checkpoints() { return checkpoints_; }
  MetricsThread& metrics() { return metrics_; }
  // Returns at once; a failure comes to the log.
  void StorePartition(const std::string& key, const v1::Partition& partition);

  // Models and checkpoints under way are broken off, and the core is told. What
  // is asked for later is dropped.
  void StopFiles();
  // Returns when all is in jobs.db that can be, and the metrics of it are in
  // their files. False: something is not in jobs.db. Call it when the core's
  // thread has ended.
  bool StopJournal();

 private:
  GroupCommit::Callbacks JournalCallbacks();
  void AddOlderSteps(JobId job, v1::JobDetail& detail) const;
  CheckpointThread::Callbacks CheckpointCallbacks() const;
  // Keeps a warning with the job.
  void Warn(JobId job, std::string text) const;

  const Parts parts_;
  const PartitionStore partitions_;
  // Before what tells it.
  MetricsThread metrics_;
  GroupCommit jobs_journal_;
  ModelWriter models_;
  CheckpointThread checkpoints_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_WRITERS_H_
