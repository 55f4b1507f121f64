#include "scheduler/journal/recovery.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status/error_details.h"
#include "common/text/printable.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

namespace jv1 = hydra::journal::v1;

constexpr int kNewestSteps = 1000;

template <typename Message>
absl::Status Parse(absl::string_view value, const char* table, int64_t a,
                   Message& message) {
  if (message.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
    return absl::OkStatus();
  }
  return absl::DataLossError(
      absl::StrCat("record ", a, " of the ", table, " is no message of it"));
}

// Appends every record of the job to `messages`.
template <typename Message>
absl::Status ReadOf(const RecordStore& store, int table, const char* name,
                    JobId job, std::vector<Message>& messages) {
  return store.ForEachOf(
      table, job.value(), [&](int64_t a, int64_t, absl::string_view value) {
        return Parse(value, name, a, messages.emplace_back());
      });
}

// The newest ones, since there may be millions.
absl::Status ReadSteps(const RecordStore& jobs, JobId id,
                       std::vector<hydra::v1::StepMetrics>& steps) {
  return jobs.ForEachOf(kStepsTable, id.value(),
                        [&](int64_t a, int64_t, absl::string_view value) {
                          if (steps.size() == 2 * kNewestSteps) {
                            steps.erase(steps.begin(),
                                        steps.begin() + kNewestSteps);
                          }
                          return Parse(value, "steps", a, steps.emplace_back());
                        });
}

absl::Status ReadMetrics(const RecordStore& jobs, JobId id, bool with_steps,
                         RecoveredJob& job) {
  absl::Status status =
      ReadOf(jobs, kEvaluationsTable, "evaluations", id, job.evaluations);
  if (status.ok()) {
    status =
        ReadOf(jobs, kCheckpointsTable, "checkpoints", id, job.checkpoints);
  }
  if (!status.ok() || !with_steps) return status;
  return ReadSteps(jobs, id, job.steps);
}

using JobIds = absl::flat_hash_set<JobId>;

absl::StatusOr<JobIds> ReadEndedJobs(const RecordStore& jobs) {
  JobIds ended;
  absl::Status status = jobs.ForEach(
      kProgressTable, [&](int64_t a, int64_t, absl::string_view value) {
        jv1::JobProgress progress;
        absl::Status parsed = Parse(value, "progress", a, progress);
        if (progress.has_ended_at()) ended.insert(JobId(a));
        return parsed;
      });
  if (!status.ok()) return status;
  return ended;
}

// The jobs of sweeps that have ended as a whole, but for those of the newest
// such sweeps, until these have `kept` jobs. Deleted ones have ended.
JobIds JobsOfOldSweeps(const Recovered& recovered, const JobIds& ended,
                       const JobIds& deleted, int64_t kept) {
  JobIds old;
  int64_t newer = 0;
  for (auto sweep = recovered.sweeps.rbegin(); sweep != recovered.sweeps.rend();
       ++sweep) {
    const auto& ids = sweep->second.job_ids();
    if (!std::all_of(ids.begin(), ids.end(), [&](uint64_t id) {
          return ended.contains(JobId(id)) || deleted.contains(JobId(id));
        })) {
      continue;
    }
    if (newer >= kept) {
      for (uint64_t id : ids) old.insert(JobId(id));
    }
    newer += std::count_if(ids.begin(), ids.end(), [&](uint64_t id) {
      return !deleted.contains(JobId(id));
    });
  }
  return old;
}

// Nothing where there is no such record.
absl::Status ReadMeta(const RecordStore& store, int table, int64_t number,
                      std::string& text) {
  return store.ForEachOf(table, 0,
                         [&](int64_t, int64_t b, absl::string_view value) {
                           if (b == number) text = std::string(value);
                           return absl::OkStatus();
                         });
}

absl::Status ReadShares(const RecordStore& jobs, Recovered& recovered) {
  std::string record;
  absl::Status read = ReadMeta(jobs, kJobsMetaTable, kSharesOfAccounts, record);
  if (!read.ok() || record.empty()) return read;
  return Parse(record, "shares of accounts", 0, recovered.shares.emplace());
}

absl::Status ReadDrains(const RecordStore& jobs, Recovered& recovered) {
  std::string record;
  absl::Status read = ReadMeta(jobs, kJobsMetaTable, kDrained, record);
  if (!read.ok() || record.empty()) return read;
  return Parse(record, "drained devices", 0, recovered.drains.emplace());
}

// In every other table that the outbox knows, the job's number is `a`.
absl::Status DropChangesOfUnknownJobs(const RecordStore& jobs,
                                      std::vector<jv1::Change>& changes) {
  absl::flat_hash_set<int64_t> known;
  const absl::Status read =
      jobs.ForEach(kSubmittedTable, [&](int64_t a, int64_t, absl::string_view) {
        known.insert(a);
        return absl::OkStatus();
      });
  changes.erase(std::remove_if(changes.begin(), changes.end(),
                               [&](const jv1::Change& change) {
                                 return change.table() != kJobsMetaTable &&
                                        !known.contains(change.a());
                               }),
                changes.end());
  return read;
}

}  // namespace

