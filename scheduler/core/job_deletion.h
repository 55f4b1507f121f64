#ifndef HYDRA_SCHEDULER_CORE_JOB_DELETION_H_
#define HYDRA_SCHEDULER_CORE_JOB_DELETION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/ids/ids.h"
#include "scheduler/core/actions.h"
#include "scheduler/core/checkpoints.h"
#include "scheduler/core/job_book.h"
#include "scheduler/journal/journal.h"

namespace hydra {

// A job that shall be deleted, with what jobs.db has of one that the book does
// not know any more, since it ended long ago.
struct EndedJob {
  JobId id;
  // The folders of its checkpoints.
  std::vector<std::string> checkpoints;
  // As whom they are removed; none: nobody knows whose job it is.
  std::optional<uint32_t> owner;
};

// Takes jobs that have ended out of all that the server keeps. Records go
// first: what a crash leaves behind of files is a log, which the next start
// removes, and checkpoints in the job's own output directory. Not thread-safe;
// what it is given must outlive it.
class JobDeletion {
 public:
  JobDeletion(JobBook* book, Checkpoints* checkpoints, Journal* journal,
              Actions* actions)
      : book_(book),
        checkpoints_(checkpoints),
        journal_(journal),
        actions_(actions) {}

  // Whether it is gone: not if it has not ended, or its checkpoint is being
  // written. Not while anybody holds a reference to it.
  bool Delete(const EndedJob& ended);

 private:
  JobBook* const book_;
  Checkpoints* const checkpoints_;
  Journal* const journal_;
  Actions* const actions_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_JOB_DELETION_H_
