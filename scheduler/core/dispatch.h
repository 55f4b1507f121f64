#ifndef HYDRA_SCHEDULER_CORE_DISPATCH_H_
#define HYDRA_SCHEDULER_CORE_DISPATCH_H_

#include <cstddef>
#include <optional>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "common/ids/ids.h"
#include "scheduler/policy/job_view.h"

namespace hydra {

// Which device gets which job's next task: the decision alone. Pure.

// What one decision is made from. Functions are asked only while it is made.
struct DispatchView {
  // A job of which tasks are in a device's hand behind another job's: it was
  // only promised to be run. Of a drained device, any job of which tasks are
  // there.
  struct Promise {
    JobView job;
    // It has been asked back already, and has not come yet.
    bool coming_back = false;
    // Nothing of it has begun. Of a drained device: something has not.
    bool can_come_back = false;
  };
  struct Successor {
    JobView job;
    // Its step goes on with it.
    bool inside_step = false;
    // For something that the host has yet to make.
    bool waits = false;
    // It reads the frozen parameters that the device's last task reads.
    bool reads_same_base = false;
  };
  struct Device {
    WorkerId id;
    // False: it is not there, or gets nothing for now.
    bool takes_tasks = false;
    // It shall have none any more: what has not begun there comes back.
    bool drained = false;
    // But for those that are computed, and only have to be written.
    size_t held_tasks = 0;
    // Of these, how many it may hold, and how many of them come before any that
    // another device holds beyond that.
    size_t hand_size = 0;
    size_t promised_size = 0;
    std::vector<Promise> promises;
    // Jobs whose last task is in this hand, and whose next one it could take as
    // well, as they will be then.
    std::vector<Successor> successors;
    // The jobs in the queue that have the base of its last task's job, and that
    // it may run.
    std::vector<Successor> mates;
  };

  // The device with the lowest id first.
  std::vector<Device> devices;
  // Visits the runnable jobs in the policy's order, until `visit` returns
  // false.
  absl::FunctionRef<void(absl::FunctionRef<bool(const JobView&)> visit)>
      for_each_runnable;
  // Whether the device may run the job.
  absl::FunctionRef<bool(WorkerId, JobId)> can_run;
  // The policy's order, where it counts inside of a step, and where it does not
  // count as much as what a device has.
  absl::FunctionRef<bool(const JobView&, const JobView&)> before;
  absl::FunctionRef<bool(const JobView&, const JobView&)> before_by_far;
  absl::FunctionRef<bool(const JobView&, const JobView&)> may_yield;
  // The runnable jobs of which the device may have blocks: it ran some of their
  // tasks not long ago. It may run them.
  absl::FunctionRef<std::vector<JobView>(WorkerId)> recent;
  // How much of what the job's next task reads is on the device, or will be
  // when it has run what is in its hand.
  absl::FunctionRef<int64_t(WorkerId, JobId)> resident_bytes;
  // Jobs for whose next writes the pool had no room.
  const absl::flat_hash_set<JobId>& without_room;
};

struct GiveTask {
  WorkerId worker;
  JobId job;

  friend bool operator==(const GiveTask& a, const GiveTask& b) {
    return a.worker == b.worker && a.job == b.job;
  }
};
// The job's promised tasks shall come back, since a device has nothing to do,
// or theirs is drained.
struct AskBack {
  JobId job;

  friend bool operator==(const AskBack& a, const AskBack& b) {
    return a.job == b.job;
  }
};
using Dispatch = std::variant<GiveTask, AskBack>;

// What to do next; none: everybody has what can be had. Carry it out, or note
// the job as one without room, and ask again.
//
// What drained devices have not begun is asked back before anything else, and
// they get nothing. Of the others,
// a device with nothing to compute comes first, and gets the best of the jobs
// that it may run and of what follows on the tasks that it has computed. For
// one that finds none, the best promise is asked back, one at a time. Then come
// tasks ahead, to be promoted while others compute: the best of what follows on
// a hand's own tasks and of the jobs in the queue, of which none is promised
// that an idle device could begin at once. No device gets more of these than
// admission reckons with before each has as many. A step that a device is
// inside of goes on there, unless something else comes first by far, or it
// would have to wait for the host. But before that, the frozen parameters that
// are there serve all jobs that have them in common: those inside of a step,
// and those that may go before the best one; so where K jobs go through a base
// together, another job may wait for K steps where it would wait for one.
// Between steps, the best may yield: if it is one that would wait, to the best
// that would not, and to a job of whose next task the device has more bytes.
std::optional<Dispatch> NextDispatch(const DispatchView& view);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_DISPATCH_H_
