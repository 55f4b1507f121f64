#include "scheduler/core/dispatcher.h"

#include <algorithm>
#include <variant>

#include "scheduler/core/residency.h"

namespace hydra {

namespace {

// Whether something of it has not begun, and was not asked back.
bool CanLeave(const Job& job) {
  return std::any_of(job.outstanding.begin(), job.outstanding.end(),
                     [](const OutstandingTask& task) {
                       return !task.begun && !task.withdrawing;
                     });
}

}  // namespace

void Dispatcher::Run(absl::Time now) {
  Found found;
  while (const std::optional<Dispatch> next = Next(found, now)) {
    if (const auto* back = std::get_if<AskBack>(&*next)) {
      Hands::Withdraw(parts_.book->At(back->job));
      continue;
    }
    const GiveTask& give = std::get<GiveTask>(*next);
    Job& job = parts_.book->At(give.job);
    switch (parts_.hands->HandOut(job, parts_.roster->At(give.worker), now)) {
      case Hands::Given::kYes:
        parts_.queue->Dequeue(job.id);
        break;
      case Hands::Given::kNoRoom:
        found.without_room.insert(job.id);
        break;
      case Hands::Given::kNoSpareRoom:
        found.without_spare_room.insert(give.worker);
        break;
    }
  }
}

std::optional<Dispatch> Dispatcher::Next(const Found& found,
                                         absl::Time now) const {
  const auto for_each_runnable =
      [this](absl::FunctionRef<bool(const JobView&)> visit) {
        parts_.queue->ForEachInOrder(visit);
      };
  const auto can_run = [this](WorkerId worker, JobId job) {
    return parts_.roster->CanRun(parts_.roster->At(worker),
                                 parts_.book->At(job));
  };
  const auto before = [this](const JobView& a, const JobView& b) {
    return parts_.queue->Before(a, b);
  };
  const auto before_by_far = [this](const JobView& a, const JobView& b) {
    return parts_.queue->BeforeByFar(a, b);
  };
  const auto may_yield = [this](const JobView& first, const JobView& other) {
    return parts_.queue->MayYield(first, other);
  };
  const auto recent = [this](WorkerId worker) {
    return RecentJobs(parts_.roster->At(worker));
  };
  const auto resident_bytes = [this](WorkerId worker, JobId job) {
    const Job& asked = parts_.book->At(job);
    if (!asked.in_chain()) return int64_t{0};
    return ResidentBytes(parts_.roster->At(worker), *parts_.blocks, asked);
  };
  DispatchView view{{},     for_each_runnable, can_run,
                    before, before_by_far,     may_yield,
                    recent, resident_bytes,    found.without_room};
  for (const WorkerRecord& worker : parts_.roster->all()) {
    view.devices.push_back(ViewOf(worker, found, now));
  }
  return NextDispatch(view);
}

std::vector<JobView> Dispatcher::RecentJobs(const WorkerRecord& worker) const {
  std::vector<JobView> jobs;
  if (worker.cached.empty()) return jobs;
  for (JobId id : worker.contexts.Jobs()) {
    if (!parts_.queue->Contains(id)) continue;
    const Job& job = parts_.book->At(id);
    if (!job.in_chain() || !parts_.roster->CanRun(worker, job)) continue;
    jobs.push_back(ViewAt(job, job.position));
  }
  return jobs;
}

std::vector<DispatchView::Successor> Dispatcher::MatesOf(
    const WorkerRecord& worker, const Job& job, const ChainTask& last) const {
  std::vector<DispatchView::Successor> mates;
  for (JobId id : parts_.bases->JobsWithBaseOf(job)) {
    if (!parts_.queue->Contains(id)) continue;
    const Job& mate = parts_.book->At(id);
    if (!mate.in_chain() || !parts_.roster->CanRun(worker, mate)) continue;
    mates.push_back({ViewAt(mate, mate.position), mate.position.inside_step(),
                     /*waits=*/false,
                     ReadsSameBase(mate, mate.position, last)});
  }
  return mates;
}

DispatchView::Device Dispatcher::ViewOf(const WorkerRecord& worker,
                                        const Found& found,
                                        absl::Time now) const {
  DispatchView::Device device;
  device.id = worker.id;
  const size_t computed = parts_.hands->ComputedTasks(worker);
  const auto computing = parts_.hands->FirstToCompute(worker);
  device.drained = parts_.roster->IsDraining(worker);
  device.takes_tasks =
      worker.ready() && worker.usable() && computed < Hands::kMostComputed;
  device.held_tasks = worker.hand.size() - computed;
  device.promised_size = parts_.hands->PromisedSize();
  device.hand_size = found.without_spare_room.contains(worker.id)
                         ? device.promised_size
                         : parts_.hands->SizeOf(worker);
  const Job* last_job = nullptr;
  const OutstandingTask* last_task = nullptr;
  if (!worker.hand.empty()) {
    last_job = &parts_.book->At(worker.hand.back().first);
    last_task = last_job->FindOutstanding(worker.hand.back().second);
    if (device.takes_tasks && device.held_tasks < device.hand_size &&
        last_task->position.has_value()) {
      device.mates = MatesOf(worker, *last_job, last_task->task);
    }
  }
  for (const auto& [job_id, task_id] : worker.hand) {
    const Job& job = parts_.book->At(job_id);
    const OutstandingTask& first = job.outstanding.front();
    const bool runs = job.state() == v1::JOB_STATE_RUNNING;
    if (device.drained) {
      device.promises.push_back({ViewAt(job, job.position),
                                 /*coming_back=*/false, CanLeave(job)});
    } else if (computing.has_value() && computing->first != job_id) {
      device.promises.push_back({ViewAt(job, job.position),
                                 runs && first.withdrawing,
                                 !first.begun && !first.withdrawing});
    }
    const OutstandingTask& last = job.outstanding.back();
    if (!runs || last.id != task_id || last.withdrawing ||
        !last.position.has_value()) {
      continue;
    }
    const ChainPosition next = job.NextPosition();
    if (next.done() || !job.MayGoOn(next) ||
        parts_.checkpoints->HoldsBeforeStep(job, next, now)) {
      continue;
    }
    device.successors.push_back(
        {ViewAt(job, next), next.inside_step(), WaitsForHost(worker, job),
         HaveSameBase(job, *last_job) &&
             ReadsSameBase(job, next, last_task->task)});
  }
  return device;
}

}  // namespace hydra
