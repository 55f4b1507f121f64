#ifndef HYDRA_SCHEDULER_CORE_JOB_QUEUE_H_
#define HYDRA_SCHEDULER_CORE_JOB_QUEUE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "scheduler/core/job.h"
#include "scheduler/core/job_book.h"
#include "scheduler/core/wait_list.h"
#include "scheduler/policy/job_view.h"
#include "scheduler/policy/policy.h"

namespace hydra {

// Where jobs stand that no device has: in the policy's queue, waiting for
// something, or resting after a failure; and what is said of those that wait. A
// job stands in one place at most. Not thread-safe; what it is given must
// outlive it.
class JobQueue {
 public:
  // What jobs wait for while another one finds their cut points: any pilot,
  // since on which device it runs may change.
  static constexpr char kPilotWait[] = "a pilot";
  // The reason of pending jobs that only wait for a device.
  static constexpr char kWaitsForADevice[] = "waits for a free device";

  JobQueue(Policy* policy, JobBook* book) : policy_(policy), book_(book) {}

  // The job's next task could begin, or can after its rest.
  void Enqueue(Job& job, absl::Time now);
  // A device has it now: it is not in the policy's queue any more.
  void Dequeue(JobId job) { policy_->Remove(job); }
  // It waits for `what`, and says that it is PENDING for `reason`.
  void WaitFor(Job& job, const std::string& what, std::string reason);
  // `now`: as WaitList's.
  void WaitForRoom(Job& job, std::string reason, absl::Time now);
  // It has got the room that it waited for, or was looked at for.
  void GotRoom(const Job& job);
  // It stands nowhere any more.
  void Leave(JobId job);

  // As WaitList's.
  void Wake(JobId job) { waiting_.Wake(job); }
  void Wake(const std::string& what) { waiting_.Wake(what); }
  void OfferRoom() { waiting_.OfferRoom(); }
  bool WaitsBehindOthers(const Job& job) const {
    return waiting_.WaitsBehindOthers(job.id, AccountOf(job));
  }
  std::vector<WaitList::Waiting> WaitingForRoom() const {
    return waiting_.WaitingForRoom();
  }
  void KeepRoomFor(JobId job) { waiting_.KeepRoomFor(job); }
  bool IsRoomKept(const Job& job, absl::Time now) {
    return waiting_.IsRoomKept(job.id, AccountOf(job), now);
  }
  // Takes out a job that should be looked at again.
  std::optional<JobId> TakeAwake() { return waiting_.Take(); }
  bool has_awake() const { return waiting_.has_next(); }
  // Takes out the jobs whose rest is over.
  std::vector<JobId> TakeRested(absl::Time now);

  // Those in the policy's queue.
  bool Contains(JobId job) const { return policy_->Contains(job); }
  // As Policy's.
  void ForEachInOrder(absl::FunctionRef<bool(const JobView&)> visit) const {
    policy_->ForEachInOrder(visit);
  }
  bool Before(const JobView& a, const JobView& b) const {
    return policy_->Before(a, b);
  }
  bool BeforeByFar(const JobView& a, const JobView& b) const {
    return policy_->BeforeByFar(a, b);
  }
  bool MayYield(const JobView& first, const JobView& other) const {
    return policy_->MayYield(first, other);
  }
  std::string JobsAhead(int64_t jobs) const { return policy_->JobsAhead(jobs); }

  // What jobs say from now on that only wait for a device.
  void SayOfDevices(std::string reason);
  const std::string& waits_for_device() const { return waits_for_device_; }

 private:
  void SetWaiting(Job& job, std::string reason);

  Policy* const policy_;
  JobBook* const book_;
  WaitList waiting_;
  // Jobs that no device gets before some time.
  absl::btree_set<JobId> resting_;
  std::string waits_for_device_ = kWaitsForADevice;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_JOB_QUEUE_H_
