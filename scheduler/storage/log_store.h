#ifndef HYDRA_SCHEDULER_STORAGE_LOG_STORE_H_
#define HYDRA_SCHEDULER_STORAGE_LOG_STORE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "hydra/v1/hydra.pb.h"
#include "scheduler/storage/log_segment.h"

namespace hydra {

// Jobs' log lines, in files of one directory: segments of each job's, of which
// the oldest go first. The lines of a job are numbered from 1, without gaps,
// and no number is given twice, also not by the next process on the same
// directory, unless the machine loses what it had not put on its disk.
//
// A thread of its own writes them; nobody who brings lines waits. A line can be
// read once it is in its file, so whoever saw it finds it there again. What
// cannot be written, or comes faster than it can, is lost: the next line that
// is kept stands behind one that says how many were.
//
// A worker sends a line again if the daemon that took it was killed before it
// said so. Such a line is left out: it is one of the newest that the process
// before wrote.
//
// Thread-safe.
class LogStore {
 public:
  struct Options {
    // Made if it is not there; of this process alone.
    std::string directory;
    // A segment is left when it has so many bytes.
    int64_t segment_bytes = 512 << 10;
    // Of one job.
    size_t most_segments = 16;
    // Of all jobs: beyond, the jobs that have been quiet for the longest time
    // lose their lines.
    int64_t most_bytes = int64_t{1} << 30;
    // Of lines that wait to be written.
    int64_t most_waiting_bytes = 16 << 20;
    // Whether there is such a job; the files of others are removed at the
    // start. Called on the thread. Empty: all are.
    std::function<bool(JobId)> is_known;
  };
  explicit LogStore(Options options);
  // Stops it.
  ~LogStore();

  void Append(JobId job, const v1::LogLine& line) ABSL_LOCKS_EXCLUDED(mu_);
  // Lines that never arrived.
  void CountDropped(JobId job, int64_t count) ABSL_LOCKS_EXCLUDED(mu_);

  // Nobody finds the job any more: its files go, once what was brought before
  // is written. What is brought later is of no use, and goes with the next
  // start.
  void Forget(JobId job) ABSL_LOCKS_EXCLUDED(mu_);

  // Calls `then` on the thread, once all lines that were brought before are
  // written or lost.
  void WhenWritten(std::function<void()> then) ABSL_LOCKS_EXCLUDED(mu_);
  // Writes what waits, and ends the thread. What comes later is dropped. May be
  // called again, but not from two threads at once.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  // Whether lines of the job wait to be written.
  bool IsBusyWith(JobId job) const ABSL_LOCKS_EXCLUDED(mu_);

  static constexpr int64_t kPageBytes = 256 << 10;
  // What a reader comes back with.
  struct Cursor {
    // The line that it wants next.
    int64_t next = 1;
    // Where that is, if somebody looked already: a segment, by its first line,
    // and a place in it.
    int64_t segment = 0;
    LogPlace place;
  };
  struct Page {
    std::vector<LogPiece::LinePtr> lines;
    // Lines between the one asked for and the first one here.
    int64_t dropped = 0;
    // DATA_LOSS: what comes there cannot be read. It may be later.
    absl::Status trouble;
  };
  // Some lines from `cursor` on, about kPageBytes; none: there is none yet.
  // Moves the cursor behind them. Blocks on the disk.
  Page Read(JobId job, Cursor& cursor) const ABSL_LOCKS_EXCLUDED(mu_);
  // The number of the first of the newest `count` lines that are there, and of
  // the line that comes next. Blocks on the disk.
  int64_t TailStart(JobId job, int64_t count) const ABSL_LOCKS_EXCLUDED(mu_);
  int64_t End(JobId job) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Segment {
    int64_t first = 1;
    // Whole lines.
    int64_t bytes = 0;
  };
  // By source, hashes of the newest lines that an earlier process wrote, until
  // one comes from there that it did not.
  using Earlier = std::map<std::string, absl::flat_hash_set<size_t>>;
  // A job's files.
  struct Log {
    // Ascending; one at least.
    std::deque<Segment> segments;
    // Whether the newest one was read, or made, by this process. Else it may
    // have more bytes than whole lines, and what follows is not known.
    bool is_open = false;
    // The number of the line that comes next.
    int64_t next = 1;
    Earlier earlier;
    // Higher than that of all that were quiet since.
    int64_t last_write = 0;
  };
  using Lines = std::vector<v1::LogLine>;
  // A line, or what follows once those before it are written.
  struct Waiting {
    JobId job;
    v1::LogLine line;
    std::function<void()> then;
  };

  std::string PathOf(JobId job, int64_t first) const;
  void FindSegments() ABSL_LOCKS_EXCLUDED(mu_);
  // Reads the job's newest segment, unless that was done. NOT_FOUND: it has no
  // files. Others: it cannot be read.
  absl::Status Open(JobId job) const ABSL_LOCKS_EXCLUDED(open_mu_, mu_);
  // What two segments have, by their lines: where the last one ends, and what
  // is to be remembered.
  absl::StatusOr<LogPlace> Examine(JobId job,
                                   const std::vector<Segment>& newest,
                                   Earlier& earlier) const;

  void Loop() ABSL_LOCKS_EXCLUDED(mu_);
  void ForgetUnknown() ABSL_LOCKS_EXCLUDED(mu_);
  // All of the job, on the thread.
  void RemoveLog(JobId job) ABSL_LOCKS_EXCLUDED(mu_);
  void Write(JobId job, const Lines& lines) ABSL_LOCKS_EXCLUDED(mu_);
  Lines WithoutRepeated(JobId job, const Lines& lines) ABSL_LOCKS_EXCLUDED(mu_);
  // `lines` at the end of the newest segment, or as a new one's first.
  absl::Status WritePiece(JobId job, const v1::LogLine* lines, int64_t count)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Lose(JobId job, int64_t count, const absl::Status& why)
      ABSL_LOCKS_EXCLUDED(mu_);
  void DropOldSegments(JobId job) ABSL_LOCKS_EXCLUDED(mu_);
  void DropQuietJobs(JobId but) ABSL_LOCKS_EXCLUDED(mu_);
  // All lines of a job, which was opened, but not the number that comes next.
  bool DropLines(JobId job) ABSL_LOCKS_EXCLUDED(mu_);
  void Remove(JobId job, const std::deque<Segment>& segments) const;

  const Options options_;
  const absl::Time started_at_;

  // Held while a log is opened, and taken before mu_.
  mutable absl::Mutex open_mu_;

  mutable absl::Mutex mu_;
  // Changed by the thread alone, but for what Open() sets.
  mutable std::map<JobId, Log> logs_ ABSL_GUARDED_BY(mu_);
  // Of all segments.
  mutable int64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t writes_ ABSL_GUARDED_BY(mu_) = 0;
  std::deque<Waiting> waiting_ ABSL_GUARDED_BY(mu_);
  int64_t waiting_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  // By job, how many lines wait, those included that are just written.
  absl::flat_hash_map<JobId, int64_t> busy_ ABSL_GUARDED_BY(mu_);
  // By job, how many lines are lost that no line told of yet.
  absl::flat_hash_map<JobId, int64_t> lost_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;

  // The thread's own: jobs whose last write failed.
  absl::flat_hash_set<JobId> failing_;
  std::thread thread_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_STORAGE_LOG_STORE_H_
