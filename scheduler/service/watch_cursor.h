#ifndef HYDRA_SCHEDULER_SERVICE_WATCH_CURSOR_H_
#define HYDRA_SCHEDULER_SERVICE_WATCH_CURSOR_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/ids/ids.h"
#include "hydra/v1/hydra.pb.h"
#include "scheduler/core/caller.h"
#include "scheduler/runtime/read_model.h"
#include "scheduler/service/client_request.h"
#include "scheduler/service/job_reader.h"

namespace hydra {

// How far one watcher is: it is given the newest state of each job of its
// target once, then of those that changed, some hundred at a time. It takes the
// same memory whatever happens meanwhile. Not thread-safe. What it is given
// must outlive it.
class WatchCursor {
 public:
  WatchCursor(const ReadModel* model, const JobReader* reader,
              const Caller& caller, Target target)
      : model_(model), reader_(reader), caller_(caller), target_(target) {}

  enum class State {
    // There is more to tell at once.
    kMore,
    // The watcher knows all there is to know now.
    kCaughtUp,
    // And nothing can come any more.
    kEnded,
  };
  // Adds what is new of the jobs.
  //
  // As JobReader; PERMISSION_DENIED: the caller may not read the target.
  absl::StatusOr<State> Next(v1::WatchResponse* response);

 private:
  bool IsOf(const ReadModel::Entry& entry) const;
  // Whether the target is known to the core, and has ended.
  ReadModel::SweepState TargetState() const;
  absl::StatusOr<State> NextOfList(v1::WatchResponse* response);
  absl::StatusOr<State> NextChanges(v1::WatchResponse* response);
  // What is new of a job to this watcher.
  void Add(const ReadModel::Entry& entry, v1::WatchResponse* response) const;
  // The core has forgotten the target.
  absl::StatusOr<State> NextOfOld(v1::WatchResponse* response);

  const ReadModel* const model_;
  const JobReader* const reader_;
  const Caller caller_;
  const Target target_;
  // The caller was found to have the right to read the target.
  bool may_read_ = false;
  bool began_ = false;
  bool listed_ = false;
  std::optional<ReadModel::Place> listed_until_;
  uint64_t revision_ = 0;
  // All states up to this revision were told, when there was no more to tell.
  uint64_t told_until_ = 0;
  // Of a target that was forgotten.
  std::optional<std::vector<JobId>> old_;
  size_t old_sent_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_WATCH_CURSOR_H_
