#ifndef HYDRA_SCHEDULER_CORE_RESTORATION_H_
#define HYDRA_SCHEDULER_CORE_RESTORATION_H_

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "hydra/journal/v1/journal.pb.h"
#include "scheduler/core/core_parts.h"
#include "scheduler/core/job.h"
#include "scheduler/journal/recovered.h"

namespace hydra {

// Goes on where an earlier daemon was: fills the parts of a new core from what
// the journals say. Used once, on the core's thread.
class Restoration {
 public:
  Restoration(CoreParts* parts, const Recovered* recovered, absl::Time now)
      : parts_(*parts), recovered_(*recovered), now_(now) {}

  // DATA_LOSS: the journals contradict themselves; the parts are of no use.
  absl::Status Run();

 private:
  void RestoreSweeps();
  void RestoreWorkers();
  absl::Status RestoreJob(JobId id, const RecoveredJob& recovered);
  absl::Status RestoreInPool(Job& job, const RecoveredJob& recovered);
  bool Adopt(const Job& job, const BlockKey& key, const Version& version);
  void JoinBlockRecords(const Job& job, const RecoveredJob& recovered);
  absl::Status RestoreHandOut(TaskId id, const journal::v1::HandOut& hand_out);
  void RestorePlace(const journal::v1::JobProgress& progress, Job& job,
                    OutstandingTask& task);
  // Jobs that nothing keeps go on.
  void Resume();

  CoreParts& parts_;
  const Recovered& recovered_;
  const absl::Time now_;
  // Versions of frozen blocks that have their slots.
  absl::flat_hash_set<VersionId> frozen_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_RESTORATION_H_