absl::StatusOr<Recovered> ReadJobs(const RecordStore& jobs,
                                   int64_t kept_ended_jobs) {
  Recovered recovered;
  absl::Status status = jobs.ForEach(
      kSweepsTable, [&](int64_t a, int64_t, absl::string_view value) {
        return Parse(value, "sweeps", a, recovered.sweeps[SweepId(a)]);
      });
  if (!status.ok()) return status;
  absl::StatusOr<JobIds> ended = ReadEndedJobs(jobs);
  if (!ended.ok()) return ended.status();
  const absl::StatusOr<JobIds> deleted = ReadDeletedJobs(jobs);
  if (!deleted.ok()) return deleted.status();
  const JobIds old =
      JobsOfOldSweeps(recovered, *ended, *deleted, kept_ended_jobs);
  status = jobs.ForEach(kSubmittedTable,
                        [&](int64_t a, int64_t, absl::string_view value) {
                          if (old.contains(JobId(a))) return absl::OkStatus();
                          return Parse(value, "submitted jobs", a,
                                       recovered.jobs[JobId(a)].submitted);
                        });
  if (!status.ok()) return status;
  status = jobs.ForEach(
      kProgressTable, [&](int64_t a, int64_t, absl::string_view value) {
        if (old.contains(JobId(a))) return absl::OkStatus();
        auto job = recovered.jobs.find(JobId(a));
        if (job == recovered.jobs.end()) {
          return absl::DataLossError(
              absl::StrCat("job ", a, " has progress and no submission"));
        }
        return Parse(value, "progress", a, job->second.progress);
      });
  if (!status.ok()) return status;
  for (auto& [id, job] : recovered.jobs) {
    status = ReadMetrics(jobs, id, !job.progress.has_ended_at(), job);
    if (!status.ok()) return status;
  }
  status = ReadShares(jobs, recovered);
  if (!status.ok()) return status;
  status = ReadDrains(jobs, recovered);
  if (!status.ok()) return status;
  return recovered;
}

absl::StatusOr<jv1::SubmittedJob> ReadSubmitted(const RecordStore& jobs,
                                                JobId id) {
  std::vector<jv1::SubmittedJob> submitted;
  const absl::Status read =
      ReadOf(jobs, kSubmittedTable, "submitted jobs", id, submitted);
  if (!read.ok()) return read;
  if (submitted.empty()) {
    return WithReason(
        absl::NotFoundError(absl::StrCat("there is no job j", id.value())),
        kJobNotFound);
  }
  return std::move(submitted.front());
}

absl::StatusOr<RecoveredJob> ReadJob(const RecordStore& jobs, JobId id,
                                     bool with_steps) {
  absl::StatusOr<jv1::SubmittedJob> submitted = ReadSubmitted(jobs, id);
  if (!submitted.ok()) return submitted.status();
  std::vector<jv1::JobProgress> progress;
  RecoveredJob job;
  absl::Status status = ReadOf(jobs, kProgressTable, "progress", id, progress);
  if (status.ok()) status = ReadMetrics(jobs, id, with_steps, job);
  if (!status.ok()) return status;
  job.submitted = *std::move(submitted);
  if (!progress.empty()) job.progress = std::move(progress.front());
  return job;
}

absl::StatusOr<jv1::SweepRecord> ReadSweep(const RecordStore& jobs,
                                           SweepId id) {
  absl::StatusOr<jv1::SweepRecord> sweep = WithReason(
      absl::NotFoundError(absl::StrCat("there is no sweep s", id.value())),
      kSweepNotFound);
  const absl::Status read =
      jobs.ForEachOf(kSweepsTable, id.value(),
                     [&](int64_t a, int64_t, absl::string_view value) {
                       jv1::SweepRecord record;
                       absl::Status parsed = Parse(value, "sweeps", a, record);
                       if (parsed.ok()) sweep = std::move(record);
                       return parsed;
                     });
  if (!read.ok()) return read;
  return sweep;
}

absl::StatusOr<bool> WasDeleted(const RecordStore& jobs, JobId id) {
  bool deleted = false;
  const absl::Status read =
      jobs.ForEachFrom(kJobsMetaTable, id.value(), kDeletedJob,
                       [&](int64_t, int64_t b, absl::string_view) {
                         deleted = deleted || b == kDeletedJob;
                         return absl::OkStatus();
                       });
  if (!read.ok()) return read;
  return deleted;
}

absl::StatusOr<JobIds> ReadDeletedJobs(const RecordStore& jobs) {
  JobIds deleted;
  const absl::Status read = jobs.ForEach(
      kJobsMetaTable, [&](int64_t a, int64_t b, absl::string_view) {
        if (b == kDeletedJob) deleted.insert(JobId(a));
        return absl::OkStatus();
      });
  if (!read.ok()) return read;
  return deleted;
}

