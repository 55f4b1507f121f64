#include "scheduler/daemon/writers.h"

#include <unistd.h>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

constexpr absl::Duration kJournalRetry = absl::Seconds(1);
constexpr absl::Duration kMetricsPause = absl::Milliseconds(250);

std::string HostName() {
  char name[HOST_NAME_MAX + 1] = {};
  const bool has_name = gethostname(name, sizeof(name) - 1) == 0;
  return has_name && name[0] != '\0' ? name : "localhost";
}

}  // namespace

Writers::Writers(Parts parts)
    : parts_(std::move(parts)),
      partitions_(parts_.partitions),
      metrics_(parts_.jobs, MetricsThread::Options{HostName(), kMetricsPause},
               [this](JobId job, const absl::Status& why) {
                 Warn(job, absl::StrCat("files of its metrics cannot be "
                                        "written; training goes on, and they "
                                        "are tried again: ",
                                        why.message()));
               }),
      jobs_journal_(
          parts_.jobs,
          GroupCommit::SequenceRecord{kJobsMetaTable, 0, kLastSequence},
          JournalCallbacks(), kJournalRetry),
      models_(
          parts_.pool, parts_.read_roots,
          [this](JobId job, v1::JobDetail& detail) {
            AddOlderSteps(job, detail);
          },
          [thread = parts_.core](JobId job, const absl::Status& status) {
            thread->Post([job, status](Core& core, absl::Time now) {
              core.ModelSaved(job, status, now);
            });
          }),
      checkpoints_(parts_.pool, parts_.read_roots, CheckpointCallbacks()) {}

GroupCommit::Callbacks Writers::JournalCallbacks() {
  GroupCommit::Callbacks callbacks;
  callbacks.applied = [this](const std::vector<journal::v1::Change>& changes) {
    metrics_.Recorded(changes);
  };
  callbacks.recorded = [thread = parts_.core,
                        gate = parts_.gate](uint64_t up_to) {
    thread->Post([up_to](Core& core, absl::Time) { core.Recorded(up_to); });
    gate->Recorded(up_to);
  };
  callbacks.refused = [thread = parts_.core, gate = parts_.gate](
                          uint64_t sequence, const absl::Status& why) {
    thread->Post([sequence](Core& core, absl::Time) {
      core.SubmissionRefused(sequence);
    });
    gate->Refused(sequence, why);
  };
  return callbacks;
}

void Writers::AddOlderSteps(JobId job, v1::JobDetail& detail) const {
  const absl::Status read =
      parts_.history->AddOlderSteps(job, kAllSteps, detail);
  LOG_IF(WARNING, !read.ok())
      << "hydra_job.json of " << JobName(job)
      << " lacks steps that jobs.db has: " << read.message();
}

CheckpointThread::Callbacks Writers::CheckpointCallbacks() const {
  CheckpointThread::Callbacks callbacks;
  callbacks.block_written = [thread = parts_.core](JobId job, size_t block) {
    thread->Post([job, block](Core& core, absl::Time) {
      core.CheckpointBlockWritten(job, block);
    });
  };
  callbacks.written = [thread = parts_.core](
                          JobId job, const absl::StatusOr<int64_t>& bytes) {
    thread->Post([job, bytes](Core& core, absl::Time now) {
      core.CheckpointWritten(job, bytes, now);
    });
  };
  callbacks.not_removed = [this](JobId job, const absl::Status& why) {
    Warn(job, absl::StrCat("a checkpoint stays on the disk: ", why.message()));
  };
  return callbacks;
}

void Writers::Warn(JobId job, std::string text) const {
  v1::LogLine line;
  *line.mutable_time() = ToProto(absl::Now());
  line.set_severity("W");
  line.set_source("hydrad");
  line.set_step(-1);
  line.set_text(std::move(text));
  parts_.log(job, line);
}

bool Writers::StopJournal() {
  const bool all_recorded = jobs_journal_.Stop();
  metrics_.Stop();
  return all_recorded;
}

void Writers::StorePartition(const std::string& key,
                             const v1::Partition& partition) {
  checkpoints_.Do([this, key, partition] {
    const absl::Status stored = partitions_.Store(key, partition);
    if (!stored.ok()) LOG(WARNING) << stored.message();
  });
}

void Writers::StopFiles() {
  checkpoints_.Stop();
  models_.Stop();
}

}  // namespace hydra
