#ifndef HYDRA_SCHEDULER_SERVICE_JOB_STREAMS_H_
#define HYDRA_SCHEDULER_SERVICE_JOB_STREAMS_H_

#include <limits>
#include <optional>

#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "hydra/v1/hydra.pb.h"
#include "scheduler/core/caller.h"
#include "scheduler/runtime/read_model.h"
#include "scheduler/service/job_reader.h"
#include "scheduler/service/polled_stream.h"
#include "scheduler/service/watch_cursor.h"
#include "scheduler/storage/log_store.h"

namespace hydra {

// Streams delete themselves at their ends; what they are given must outlive the
// server.

// Sends what a cursor gives, and the workers.
class WatchStream final : public PolledStream<v1::WatchResponse> {
 public:
  // `interval`: the shortest time between two messages, once all is told.
  WatchStream(const ReadModel* model, const JobReader* reader,
              const Caller& caller, WatchCursor cursor, absl::Duration interval)
      : model_(model),
        reader_(reader),
        caller_(caller),
        cursor_(std::move(cursor)),
        interval_(interval) {}

 private:
  Step Next(v1::WatchResponse* response) override;

  const ReadModel* const model_;
  const JobReader* const reader_;
  const Caller caller_;
  WatchCursor cursor_;
  const absl::Duration interval_;
  // When there may be another message.
  absl::Time next_at_ = absl::InfinitePast();
  bool ended_ = false;
  // ReadModel::Workers::revision.
  uint64_t workers_sent_ = 0;
  bool sent_any_ = false;
};

// Sends a job's log lines: those behind number `after`; for 0 the newest
// `tail`; for 0 all that are kept. Lines that were there when the stream was
// opened are among them, and no later ones; for `follow` those that came before
// the job was seen to have ended.
//
// DATA_LOSS: its log cannot be read. NOT_FOUND and others: as
// JobReader::StatusOf.
class LogStream final : public PolledStream<v1::StreamLogsResponse> {
 public:
  LogStream(const ReadModel* model, const JobReader* reader,
            const LogStore* logs, const Caller& caller, JobId job,
            int64_t after, int64_t tail, bool follow)
      : model_(model),
        reader_(reader),
        logs_(logs),
        caller_(caller),
        job_(job),
        after_(after),
        tail_(tail),
        follow_(follow) {}

 private:
  Step Next(v1::StreamLogsResponse* response) override;
  LogStore::Cursor FirstLine() const;

  const ReadModel* const model_;
  const JobReader* const reader_;
  const LogStore* const logs_;
  const Caller caller_;
  const JobId job_;
  const int64_t after_;
  const int64_t tail_;
  const bool follow_;
  // None before the first line is known.
  std::optional<LogStore::Cursor> cursor_;
  // The first line that is not to be sent.
  int64_t end_ = std::numeric_limits<int64_t>::max();
  int looks_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_JOB_STREAMS_H_
