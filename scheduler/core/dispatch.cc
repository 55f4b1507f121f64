#include "scheduler/core/dispatch.h"

#include <algorithm>

#include "scheduler/policy/account.h"

namespace hydra {
namespace {

using Device = DispatchView::Device;

// Jobs of one account that one device looks at before it gives them up: more
// than one only when the pool is too fragmented for the best ones' next writes,
// or an idle device could run them.
constexpr int kMostCandidates = 32;

// How many were looked at, of jobs that come in the policy's order: accounts
// stand one behind the other there, and one whose jobs find no room does not
// keep the next one's from a device.
class Looks {
 public:
  bool AreEnoughFor(const JobView& job) {
    if (job.account != account_) looked_at_ = 0;
    account_ = job.account;
    return looked_at_ >= kMostCandidates;
  }
  void Count() { ++looked_at_; }

 private:
  Account account_;
  int looked_at_ = 0;
};

// The best job in the queue that there is room for.
std::optional<JobView> BestFor(const DispatchView& view, const Device& device) {
  std::optional<JobView> best;
  Looks looks;
  view.for_each_runnable([&](const JobView& job) {
    if (looks.AreEnoughFor(job)) return true;
    if (!view.can_run(device.id, job.id)) return true;
    if (!view.without_room.contains(job.id)) best = job;
    looks.Count();
    return !best.has_value();
  });
  return best;
}

std::optional<JobId> BestPromise(const DispatchView& view, const Device& idle) {
  const JobView* best = nullptr;
  for (const Device& device : view.devices) {
    // All of these come back.
    if (device.drained) continue;
    for (const DispatchView::Promise& promise : device.promises) {
      if (promise.coming_back) return std::nullopt;
      if (!promise.can_come_back || !view.can_run(idle.id, promise.job.id)) {
        continue;
      }
      if (best == nullptr || view.before(promise.job, *best)) {
        best = &promise.job;
      }
    }
  }
  if (best == nullptr) return std::nullopt;
  return best->id;
}

// What has not begun on a drained device.
std::optional<JobId> NextToLeave(const DispatchView& view) {
  for (const Device& device : view.devices) {
    if (!device.drained) continue;
    for (const DispatchView::Promise& promise : device.promises) {
      if (promise.can_come_back) return promise.job.id;
    }
  }
  return std::nullopt;
}

bool AnyCanRun(const DispatchView& view,
               const std::vector<const Device*>& devices, JobId job) {
  return std::any_of(devices.begin(), devices.end(), [&](const Device* device) {
    return view.can_run(device->id, job);
  });
}

// The best job in the queue that the device may run and no idle one could.
std::optional<JobView> BestAhead(const DispatchView& view, const Device& device,
                                 const std::vector<const Device*>& idle) {
  std::optional<JobView> best;
  Looks looks;
  view.for_each_runnable([&](const JobView& job) {
    if (looks.AreEnoughFor(job)) return true;
    if (!AnyCanRun(view, idle, job.id) && view.can_run(device.id, job.id)) {
      best = job;
    }
    looks.Count();
    return !best.has_value();
  });
  return best;
}

using Successor = DispatchView::Successor;

// Of what follows on the device's own tasks, and is `eligible`. Null: nothing.
const Successor* BestSuccessor(
    const DispatchView& view, const Device& device,
    absl::FunctionRef<bool(const Successor&)> eligible) {
  const Successor* best = nullptr;
  for (const Successor& next : device.successors) {
    if (!eligible(next)) continue;
    if (best == nullptr || view.before(next.job, best->job)) best = &next;
  }
  return best;
}

// Of all; one that would wait yields to one that would not.
const Successor* BestSuccessor(const DispatchView& view, const Device& device) {
  const Successor* const best =
      BestSuccessor(view, device, [](const Successor&) { return true; });
  if (best == nullptr || !best->waits) return best;
  const Successor* const ready = BestSuccessor(
      view, device, [](const Successor& next) { return !next.waits; });
  return ready != nullptr && view.may_yield(best->job, ready->job) ? ready
                                                                   : best;
}

// The best of the jobs that the base on the device serves before it goes, none
// of them one that an idle device could run. `first`: the best of all.
std::optional<JobView> BestOfBase(const DispatchView& view,
                                  const Device& device, const JobView& first,
                                  const std::vector<const Device*>& idle) {
  std::optional<JobView> best;
  const auto consider = [&](const Successor& next) {
    if (!next.reads_same_base || next.waits ||
        view.without_room.contains(next.job.id)) {
      return;
    }
    const bool comes_too_late = next.inside_step
                                    ? view.before_by_far(first, next.job)
                                    : !view.may_yield(first, next.job);
    if (comes_too_late && next.job.id != first.id) return;
    if (!best || view.before(next.job, *best)) best = next.job;
  };
  for (const Successor& next : device.successors) consider(next);
  for (const Successor& mate : device.mates) {
    if (!AnyCanRun(view, idle, mate.job.id)) consider(mate);
  }
  return best;
}

// Of the steps that the device is inside of, the best: those that follow on its
// own tasks, and those of jobs with the same base, which it runs in turns. A
// job of the base that is about to begin one is behind the others: it catches
// up with them, so that they go on together, unless it must not go before
// `first`.
const Successor* BestStep(const DispatchView& view, const Device& device,
                          const JobView& first,
                          const std::vector<const Device*>& idle) {
  const Successor* best = BestSuccessor(
      view, device,
      [](const Successor& each) { return each.inside_step && !each.waits; });
  for (const Successor& mate : device.mates) {
    if (AnyCanRun(view, idle, mate.job.id) ||
        view.without_room.contains(mate.job.id) ||
        (!mate.inside_step && !view.may_yield(first, mate.job))) {
      continue;
    }
    if (best == nullptr || view.before(mate.job, best->job)) best = &mate;
  }
  return best;
}

// A job that goes before `first` since the device has more of what it reads: of
// those that follow on its own tasks, and of the queue's that no idle device
// could run.
std::optional<JobView> MostResident(const DispatchView& view,
                                    const Device& device, const JobView& first,
                                    const std::vector<const Device*>& idle) {
  std::optional<JobView> most;
  std::optional<int64_t> most_bytes;
  const auto consider = [&](const JobView& job) {
    if (job.id == first.id || view.without_room.contains(job.id) ||
        !view.may_yield(first, job)) {
      return;
    }
    if (!most_bytes) most_bytes = view.resident_bytes(device.id, first.id);
    const int64_t bytes = view.resident_bytes(device.id, job.id);
    if (bytes < *most_bytes) return;
    // As many as the first one: that stays the first.
    if (bytes == *most_bytes && (!most || view.before(*most, job))) return;
    most = job;
    most_bytes = bytes;
  };
  for (const Successor& next : device.successors) {
    if (!next.waits) consider(next.job);
  }
  for (const JobView& job : view.recent(device.id)) {
    if (!AnyCanRun(view, idle, job.id)) consider(job);
  }
  return most;
}

// The better one of a job in the queue and of what follows on the device's own
// tasks. That may go on, too, where there is no room for the one in the queue.
// `idle`: devices that must not lose a job to this one.
std::optional<JobId> Better(const DispatchView& view, const Device& device,
                            const std::optional<JobView>& queued,
                            const std::vector<const Device*>& idle) {
  std::vector<JobView> choices;
  if (queued) choices.push_back(*queued);
  const Successor* const next = BestSuccessor(view, device);
  if (next != nullptr) choices.push_back(next->job);
  if (choices.size() == 2 && view.before(choices[1], choices[0]) &&
      !(next->waits && view.may_yield(choices[1], choices[0]))) {
    choices.erase(choices.begin());
  }
  if (choices.empty()) return std::nullopt;
  const Successor* const step = BestStep(view, device, choices.front(), idle);
  if (const auto mate = BestOfBase(view, device, choices.front(), idle)) {
    choices.insert(choices.begin(), *mate);
  } else if (step != nullptr &&
             !view.before_by_far(choices.front(), step->job)) {
    // A device with nothing to compute takes what there is room for.
    if (device.held_tasks > 0) choices.clear();
    choices.insert(choices.begin(), step->job);
  } else if (const auto resident =
                 MostResident(view, device, choices.front(), idle)) {
    choices.insert(choices.begin(), *resident);
  }
  for (const JobView& job : choices) {
    if (!view.without_room.contains(job.id)) return job.id;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Dispatch> NextDispatch(const DispatchView& view) {
  if (const auto job = NextToLeave(view)) return AskBack{*job};
  std::vector<const Device*> idle;
  for (const Device& device : view.devices) {
    if (!device.takes_tasks || device.drained || device.held_tasks > 0) {
      continue;
    }
    if (const auto job = Better(view, device, BestFor(view, device), {})) {
      return GiveTask{device.id, *job};
    }
    idle.push_back(&device);
  }
  if (!idle.empty()) {
    if (const auto job = BestPromise(view, *idle.back())) return AskBack{*job};
  }
  for (size_t Device::*size : {&Device::promised_size, &Device::hand_size}) {
    for (const Device& device : view.devices) {
      if (!device.takes_tasks || device.drained || device.held_tasks == 0 ||
          device.held_tasks >= device.*size) {
        continue;
      }
      const auto ahead = BestAhead(view, device, idle);
      if (const auto job = Better(view, device, ahead, idle)) {
        return GiveTask{device.id, *job};
      }
    }
  }
  return std::nullopt;
}

}  // namespace hydra