absl::Status ReadPool(const RecordStore& pool, Recovered& recovered) {
  absl::Status status = pool.ForEach(
      kPoolJobsTable, [&](int64_t a, int64_t, absl::string_view value) {
        auto job = recovered.jobs.find(JobId(a));
        if (job == recovered.jobs.end()) return absl::OkStatus();
        return Parse(value, "jobs in the pool", a, job->second.pool.emplace());
      });
  if (!status.ok()) return status;
  status = pool.ForEach(
      kBlocksTable, [&](int64_t a, int64_t, absl::string_view value) {
        auto job = recovered.jobs.find(JobId(a));
        if (job == recovered.jobs.end()) return absl::OkStatus();
        return Parse(value, "blocks", a, job->second.blocks.emplace_back());
      });
  if (!status.ok()) return status;
  status = pool.ForEach(
      kHandOutsTable, [&](int64_t a, int64_t, absl::string_view value) {
        return Parse(value, "hand-outs", a, recovered.hand_outs[TaskId(a)]);
      });
  return status.ok() ? ReadWorkers(pool, recovered) : status;
}

absl::Status ReadWorkers(const RecordStore& pool, Recovered& recovered) {
  return pool.ForEach(
      kWorkersTable, [&](int64_t a, int64_t, absl::string_view value) {
        return Parse(value, "workers", a, recovered.workers[WorkerId(a)]);
      });
}

void DropPool(Recovered& recovered) {
  for (auto& [id, job] : recovered.jobs) {
    job.pool.reset();
    job.blocks.clear();
  }
  recovered.hand_outs.clear();
  recovered.workers.clear();
}

void UseCheckpoints(const std::vector<jv1::CheckpointRecord>& on_disk,
                    RecoveredJob& job) {
  std::vector<jv1::CheckpointRecord> used = on_disk;
  for (jv1::CheckpointRecord& checkpoint : used) {
    for (const jv1::CheckpointRecord& known : job.checkpoints) {
      if (known.info().path() == checkpoint.info().path()) checkpoint = known;
    }
  }
  std::sort(used.begin(), used.end(), [](const auto& a, const auto& b) {
    return CheckpointNumber(a.info()) < CheckpointNumber(b.info());
  });
  job.checkpoints = std::move(used);
}

absl::StatusOr<uint64_t> DeliverOutbox(RecordStore& pool, RecordStore& jobs) {
  absl::StatusOr<uint64_t> last =
      ReadNumber(jobs, kJobsMetaTable, kLastSequence);
  if (!last.ok()) return last;
  std::vector<jv1::Change> changes;
  std::vector<jv1::Change> erased;
  absl::Status status = pool.ForEach(
      kOutboxTable, [&](int64_t a, int64_t, absl::string_view value) {
        erased.push_back(MakeErase(kOutboxTable, a, 0));
        if (a <= *last) return absl::OkStatus();
        jv1::OutboxEntry entry;
        absl::Status parsed = Parse(value, "outbox", a, entry);
        changes.insert(changes.end(), entry.changes().begin(),
                       entry.changes().end());
        *last = a;
        return parsed;
      });
  if (status.ok() && !changes.empty()) {
    status = DropChangesOfUnknownJobs(jobs, changes);
    changes.push_back(
        MakePut(kJobsMetaTable, 0, kLastSequence, absl::StrCat(*last)));
    if (status.ok()) status = jobs.Apply(changes);
  }
  if (status.ok()) status = pool.Apply(erased);
  if (!status.ok()) return status;
  return last;
}

absl::StatusOr<std::string> ReadText(const RecordStore& store, int table,
                                     int64_t number) {
  std::string text;
  if (absl::Status read = ReadMeta(store, table, number, text); !read.ok()) {
    return read;
  }
  return text;
}

absl::StatusOr<uint64_t> ReadNumber(const RecordStore& store, int table,
                                    int64_t number) {
  absl::StatusOr<std::string> text = ReadText(store, table, number);
  if (!text.ok()) return text.status();
  uint64_t value = 0;
  if (!text->empty() && !absl::SimpleAtoi(*text, &value)) {
    return absl::DataLossError(absl::StrCat("a meta record is ", Quoted(*text),
                                            "; it should be a number"));
  }
  return value;
}

absl::Status WriteNumber(RecordStore& store, int table, int64_t number,
                         uint64_t value) {
  return store.Apply({MakePut(table, 0, number, absl::StrCat(value))});
}

absl::Status ForgetWorker(WorkerId worker, RecordStore& pool,
                          Recovered& recovered) {
  std::vector<jv1::Change> changes = {
      MakeErase(kWorkersTable, worker.value(), 0)};
  recovered.workers.erase(worker);
  for (auto it = recovered.hand_outs.begin();
       it != recovered.hand_outs.end();) {
    if (it->second.worker_id() != worker.value()) {
      ++it;
      continue;
    }
    changes.push_back(MakeErase(kHandOutsTable, it->first.value(), 0));
    it = recovered.hand_outs.erase(it);
  }
  return pool.Apply(changes);
}

}  // namespace hydra
