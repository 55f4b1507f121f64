#include "scheduler/core/dispatch.h"

#include <algorithm>

namespace hydra {
namespace {

using Device = DispatchView::Device;

// Jobs that one device looks at before it gives up: more than one only when the
// pool is too fragmented for the best ones' next writes, or an idle device
// could run them.
constexpr int kMostCandidates = 32;

// The best job in the queue that there is room for.
std::optional<JobView> BestFor(const DispatchView& view, const Device& device) {
  std::optional<JobView> best;
  int looked_at = 0;
  view.for_each_runnable([&](const JobView& job) {
    if (!view.can_run(device.id, job.id)) return true;
    if (!view.without_room.contains(job.id)) best = job;
    return !best.has_value() && ++looked_at < kMostCandidates;
  });
  return best;
}

std::optional<JobId> BestPromise(const DispatchView& view, const Device& idle) {
  const JobView* best = nullptr;
  for (const Device& device : view.devices) {
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

// The best job in the queue that the device may run and no idle one could.
std::optional<JobView> BestAhead(const DispatchView& view, const Device& device,
                                 const std::vector<const Device*>& idle) {
  std::optional<JobView> best;
  int looked_at = 0;
  view.for_each_runnable([&](const JobView& job) {
    const bool idle_could = std::any_of(
        idle.begin(), idle.end(),
        [&](const Device* other) { return view.can_run(other->id, job.id); });
    if (!idle_could && view.can_run(device.id, job.id)) best = job;
    return !best.has_value() && ++looked_at < kMostCandidates;
  });
  return best;
}

// What follows on the device's own tasks; only what is inside of a step, or
// all.
std::optional<JobView> BestSuccessor(const DispatchView& view,
                                     const Device& device,
                                     bool only_inside_steps) {
  std::optional<JobView> best;
  for (const DispatchView::Successor& next : device.successors) {
    if (only_inside_steps && !next.inside_step) continue;
    if (!best.has_value() || view.before(next.job, *best)) best = next.job;
  }
  return best;
}

// The better one of a job in the queue and of what follows on the device's own
// tasks. That may go on, too, where there is no room for the one in the queue.
std::optional<JobId> Better(const DispatchView& view, const Device& device,
                            const std::optional<JobView>& queued) {
  std::vector<JobView> choices;
  if (queued) choices.push_back(*queued);
  if (auto next = BestSuccessor(view, device, false)) choices.push_back(*next);
  if (choices.size() == 2 && view.before(choices[1], choices[0])) {
    choices.erase(choices.begin());
  }
  if (const auto step = BestSuccessor(view, device, true)) {
    if (!view.before_by_far(choices.front(), *step)) {
      // A device with nothing to compute takes what there is room for.
      if (device.held_tasks > 0) choices.clear();
      choices.insert(choices.begin(), *step);
    }
  }
  for (const JobView& job : choices) {
    if (!view.without_room.contains(job.id)) return job.id;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Dispatch> NextDispatch(const DispatchView& view) {
  std::vector<const Device*> idle;
  for (const Device& device : view.devices) {
    if (!device.takes_tasks || device.held_tasks > 0) continue;
    if (const auto job = Better(view, device, BestFor(view, device))) {
      return GiveTask{device.id, *job};
    }
    idle.push_back(&device);
  }
  if (!idle.empty()) {
    if (const auto job = BestPromise(view, *idle.back())) return AskBack{*job};
  }
  for (const Device& device : view.devices) {
    if (!device.takes_tasks || device.held_tasks == 0 ||
        device.held_tasks >= view.hand_size) {
      continue;
    }
    const auto ahead = BestAhead(view, device, idle);
    if (const auto job = Better(view, device, ahead)) {
      return GiveTask{device.id, *job};
    }
  }
  return std::nullopt;
}

}  // namespace hydra
