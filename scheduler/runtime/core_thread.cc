#include "scheduler/runtime/core_thread.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/clock/steady_time.h"

namespace hydra {
namespace {

constexpr absl::Duration kTick = absl::Seconds(1);

// Whether the next turn should come at once. What changed is taken at the ends
// of turns, by EndTurn.
bool HasMoreWork(const Core& core) {
  return core.has_more_work() || core.jobs().has_changes();
}

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

bool CoreThread::PostOrRefuse(Entry entry) {
  absl::MutexLock lock(&mu_);
  if (stopping_) return false;
  entries_.push_back(std::move(entry));
  return true;
}

void CoreThread::Post(Event event) {
  PostOrRefuse({Kind::kPosted, std::move(event), nullptr});
}

absl::Status CoreThread::trouble() const {
  absl::MutexLock lock(&mu_);
  return trouble_;
}

void CoreThread::EndPatience() {
  {
    absl::MutexLock lock(&mu_);
    patient_ = false;
  }
  // What is delayed goes on.
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

bool CoreThread::Record() {
  absl::Status recorded = end_turn_();
  absl::MutexLock lock(&mu_);
  trouble_ = std::move(recorded);
  return trouble_.ok();
}

void CoreThread::Turn(Core& core, std::deque<Entry>& entries) {
  turn_began_ = SteadyNow();
  for (const Entry& entry : entries) entry.event(core, SteadyNow());
  core.EndTurn(SteadyNow());
  const bool recorded = Record();
  for (const Entry& entry : entries) {
    if (entry.asker == nullptr) continue;
    entry.asker->answered = recorded || entry.kind == Kind::kQuestion;
    entry.asker->told.Notify();
  }
}

void CoreThread::TurnStandingStill(Core& core, std::deque<Entry>& entries) {
  for (Entry& entry : entries) {
    if (entry.kind == Kind::kPosted) {
      delayed_.push_back(std::move(entry));
      continue;
    }
    if (entry.kind == Kind::kQuestion) {
      entry.event(core, SteadyNow());
      entry.asker->answered = true;
    }
    entry.asker->told.Notify();
  }
}

void CoreThread::Loop(Core& core) {
  // What happened before it began, such as going on after a restart.
  turn_began_ = SteadyNow();
  core.EndTurn(SteadyNow());
  bool recorded = Record();
  bool more_work = HasMoreWork(core);
  while (true) {
    std::deque<Entry> entries;
    bool patient = true;
    bool stopping = false;
    {
      absl::MutexLock lock(&mu_);
      auto wake = [this, ready = recorded && more_work]()
                      ABSL_SHARED_LOCKS_REQUIRED(mu_) {
                        return ready || stopping_ || !entries_.empty();
                      };
      mu_.Await(absl::Condition(&wake));
      entries.swap(entries_);
      patient = patient_;
      stopping = stopping_;
    }
    if (!recorded) recorded = Record();
    if (!recorded && patient) {
      TurnStandingStill(core, entries);
      continue;
    }
    // In the order in which they came.
    std::deque<Entry> all = std::exchange(delayed_, {});
    std::move(entries.begin(), entries.end(), std::back_inserter(all));
    Turn(core, all);
    more_work = HasMoreWork(core);
    recorded = trouble().ok();
    // Nothing is posted any more once stopping_ is set.
    if (stopping) return;
  }
}

}  // namespace hydra
