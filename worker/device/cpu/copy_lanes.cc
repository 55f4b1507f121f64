#include "worker/device/cpu/copy_lanes.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "absl/time/clock.h"
#include "c10/util/Exception.h"
#include "common/clock/steady_time.h"
#include "worker/device/copy_order.h"

namespace hydra {
namespace {

// Empty: it did not fail.
std::string FailureOf(const std::function<void()>& copy) {
  try {
    copy();
    return "";
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace

CopyLanes::CopyLanes(const LinkModel& link) : link_(link) {
  for (CopyLane lane : {CopyLane::kPromote, CopyLane::kDemote}) {
    threads_[static_cast<int>(lane)] = std::thread([this, lane] { Run(lane); });
  }
}

CopyLanes::~CopyLanes() {
  {
    absl::MutexLock lock(&mu_);
    ending_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

Mark CopyLanes::Enqueue(CopyLane which, LaneCopy copy) {
  absl::MutexLock lock(&mu_);
  Entry entry;
  entry.ready = SteadyNow();
  const Lane& other = lane(Other(which));
  entry.after =
      NewestUse(other.entries, other.done, copy.host,
                [](const Entry& earlier) { return earlier.copy.host; });
  entry.copy = std::move(copy);
  lane(which).entries.push_back(std::move(entry));
  return {which, lane(which).enqueued()};
}

bool CopyLanes::IsDone(const Mark& mark) const {
  absl::MutexLock lock(&mu_);
  return lane(mark.lane).done >= mark.number;
}

void CopyLanes::Await(const Mark& mark) {
  absl::MutexLock lock(&mu_);
  AwaitDone(mark);
  ThrowFailure();
}

void CopyLanes::AwaitAll() {
  absl::MutexLock lock(&mu_);
  for (CopyLane which : {CopyLane::kPromote, CopyLane::kDemote}) {
    AwaitDone({which, lane(which).enqueued()});
  }
  ThrowFailure();
}

bool CopyLanes::AwaitOldest() {
  absl::MutexLock lock(&mu_);
  for (CopyLane which : {CopyLane::kDemote, CopyLane::kPromote}) {
    if (lane(which).entries.empty()) continue;
    AwaitDone({which, lane(which).done + 1});
    return true;
  }
  return false;
}

absl::Duration CopyLanes::CopyTime(CopyLane which) const {
  absl::MutexLock lock(&mu_);
  const Lane& its = lane(which);
  if (its.began == absl::InfiniteFuture()) return its.copy_time;
  return its.copy_time + (SteadyNow() - its.began);
}

void CopyLanes::Run(CopyLane which) {
  const auto may_go_on = [this, which]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return MayBegin(which) || (ending_ && lane(which).entries.empty());
  };
  absl::MutexLock lock(&mu_);
  while (true) {
    mu_.Await(absl::Condition(&may_go_on));
    Lane& mine = lane(which);
    if (mine.entries.empty()) return;
    // A deque's entries stay where they are when others are added.
    Entry& entry = mine.entries.front();
    const auto bytes = static_cast<int64_t>(entry.copy.host.size());
    const LinkTimeline::Use link = link_.Transfer(which, bytes, entry.ready);
    // However late this thread came to it.
    mine.began = std::max(std::min(link.begin, SteadyNow()), mine.ended);
    mu_.Unlock();
    std::string failure = FailureOf(entry.copy.copy);
    absl::SleepFor(link.end - SteadyNow());
    // Its memory may be wanted by whoever learns that it is done.
    entry.copy.copy = nullptr;
    mu_.Lock();
    if (failure_.empty()) failure_ = std::move(failure);
    mine.ended = SteadyNow();
    mine.copy_time +=
        mine.ended - std::exchange(mine.began, absl::InfiniteFuture());
    mine.entries.pop_front();
    ++mine.done;
    // The link could not have begun them before.
    for (Entry& waiting : lane(Other(which)).entries) {
      if (waiting.after == mine.done) {
        waiting.ready = std::max(waiting.ready, mine.ended);
      }
    }
  }
}

bool CopyLanes::MayBegin(CopyLane which) const {
  const Lane& mine = lane(which);
  return !mine.entries.empty() &&
         lane(Other(which)).done >= mine.entries.front().after;
}

void CopyLanes::AwaitDone(const Mark& mark) {
  const auto is_done = [this, &mark]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return lane(mark.lane).done >= mark.number;
  };
  mu_.Await(absl::Condition(&is_done));
}

void CopyLanes::ThrowFailure() {
  if (failure_.empty()) return;
  const std::string failure = std::exchange(failure_, "");
  TORCH_CHECK(false, failure);
}

}  // namespace hydra
