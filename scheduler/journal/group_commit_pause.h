#ifndef HYDRA_SCHEDULER_JOURNAL_GROUP_COMMIT_PAUSE_H_
#define HYDRA_SCHEDULER_JOURNAL_GROUP_COMMIT_PAUSE_H_

#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"

namespace hydra {

// A pause that another thread can end. By the steady clock, which
// absl::Mutex does not wait by: a pause must not become an hour because
// somebody set the machine's time. Thread-safe.
class GroupCommitPause {
 public:
  // Returns after `duration`, or at once if the pause is or becomes over.
  void Wait(absl::Duration duration) {
    std::unique_lock<std::mutex> lock(mu_);
    ended_.wait_for(lock, absl::ToChronoNanoseconds(duration),
                    [this] { return over_; });
  }

  // Ends this pause and all later ones.
  void End() {
    {
      std::unique_lock<std::mutex> lock(mu_);
      over_ = true;
    }
    ended_.notify_all();
  }

 private:
  std::mutex mu_;
  std::condition_variable ended_;
  bool over_ = false;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_GROUP_COMMIT_PAUSE_H_
