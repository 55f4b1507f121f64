#ifndef HYDRA_SCHEDULER_JOURNAL_GROUP_COMMIT_H_
#define HYDRA_SCHEDULER_JOURNAL_GROUP_COMMIT_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock/steady_event.h"
#include "hydra/journal/v1/journal.pb.h"
#include "scheduler/journal/record_store.h"

namespace hydra {

// Writes entries to a store on a thread of its own, in their order, and all
// that are waiting in one transaction: one wait for the disk serves many.
// Thread-safe.
//
// While the store fails, entries that may be refused are, at the latest when it
// is next tried. The others wait in memory until it works again, however long
// and however many.
class GroupCommit {
 public:
  struct Entry {
    // Higher than every one before.
    uint64_t sequence = 0;
    std::vector<hydra::journal::v1::Change> changes;
    // May be dropped when the store fails: someone waits for the answer.
    bool refusable = false;
  };

  // Called on the thread, one at a time.
  struct Callbacks {
    // Everything with a sequence up to this one is in the store or was refused.
    // Rises with each call.
    std::function<void(uint64_t up_to)> recorded;
    // This entry was dropped; the status is the store's. Comes before the
    // `recorded` that covers it.
    std::function<void(uint64_t sequence, const absl::Status&)> refused;
    // These changes, of any number of entries, are in the store, and nothing
    // later is. Comes before the `recorded` that covers them. May be empty.
    std::function<void(const std::vector<hydra::journal::v1::Change>&)> applied;
  };

  // The record that says how far the store is, written with each transaction:
  // an `up_to` as a decimal number.
  struct SequenceRecord {
    int table = 0;
    int64_t a = 0;
    int64_t b = 0;
  };

  // `store` must outlive this, and be thread-safe if others use it too.
  // `retry_pause` passes between two attempts while the store fails.
  GroupCommit(RecordStore* store, SequenceRecord sequence_record,
              Callbacks callbacks, absl::Duration retry_pause);
  ~GroupCommit();

  // Returns at once. After Stop the entry is dropped without a callback.
  void Enqueue(Entry entry) ABSL_LOCKS_EXCLUDED(mu_);

  // What the last attempt to write said.
  absl::Status health() const ABSL_LOCKS_EXCLUDED(mu_);

  // Tries once to write what waits, then ends the thread. Not for the callbacks
  // to call. Calling it again changes nothing.
  //
  // False: some entries could not be written, and are dropped with a line in
  // the log; whoever has them elsewhere must keep them there.
  bool Stop() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // From the queue.
  struct Taken {
    // Not yet in the store.
    std::deque<Entry> entries;
    // The sequence of the last one, in the store or not.
    uint64_t last = 0;
  };

  void Loop() ABSL_LOCKS_EXCLUDED(mu_);
  // Waits until there is something to do and moves what was queued to
  // taken_. False: this is the last time.
  bool Take() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Write();
  // True: there were some.
  bool RefuseRefusable(const absl::Status& error);
  void SetHealth(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);
  void TellRecorded();

  RecordStore* const store_;
  const SequenceRecord sequence_record_;
  const Callbacks callbacks_;
  const absl::Duration retry_pause_;

  mutable absl::Mutex mu_;
  std::deque<Entry> queue_ ABSL_GUARDED_BY(mu_);
  absl::Status health_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;

  // The thread's alone.
  Taken taken_;
  uint64_t last_recorded_ = 0;

  SteadyEvent stop_;
  std::thread thread_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_JOURNAL_GROUP_COMMIT_H_
