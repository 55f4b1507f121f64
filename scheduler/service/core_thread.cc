#include "scheduler/service/core_thread.h"

#include "absl/time/clock.h"

namespace hydra {
namespace {

constexpr absl::Duration kTick = absl::Seconds(1);

}  // namespace

CoreThread::~CoreThread() { Stop(); }

void CoreThread::Start(Core* core) {
  thread_ = std::thread([this, core] { Loop(*core); });
}

bool CoreThread::PostOrRefuse(Action action) {
  absl::MutexLock lock(&mu_);
  if (stopping_) return false;
  actions_.push_back(std::move(action));
  return true;
}

void CoreThread::Post(Action action) { PostOrRefuse(std::move(action)); }

void CoreThread::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void CoreThread::Loop(Core& core) {
  absl::Time next_tick = absl::Now() + kTick;
  while (true) {
    std::deque<Action> actions;
    bool stopping = false;
    {
      absl::MutexLock lock(&mu_);
      auto wake = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
        return stopping_ || !actions_.empty();
      };
      mu_.AwaitWithDeadline(absl::Condition(&wake), next_tick);
      actions.swap(actions_);
      stopping = stopping_;
    }
    for (const Action& action : actions) action(core, absl::Now());
    // Nothing is posted any more once stopping_ is set.
    if (stopping) return;
    if (absl::Now() >= next_tick) {
      core.Tick(absl::Now());
      next_tick = absl::Now() + kTick;
    }
  }
}

}  // namespace hydra
