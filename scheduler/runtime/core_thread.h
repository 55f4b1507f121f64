#ifndef HYDRA_SCHEDULER_RUNTIME_CORE_THREAD_H_
#define HYDRA_SCHEDULER_RUNTIME_CORE_THREAD_H_

#include <deque>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "common/clock/steady_event.h"
#include "scheduler/core/core.h"

namespace hydra {

// The one thread that owns the core: others post what shall happen, and it does
// it in that order, turn by turn. It also makes the core's clock tick, and adds
// turns while the core has more work than it does in one; the time is
// SteadyNow(). Thread-safe.
class CoreThread {
 public:
  using Event = std::function<void(Core&, absl::Time now)>;
  // Called on the thread after Core::EndTurn, before anybody gets an answer:
  // see journal.h. It takes the core's changes, or some of them: while there
  // are more, turns follow each other. An error: what happened is not recorded.
  // Then the core stands still, but for questions: it is asked again before
  // whatever would change something, and that waits until it succeeds.
  using EndTurn = std::function<absl::Status()>;

  CoreThread() = default;
  // Stop().
  ~CoreThread();

  // Begins to work for `core`, which must outlive this. Call once; what was
  // posted before runs then.
  void Start(Core* core, EndTurn end_turn);

  // Returns at once.
  void Post(Event event) ABSL_LOCKS_EXCLUDED(mu_);

  // Runs `question`, which changes nothing, on the thread and waits for its
  // answer, at the end of a turn. It comes although a turn is not recorded, and
  // may show what that turn did. None: the thread has ended. Never call it on
  // the thread itself.
  template <typename Question>
  auto Ask(Question question)
      -> std::optional<decltype(question(std::declval<Core&>(),
                                         absl::Time()))> {
    return AskAs(Kind::kQuestion, std::move(question));
  }

  // The same for an order, which changes something: it is answered when that is
  // recorded. None: the thread has ended, or trouble() says why it cannot be
  // recorded; then it was not carried out, or will be done as soon as it can be
  // recorded.
  template <typename Order>
  auto Tell(Order order)
      -> std::optional<decltype(order(std::declval<Core&>(), absl::Time()))> {
    return AskAs(Kind::kOrder, std::move(order));
  }

  // When the newest turn began, before its first event: SteadyNow(). Only on
  // the thread itself. For benchmarks.
  absl::Time turn_began() const { return turn_began_; }

  // Why the newest turn is not recorded. OK: it is.
  absl::Status trouble() const ABSL_LOCKS_EXCLUDED(mu_);

  // From now on the core goes on although a turn cannot be recorded. Returns at
  // once.
  void EndPatience() ABSL_LOCKS_EXCLUDED(mu_);

  // EndPatience, then runs what was posted before and ends the thread.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  enum class Kind { kPosted, kQuestion, kOrder };
  // Who waits for the end of the turn.
  struct Asker {
    bool answered = false;
    absl::Notification told;
  };
  struct Entry {
    Kind kind = Kind::kPosted;
    Event event;
    // Not of what was posted.
    Asker* asker = nullptr;
  };

  template <typename Question>
  auto AskAs(Kind kind, Question question)
      -> std::optional<decltype(question(std::declval<Core&>(),
                                         absl::Time()))> {
    std::optional<decltype(question(std::declval<Core&>(), absl::Time()))>
        answer;
    Asker asker;
    const bool posted = PostOrRefuse(
        {kind,
         [&](Core& core, absl::Time now) { answer = question(core, now); },
         &asker});
    if (posted) asker.told.WaitForNotification();
    if (!asker.answered) answer.reset();
    return answer;
  }

  bool PostOrRefuse(Entry entry) ABSL_LOCKS_EXCLUDED(mu_);
  void Loop(Core& core) ABSL_LOCKS_EXCLUDED(mu_);
  // Whether the core's turn is recorded.
  bool Record() ABSL_LOCKS_EXCLUDED(mu_);
  // One turn with all of `entries`.
  void Turn(Core& core, std::deque<Entry>& entries) ABSL_LOCKS_EXCLUDED(mu_);
  // The same while the core stands still: its questions alone. What was posted
  // goes to delayed_.
  void TurnStandingStill(Core& core, std::deque<Entry>& entries);
  void TickUntilStopped();

  mutable absl::Mutex mu_;
  std::deque<Entry> entries_ ABSL_GUARDED_BY(mu_);
  absl::Status trouble_ ABSL_GUARDED_BY(mu_);
  bool patient_ ABSL_GUARDED_BY(mu_) = true;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  // The thread's own: what was posted while the core stood still.
  std::deque<Entry> delayed_;
  // So is this.
  absl::Time turn_began_;
  EndTurn end_turn_;
  SteadyEvent stopped_;
  std::thread thread_;
  std::thread ticker_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_RUNTIME_CORE_THREAD_H_
