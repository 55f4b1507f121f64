#ifndef HYDRA_SCHEDULER_CORE_DRAINS_H_
#define HYDRA_SCHEDULER_CORE_DRAINS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hydra/journal/v1/journal.pb.h"
#include "scheduler/core/roster.h"
#include "scheduler/journal/journal.h"

namespace hydra {

// What operators have drained: devices, or the whole server for maintenance.
// The roster knows it, and so the dispatcher; this checks what is asked for,
// and records it, so that it is the same after a restart. Not thread-safe; what
// it is given must outlive it.
class Drains {
 public:
  Drains(Roster* roster, Journal* journal)
      : roster_(*roster), journal_(*journal) {}

  // What an earlier daemon recorded; devices that are not in the configuration
  // any more are forgotten. Comes before any job does.
  void Restore(const journal::v1::DrainRecord& record);
  // Each of them gets no more tasks for `reason`, or, for none, does again.
  // Whether anything is another now.
  //
  // NOT_FOUND: there is no such device; nothing was changed.
  absl::StatusOr<bool> SetDevices(const std::vector<std::string>& devices,
                                  const std::optional<std::string>& reason);
  // The same for the server as a whole.
  bool SetMaintenance(const std::optional<std::string>& reason);

 private:
  WorkerRecord* Find(const std::string& device);
  void Record();

  Roster& roster_;
  Journal& journal_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_DRAINS_H_
