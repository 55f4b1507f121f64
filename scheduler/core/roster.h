#ifndef HYDRA_SCHEDULER_CORE_ROSTER_H_
#define HYDRA_SCHEDULER_CORE_ROSTER_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "hydra/journal/v1/journal.pb.h"
#include "hydra/v1/status.pb.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/core/actions.h"
#include "scheduler/core/core_options.h"
#include "scheduler/core/job.h"
#include "scheduler/core/job_book.h"
#include "scheduler/core/job_queue.h"
#include "scheduler/core/worker_record.h"
#include "scheduler/journal/journal.h"

namespace hydra {

// The workers: which of them are there, which jobs each may run, and whose
// fault their deaths are. What is in their hands is the business of Hands. Not
// thread-safe; what it is given must outlive it.
class Roster {
 public:
  Roster(const CoreOptions* options, JobBook* book, JobQueue* queue,
         Journal* journal, Actions* actions);

  WorkerRecord& At(WorkerId worker);
  std::vector<WorkerRecord>& all() { return workers_; }
  const std::vector<WorkerRecord>& all() const { return workers_; }

  // --- Who may run what ---

  // Whether the worker could take a task of the job now, as far as the worker
  // is concerned: another device than those that died of it comes first.
  bool CanRun(const WorkerRecord& worker, const Job& job) const;
  // It outlived the daemon that started it, and computes other bits than this
  // version, or does not know all that jobs ask for: it gets no more tasks.
  static bool IsOfEarlierVersion(const WorkerRecord& worker);
  // Where the job's pilot should run: what fits there fits everywhere.
  const DeviceOptions& PilotDevice(const Job& job) const;
  // The least of all devices.
  int64_t LeastMemory() const;
  // Whether the job killed so many workers that it must be its own fault.
  bool IsPoisonous(const Job& job) const;

  // --- Who is there ---

  void Started(WorkerId worker, const journal::v1::WorkerProcess& process);
  // A process of an earlier daemon, which has until then to attach.
  void Restore(WorkerId worker, const journal::v1::WorkerProcess& process,
               absl::Time lease_until);
  // False: the report is an old one, or of a process that is not known.
  bool TakeAttendance(WorkerRecord& worker,
                      const hydra::worker::v1::WorkerReport& report,
                      absl::Time now);
  void StreamEnded(WorkerId worker, absl::Time now);
  // Its process is gone. Its hand is as it was.
  void Died(WorkerRecord& worker, absl::string_view how, absl::Time now);
  // The worker says what cannot be: it is not listened to any more, and its
  // process ends.
  void Refuse(WorkerRecord& worker, const absl::Status& why, absl::Time now);
  // Ends a worker of an earlier version, which holds nothing.
  void Replace(WorkerRecord& worker, absl::Time now);
  // For leases, absences, and the ends of quarantines.
  void Tick(absl::Time now);

  // --- What operators have drained (drains.h) ---

  // A reason: it gets no more tasks. None: it does again.
  void SetDrained(WorkerRecord& worker, std::optional<std::string> reason);
  // The same for all of them, whose own state stays beside it.
  void SetMaintenance(std::optional<std::string> reason);
  const std::optional<std::string>& maintenance() const { return maintenance_; }
  bool IsDraining(const WorkerRecord& worker) const {
    return maintenance_.has_value() || worker.drained.has_value();
  }
  // Of a reason for waiting, what the drained devices are: "; cpu:1 is drained:
  // new fan". Empty: none is by itself.
  std::string DrainedDevices() const;

  // --- Blame ---

  // The worker's death was during the job's task: a device to blame gets no
  // task for a while, if there is another one.
  void Blame(WorkerRecord& worker, const Job& job, absl::string_view how,
             absl::Time now);
  // The job was found to be the fault of its crashes: no device is.
  void AcquitDevices(JobId job);

  // Said to clients.
  std::vector<hydra::v1::WorkerStatus> Statuses(absl::Time now) const;

 private:
  void StartAgain(WorkerRecord& worker, std::string reason, absl::Time now);
  // Whether the job may count on a device that did not die of it.
  bool HasUntriedDevice(const Job& job) const;
  bool MayTry(const WorkerRecord& worker, const Job& job) const;
  void Quarantine(WorkerRecord& worker, const Job& job, absl::string_view how,
                  absl::Time now);
  void EndQuarantine(WorkerRecord& worker);
  void NoteAbsence(WorkerRecord& worker, absl::Time now);
  void CheckLease(WorkerRecord& worker, bool stood_still, absl::Time now);
  void TellWhyDevicesAreNotFree();

  const CoreOptions* const options_;
  JobBook* const book_;
  JobQueue* const queue_;
  Journal* const journal_;
  Actions* const actions_;
  std::vector<WorkerRecord> workers_;
  std::optional<std::string> maintenance_;
  absl::Time last_tick_ = absl::InfinitePast();
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_ROSTER_H_
