#ifndef HYDRA_SCHEDULER_FORECAST_JOB_FLOW_H_
#define HYDRA_SCHEDULER_FORECAST_JOB_FLOW_H_

#include <cstddef>
#include <vector>

#include "common/ids/ids.h"
#include "scheduler/policy/job_view.h"
#include "scheduler/policy/policy.h"

namespace hydra {

// How jobs of one account and priority get on with a part of the devices, as if
// device time were a fluid: at every moment the policy's first ones have a
// device each, and jobs between which a device would change from task to task,
// since each step puts the other one first, share what they have evenly. So a
// job that comes down to another one's remaining time goes on with it, as under
// Sharded-LRTF; under a policy whose order does not change, none does.
//
// Time is in seconds. Not thread-safe. Each call but Add takes time in the
// number of groups that are served; the one after an Add is linear, with the
// order of what was added.
class JobFlow {
 public:
  // `order` orders the jobs by their views; it must outlive this.
  explicit JobFlow(const Policy* order) : order_(order) {}

  // Requires a known remaining time.
  void Add(const JobView& job);

  // Jobs that are here: the most devices that they can use.
  size_t size() const { return size_; }

  // From now on they have so many devices together, not necessarily a whole
  // number. The ids of those that get a part of one for the first time are
  // added to `started`, and maybe some others' that go on with them.
  void Serve(double devices, std::vector<JobId>* started);
  // How long what Serve said holds: until a job ends, or comes down to another
  // one. Infinite if none is served. This one and Advance only if nothing was
  // added since Serve.
  double SecondsToChange() const;
  // So much time goes by. The ids of those that have ended are added to
  // `ended`.
  void Advance(double seconds, std::vector<JobId>* ended);

 private:
  // Jobs that go on alike.
  struct Group {
    std::vector<JobId> jobs;
    // Of each.
    JobView view;
    // Of a device, for each.
    double rate = 0;
    bool started = false;
  };

  bool Before(const Group& a, const Group& b) const {
    return order_->Before(a.view, b.view);
  }
  // Whether `behind` goes first once `ahead` has a little less left than it.
  bool WouldMeet(const Group& ahead, const Group& behind) const;
  // Whether that has come.
  bool HasMet(const Group& ahead, const Group& behind) const;
  void Sort();
  void MergeThoseThatMet();

  const Policy* const order_;
  // The first one in the order comes last.
  std::vector<Group> groups_;
  // Of these, so many are in order: the rest was added since.
  size_t sorted_ = 0;
  size_t size_ = 0;
  // The last ones that have a part of a device.
  size_t served_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_FORECAST_JOB_FLOW_H_
