#include "scheduler/service/core_thread.h"

#include <utility>

#include "common/clock/steady_time.h"

namespace hydra {
namespace {

constexpr absl::Duration kTick = absl::Seconds(1);

}  // namespace

CoreThread::~CoreThread() { Stop(); }

void CoreThread::Start(Core* core, EndTurn end_turn) {
  end_turn_ = std::move(end_turn);
  thread_ = std::thread([this, core] { Loop(*core); });
  ticker_ = std::thread([this] { TickUntilStopped(); });
}

void CoreThread::TickUntilStopped() {
  while (!stopped_.WaitFor(kTick)) {
    Post([](Core& core, absl::Time now) { core.Tick(now); });
  }
}

bool CoreThread::PostOrRefuse(Action action) {
  absl::MutexLock lock(&mu_);
  if (stopping_) return false;
  actions_.push_back(std::move(action));
  return true;
}

void CoreThread::Post(Action action) { PostOrRefuse(std::move(action)); }

void CoreThread::EndPatience() {
  {
    absl::MutexLock lock(&mu_);
    patient_ = false;
  }
  // Those who wait already are told at the end of a turn.
  Post([](Core&, absl::Time) {});
}

void CoreThread::Stop() {
  {
    absl::MutexLock lock(&mu_);
    patient_ = false;
    stopping_ = true;
  }
  stopped_.Notify();
  if (thread_.joinable()) thread_.join();
  if (ticker_.joinable()) ticker_.join();
}

void CoreThread::TellAskers(bool recorded) {
  for (Asker* asker : std::exchange(askers_, {})) {
    asker->recorded = recorded;
    asker->told.Notify();
  }
}

void CoreThread::Loop(Core& core) {
  // What happened before it began, such as going on after a restart.
  end_turn_();
  bool more_work = core.has_more_work();
  while (true) {
    std::deque<Action> actions;
    bool patient = true;
    bool stopping = false;
    {
      absl::MutexLock lock(&mu_);
      auto wake = [this, more_work]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
        return more_work || stopping_ || !actions_.empty();
      };
      mu_.Await(absl::Condition(&wake));
      actions.swap(actions_);
      patient = patient_;
      stopping = stopping_;
    }
    if (more_work) core.ContinueWork(SteadyNow());
    for (const Action& action : actions) action(core, SteadyNow());
    more_work = core.has_more_work();
    const bool recorded = end_turn_();
    if (recorded || !patient) TellAskers(recorded);
    // Nothing is posted any more once stopping_ is set.
    if (stopping) return;
  }
}

}  // namespace hydra
