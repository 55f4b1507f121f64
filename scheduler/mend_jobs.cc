#include "scheduler/mend_jobs.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "common/ids/ids.h"
#include "hydra/journal/v1/journal.pb.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/recovery.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

namespace jv1 = hydra::journal::v1;

// More than any daemon was started.
constexpr uint64_t kManyStarts = 1'000'000;
// Numbers that are made of it end at 8'388'608.
constexpr uint64_t kMostStarts = 8'000'000;

// By number.
using Sweeps = absl::btree_map<int64_t, jv1::SweepRecord>;

// The `a` of every record.
absl::StatusOr<absl::btree_set<int64_t>> NumbersIn(const RecordStore& jobs,
                                                   int table) {
  absl::btree_set<int64_t> numbers;
  const absl::Status read =
      jobs.ForEach(table, [&](int64_t a, int64_t, absl::string_view) {
        numbers.insert(a);
        return absl::OkStatus();
      });
  if (!read.ok()) return read;
  return numbers;
}

absl::Status Parse(absl::string_view value, absl::string_view what,
                   google::protobuf::MessageLite& message) {
  if (message.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat(what, " is no message"));
}

// The jobs of each sweep, as their submissions say.
absl::StatusOr<Sweeps> SweepsOfJobs(const RecordStore& jobs) {
  Sweeps sweeps;
  const absl::Status read = jobs.ForEach(
      kSubmittedTable, [&](int64_t a, int64_t, absl::string_view value) {
        jv1::SubmittedJob job;
        absl::Status parsed =
            Parse(value, absl::StrCat("the submission of job ", a), job);
        if (!parsed.ok()) return parsed;
        sweeps[job.sweep_id()].add_job_ids(a);
        return absl::OkStatus();
      });
  if (!read.ok()) return read;
  return sweeps;
}

absl::Status DropJobsWithoutSubmission(RecordStore& jobs, std::string& text) {
  const auto submitted = NumbersIn(jobs, kSubmittedTable);
  if (!submitted.ok()) return submitted.status();
  std::vector<jv1::Change> changes;
  absl::btree_set<int64_t> dropped;
  for (int table :
       {kProgressTable, kStepsTable, kEvaluationsTable, kCheckpointsTable}) {
    const auto numbers = NumbersIn(jobs, table);
    if (!numbers.ok()) return numbers.status();
    for (int64_t job : *numbers) {
      if (submitted->contains(job)) continue;
      changes.push_back(MakeEraseFrom(table, job, /*first_b=*/0));
      dropped.insert(job);
    }
  }
  for (int64_t job : dropped) {
    absl::StrAppend(&text, "job j", job,
                    " is lost, since its submission is; its outputs and "
                    "checkpoints stay on the disk\n");
  }
  return changes.empty() ? absl::OkStatus() : jobs.Apply(changes);
}

absl::StatusOr<Sweeps> ReadSweeps(const RecordStore& jobs) {
  Sweeps sweeps;
  const absl::Status read = jobs.ForEach(
      kSweepsTable, [&](int64_t a, int64_t, absl::string_view value) {
        return Parse(value, absl::StrCat("the record of sweep ", a), sweeps[a]);
      });
  if (!read.ok()) return read;
  return sweeps;
}

// Those of `known` that their users deleted are not lost.
void AddDeletedJobs(const Sweeps& known,
                    const absl::flat_hash_set<JobId>& deleted, Sweeps& left) {
  for (const auto& [number, record] : known) {
    for (uint64_t job : record.job_ids()) {
      if (deleted.contains(JobId(job))) left[number].add_job_ids(job);
    }
    const auto found = left.find(number);
    if (found == left.end()) continue;
    std::sort(found->second.mutable_job_ids()->begin(),
              found->second.mutable_job_ids()->end());
  }
}

// A sweep's record names the jobs that are left, and every sweep has one.
absl::Status MendSweeps(RecordStore& jobs, std::string& text) {
  const absl::StatusOr<Sweeps> known = ReadSweeps(jobs);
  if (!known.ok()) return known.status();
  absl::StatusOr<Sweeps> left = SweepsOfJobs(jobs);
  if (!left.ok()) return left.status();
  const auto deleted = ReadDeletedJobs(jobs);
  if (!deleted.ok()) return deleted.status();
  AddDeletedJobs(*known, *deleted, *left);
  std::vector<jv1::Change> changes;
  for (const auto& [number, record] : *known) {
    auto found = left->find(number);
    if (found == left->end()) {
      changes.push_back(MakeErase(kSweepsTable, number, 0));
      absl::StrAppend(&text, "sweep s", number, " has lost all of its jobs\n");
      continue;
    }
    found->second.set_request_id(record.request_id());
    found->second.set_request_digest(record.request_digest());
    if (record.has_caller_user()) {
      found->second.set_caller_user(record.caller_user());
    }
    if (found->second.job_ids_size() != record.job_ids_size()) {
      changes.push_back(
          MakePut(kSweepsTable, number, 0, found->second.SerializeAsString()));
    }
  }
  for (const auto& [number, record] : *left) {
    if (known->contains(number)) continue;
    changes.push_back(
        MakePut(kSweepsTable, number, 0, record.SerializeAsString()));
    absl::StrAppend(&text, "sweep s", number, " was lost, and is made of its ",
                    record.job_ids_size(),
                    " jobs again; a repeated request for it would submit them "
                    "once more\n");
  }
  return changes.empty() ? absl::OkStatus() : jobs.Apply(changes);
}

// Task and version numbers are made of it, and must not come twice. Drawn,
// since it may have been lost before.
absl::Status SetLostStarts(RecordStore& jobs, std::string& text) {
  const auto starts = ReadNumber(jobs, kJobsMetaTable, kStarts);
  if (!starts.ok()) return starts.status();
  if (*starts > 0) return absl::OkStatus();
  std::random_device random;
  const uint64_t drawn =
      std::uniform_int_distribution<uint64_t>(kManyStarts, kMostStarts)(random);
  absl::StrAppend(&text, "the number of starts was lost, and goes on from ",
                  drawn, "\n");
  return WriteNumber(jobs, kJobsMetaTable, kStarts, drawn);
}

}  // namespace

absl::StatusOr<std::string> MendJobs(RecordStore& jobs) {
  std::string text;
  absl::Status status = DropJobsWithoutSubmission(jobs, text);
  if (status.ok()) status = MendSweeps(jobs, text);
  if (status.ok()) status = SetLostStarts(jobs, text);
  if (!status.ok()) return status;
  return text;
}

}  // namespace hydra
