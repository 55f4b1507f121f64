#ifndef HYDRA_SCHEDULER_STORAGE_AUDIT_LOG_H_
#define HYDRA_SCHEDULER_STORAGE_AUDIT_LOG_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/file/file.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

// Who changed what, and who was refused: a file with a line of JSON, a
// hydra.v1.AuditEntry, for each call, and the file before it (".1"), for their
// owner alone. Nothing waits for the disk: an entry that the disk has no room
// for, or that a crash of the machine takes, is lost, and the next one says how
// many were. Thread-safe.
class AuditLog {
 public:
  static constexpr int64_t kMaxFileBytes = 8 << 20;
  static constexpr int kRefusalsAMinute = 60;

  // Goes on with the files that are there. `max_file_bytes`: of each of the
  // two.
  explicit AuditLog(std::string path, int64_t max_file_bytes = kMaxFileBytes,
                    std::function<absl::Time()> now = absl::Now);

  // Of a call that was answered; fills in `sequence`, `time` and what counts
  // entries. One whose result is not "OK" is a refusal, and of those of one
  // user more than kRefusalsAMinute in a minute are only counted.
  void Add(hydra::v1::AuditEntry entry) ABSL_LOCKS_EXCLUDED(mu_);

  struct Query {
    // The user, or whoever comes by TCP (absent). None: all.
    std::optional<std::optional<uint32_t>> user;
    absl::Time since = absl::InfinitePast();
    // Only entries before this one.
    int64_t before = std::numeric_limits<int64_t>::max();
    size_t most = 1000;
  };
  struct Page {
    std::vector<hydra::v1::AuditEntry> entries;
    // What to go on with, as Query::before. 0: there are no more.
    int64_t next = 0;
  };
  // The newest first; looks at a bounded number of entries, so that there may
  // be fewer than `most`, or none, though more follow. Reads the files.
  //
  // As FileError: they cannot be read.
  absl::StatusOr<Page> Newest(const Query& query) const
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // How many refusals of one user were recorded in this minute, and how many
  // since its newest entry were not.
  struct Refusals {
    absl::Time minute = absl::InfinitePast();
    int recorded = 0;
    int64_t more = 0;
  };

  std::string path_before() const { return path_ + ".1"; }
  bool MayRecord(const hydra::v1::AuditEntry& entry, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // False: there is no file to write to.
  bool MakeRoom(int64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool Write(const std::string& line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The contents of the file, and of the one before it; empty: there is none.
  absl::StatusOr<std::vector<std::string>> Read() const
      ABSL_LOCKS_EXCLUDED(mu_);

  const std::string path_;
  const int64_t max_file_bytes_;
  const std::function<absl::Time()> now_;
  mutable absl::Mutex mu_;
  UniqueFd file_ ABSL_GUARDED_BY(mu_);
  int64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  // The file ends within a line.
  bool is_torn_ ABSL_GUARDED_BY(mu_) = false;
  int64_t next_sequence_ ABSL_GUARDED_BY(mu_) = 1;
  int64_t lost_ ABSL_GUARDED_BY(mu_) = 0;
  // By user id; -1: by TCP.
  absl::flat_hash_map<int64_t, Refusals> refusals_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_STORAGE_AUDIT_LOG_H_
