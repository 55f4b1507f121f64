#ifndef HYDRA_SCHEDULER_STORAGE_JOB_METRICS_H_
#define HYDRA_SCHEDULER_STORAGE_JOB_METRICS_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/file/file_user.h"
#include "common/file/held_directory.h"
#include "common/ids/ids.h"
#include "hydra/journal/v1/journal.pb.h"
#include "scheduler/journal/record_store.h"
#include "scheduler/storage/event_files.h"
#include "scheduler/storage/metrics_file.h"
#include "scheduler/storage/metrics_line.h"
#include "scheduler/storage/metrics_rows.h"

namespace hydra {

// Brings the files of jobs' metrics, metrics.jsonl and TensorBoard's, up to
// what jobs.db has. They follow from jobs.db alone: nothing is in them that is
// not recorded there, and what they lack, or have of a time before the job went
// back to a checkpoint, is found by comparing. So it matters to nobody when a
// crash comes.
//
// Not thread-safe; blocks on the disk. Of a job that has not ended, or whose
// files could not be written, it keeps some hundred bytes.
class JobMetrics {
 public:
  // `jobs` is borrowed. `host`: stands in the names of TensorBoard's files.
  JobMetrics(const RecordStore* jobs, std::string host)
      : jobs_(jobs), host_(std::move(host)) {}

  // No row was changed that may have been written.
  static constexpr int64_t kNothingOlder = std::numeric_limits<int64_t>::max();

  // `changed_from`: the first place of which a record was put or erased since
  // the last call for this job; kNothingOlder if no row's was. Until there was
  // one, a folder that is missing is not made: its disk may not be mounted. Nor
  // is that of a job that has ended, if it was there: somebody moved it away.
  // Else it is made with the first row. No link on the way is followed
  // (HeldDirectory).
  //
  // After every error what is missing is written by the next call that
  // succeeds.
  absl::Status Update(JobId job, int64_t changed_from);

 private:
  // What is known of a job's files.
  struct Files {
    std::string folder;
    // As whom they are written, and read again.
    FileUser writer;
    // But for what is only known once data are prepared.
    MetricsContext context;
    bool has_events = false;
    absl::Time submitted_at;
    // A row was recorded since this was made.
    bool has_new_rows = false;
    // Something was written, or found, in the folder.
    bool had_folder = false;
    // None: nobody looked yet, or something failed.
    std::optional<MetricsFileEnd> lines;
    // The first place that is not among the events. Of use only with `lines`
    // or `events`.
    int64_t events_next = 0;
    // A file of this process, all of whose rows are recorded. None: the next
    // row needs a further file, which begins with its step.
    std::optional<EventFile> events;
    // What a written row was made of may have changed since.
    bool may_be_stale = false;
    absl::Time last_time;
  };

  // As Update. Others: also of a job that is deleted meanwhile.
  absl::Status UpdateKnown(JobId job, int64_t changed_from);
  absl::StatusOr<Files> FilesOf(JobId job) const;
  // What is recorded there. CANCELLED: nothing is recorded of the job at all
  // any more, so that nothing in its files can be compared.
  absl::StatusOr<std::optional<MetricsRow>> RowOf(JobId job, int64_t place,
                                                  bool ended) const;
  // Finds out what is there, and cuts what is not recorded.
  absl::Status Look(JobId job, bool ended, Files& files) const;
  // Makes it, if it may be made.
  static absl::StatusOr<HeldDirectory> OpenFolder(bool ended,
                                                  const Files& files);
  // Some of the missing rows. False: there are none, or no folder for them.
  absl::StatusOr<bool> WriteSome(JobId job, bool ended, Files& files) const;
  absl::Status WriteEvents(const HeldDirectory& folder,
                           const std::vector<MetricsRow>& rows,
                           Files& files) const;
  absl::Status WriteAll(JobId job, const journal::v1::JobProgress& progress,
                        int64_t changed_from, Files& files) const;

  const RecordStore* const jobs_;
  const std::string host_;
  absl::flat_hash_map<JobId, Files> files_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_STORAGE_JOB_METRICS_H_
