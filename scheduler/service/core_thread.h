#ifndef HYDRA_SCHEDULER_SERVICE_CORE_THREAD_H_
#define HYDRA_SCHEDULER_SERVICE_CORE_THREAD_H_

#include <deque>
#include <functional>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "common/clock/steady_event.h"
#include "scheduler/core/core.h"

namespace hydra {

// The one thread that owns the core: others post what shall happen, and it does
// it in that order, turn by turn. It also makes the core's clock tick, and lets
// it continue long work between other events; the time is SteadyNow().
// Thread-safe.
class CoreThread {
 public:
  using Action = std::function<void(Core&, absl::Time now)>;
  // Called on the thread at the end of each turn, before anybody gets an
  // answer: see journal.h. False: what happened is not recorded, and the next
  // turn's end tries again.
  using EndTurn = std::function<bool()>;

  CoreThread() = default;
  // Stop().
  ~CoreThread();

  // Begins to work for `core`, which must outlive this. Call once; what was
  // posted before runs then.
  void Start(Core* core, EndTurn end_turn);

  // Returns at once.
  void Post(Action action) ABSL_LOCKS_EXCLUDED(mu_);

  // Runs `question` on the thread and waits for its answer, until the turn's
  // end is recorded. None: the thread has ended, or EndPatience was called and
  // the turn is not recorded. Never call it on the thread itself.
  template <typename Question>
  auto Ask(Question question)
      -> std::optional<decltype(question(std::declval<Core&>(),
                                         absl::Time()))> {
    std::optional<decltype(question(std::declval<Core&>(), absl::Time()))>
        answer;
    Asker asker;
    const bool posted = PostOrRefuse([&](Core& core, absl::Time now) {
      answer = question(core, now);
      askers_.push_back(&asker);
    });
    if (posted) asker.told.WaitForNotification();
    if (!asker.recorded) answer.reset();
    return answer;
  }

  // From now on nobody waits for a turn's end that cannot be recorded. Returns
  // at once.
  void EndPatience() ABSL_LOCKS_EXCLUDED(mu_);

  // EndPatience, then runs what was posted before and ends the thread.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // Who waits for the end of the turn.
  struct Asker {
    bool recorded = false;
    absl::Notification told;
  };

  bool PostOrRefuse(Action action) ABSL_LOCKS_EXCLUDED(mu_);
  void Loop(Core& core) ABSL_LOCKS_EXCLUDED(mu_);
  void TellAskers(bool recorded);
  void TickUntilStopped();

  absl::Mutex mu_;
  std::deque<Action> actions_ ABSL_GUARDED_BY(mu_);
  bool patient_ ABSL_GUARDED_BY(mu_) = true;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  // The thread's own.
  std::vector<Asker*> askers_;
  EndTurn end_turn_;
  SteadyEvent stopped_;
  std::thread thread_;
  std::thread ticker_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_CORE_THREAD_H_
