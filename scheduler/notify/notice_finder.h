#ifndef HYDRA_SCHEDULER_NOTIFY_NOTICE_FINDER_H_
#define HYDRA_SCHEDULER_NOTIFY_NOTICE_FINDER_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "common/ids/ids.h"
#include "scheduler/notify/notice.h"
#include "scheduler/runtime/read_model.h"

namespace hydra {

// What is to be told of a job that came into this state; none: nothing. Pure.
std::optional<Notice::Event> EventOf(const ReadModel::Entry& entry);

// Finds what is to be told in how jobs change. What had happened when it was
// made is not told, but for `just_changed`: so nobody hears twice of a job, and
// nobody at all of what happens just before a daemon dies. Not thread-safe.
class NoticeFinder {
 public:
  // `just_changed`: jobs that came into their states as the daemon started.
  // `model` must outlive it.
  explicit NoticeFinder(const ReadModel* model,
                        std::vector<JobId> just_changed = {})
      : model_(model),
        just_changed_(std::move(just_changed)),
        revision_(model->revision()) {}

  // Of all that happened since the last call: of jobs, in order, and then of
  // sweeps.
  std::vector<Notice> Find();

 private:
  // If the job, the newest of its sweep's that have just ended, is its last.
  void NoteSweep(const ReadModel::Entry& newest,
                 std::vector<Notice>& notices) const;

  const ReadModel* const model_;
  // And not told yet.
  std::vector<JobId> just_changed_;
  // What is newer has not been looked at.
  uint64_t revision_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_NOTIFY_NOTICE_FINDER_H_
