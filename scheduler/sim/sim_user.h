#ifndef HYDRA_SCHEDULER_SIM_SIM_USER_H_
#define HYDRA_SCHEDULER_SIM_SIM_USER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/ids/ids.h"
#include "scheduler/core/caller.h"
#include "scheduler/core/new_job.h"
#include "scheduler/core/submission_ledger.h"
#include "scheduler/sim/daemon_process.h"
#include "scheduler/sim/sim_machine.h"

namespace hydra {

// Who submits jobs to a simulated daemon, and meddles with them. Not
// thread-safe; what it is given must outlive it.
class SimUser {
 public:
  SimUser(SimMachine* machine, DaemonProcess* daemon)
      : machine_(machine), daemon_(daemon) {}

  // Submits a sweep of small jobs of `steps` steps each, again and again until
  // it is acknowledged. The number of this request.
  size_t Submit(int jobs, int64_t steps);
  // The same of any jobs, of such a user; none: of nobody that is known.
  size_t Submit(std::vector<NewJob> jobs,
                std::optional<Caller> caller = std::nullopt);
  bool IsAcknowledged(size_t request) const {
    return requests_[request].acknowledged;
  }
  // Every request, and its jobs have ended. The daemon must be up.
  bool AllJobsEnded() const;

  // Pauses, resumes or cancels some job, if chance wants it. Resumes it some
  // time later.
  void Meddle();

  // From now on jobs may be gone, since they are deleted.
  void ExpectDeletions() { deletes_ = true; }
  // What was acknowledged is there. The daemon must be up.
  void CheckAcknowledged() const;

 private:
  struct Request {
    std::vector<NewJob> jobs;
    std::optional<Caller> caller;
    bool acknowledged = false;
  };

  RequestKey KeyOf(size_t request) const;
  void TrySubmit(size_t request);
  void ResumeLater(JobId job);

  SimMachine* const machine_;
  DaemonProcess* const daemon_;
  std::vector<Request> requests_;
  bool deletes_ = false;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_SIM_USER_H_
