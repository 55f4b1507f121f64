#include "scheduler/daemon/open_state.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "scheduler/core/core.h"
#include "scheduler/daemon/journal_files.h"
#include "scheduler/daemon/left_pool.h"
#include "scheduler/daemon/pool_owner.h"
#include "scheduler/journal/recovery.h"
#include "scheduler/journal/tables.h"
#include "scheduler/storage/found_checkpoints.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

// Nobody writes into the old pool when this returns.
void KillRecordedWorkers(const RecordStore& pool_records) {
  Recovered recorded;
  const absl::Status read = ReadWorkers(pool_records, recorded);
  if (!read.ok()) LOG(WARNING) << read.message();
  for (const auto& [id, process] : recorded.workers) {
    const auto alive =
        ForeignProcess::Open(process.pid(), process.start_time());
    if (!alive.ok()) continue;
    LOG(WARNING) << "killing worker process " << process.pid()
                 << " of an earlier daemon";
    alive->Kill();
    alive->AwaitEnd();
  }
}

// One more than the highest number of a job that has an output in `folder`.
// What hydrad did not name, or will never count up to, is passed over.
uint64_t JobAfterOutputs(const std::string& folder) {
  constexpr uint64_t kHighestBelievable = uint64_t{1} << 48;
  uint64_t next = 1;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const std::string digits = name.substr(1, name.find('-') - 1);
    uint64_t number = 0;
    if (name[0] == 'j' && absl::SimpleAtoi(digits, &number) &&
        absl::StrCat(number) == digits && number < kHighestBelievable) {
      next = std::max(next, number + 1);
    }
  }
  return next;
}

// jobs.db alone says which numbers are taken. A new one beside the outputs of
// one that is gone notes once which those are, so that none is written over.
absl::Status ReadFirstJob(DaemonState& state) {
  const auto first = ReadNumber(*state.jobs, kJobsMetaTable, kFirstJob);
  if (!first.ok()) return first.status();
  if (*first != 0) {
    state.first_job = *first;
    return absl::OkStatus();
  }
  state.first_job = JobAfterOutputs(state.config.state_dir() + "/outputs");
  return WriteNumber(*state.jobs, kJobsMetaTable, kFirstJob, state.first_job);
}

// Links on the way to hydrad's own folder of outputs are its administrator's,
// who may have moved the state directory and left one: the jobs are there
// still. Others are not followed when their jobs are found or written.
void FollowOwnLinks(const std::string& own_outputs, RecoveredJob& job) {
  const std::string& recorded = job.submitted.output_dir();
  if (recorded == own_outputs) return;
  std::error_code error;
  if (fs::canonical(recorded, error) == own_outputs && !error) {
    job.submitted.set_output_dir(own_outputs);
  }
}

absl::Status ReadJournal(DaemonState& state) {
  const auto last = ReadNumber(*state.jobs, kJobsMetaTable, kLastSequence);
  if (!last.ok()) return last.status();
  state.last_sequence = *last;
  const auto starts = ReadNumber(*state.jobs, kJobsMetaTable, kStarts);
  if (!starts.ok()) return starts.status();
  state.generation = *starts + 1;
  auto recovered = ReadJobs(*state.jobs, Core::Options().kept_ended_jobs);
  if (!recovered.ok()) return recovered.status();
  state.recovered = *std::move(recovered);
  const std::string own_outputs = RealStateDir(state.config) + "/outputs";
  for (auto& [id, job] : state.recovered.jobs) {
    FollowOwnLinks(own_outputs, job);
    if (!job.progress.has_ended_at()) FindCheckpoints(id, job);
  }
  return absl::OkStatus();
}

// Workers that died meanwhile have nothing in hand.
absl::Status FindWorkers(DaemonState& state) {
  const auto recorded = state.recovered.workers;
  for (const auto& [id, process] : recorded) {
    auto alive = ForeignProcess::Open(process.pid(), process.start_time());
    if (alive.ok()) {
      state.workers.emplace(id, *std::move(alive));
      continue;
    }
    if (absl::Status forgotten =
            ForgetWorker(id, *state.pool_records, state.recovered);
        !forgotten.ok()) {
      return forgotten;
    }
  }
  return absl::OkStatus();
}

// What the adopted pool holds, and who works in it. Errors: as OpenLeftPool.
absl::Status ReadAdopted(DaemonState& state, LeftPool& left) {
  if (!left.adopted.ok()) return absl::OkStatus();
  absl::Status status = BindPool(state);
  if (!status.ok()) return status;
  left.adopted = ReadPool(*state.pool_records, state.recovered);
  if (left.adopted.ok()) left.adopted = FindWorkers(state);
  return left.adopted.ok() ? left.adopted : GiveUpIfDamaged(left.adopted, left);
}

void LogWhereJobsGoOn(const Recovered& recovered) {
  int at_checkpoint = 0;
  int at_start = 0;
  for (const auto& [id, job] : recovered.jobs) {
    if (job.progress.has_ended_at()) continue;
    ++(job.checkpoints.empty() ? at_start : at_checkpoint);
  }
  if (at_checkpoint + at_start == 0) return;
  LOG(INFO) << "without an earlier pool: jobs that go on from a checkpoint: "
            << at_checkpoint << ", from step 0: " << at_start;
}

absl::Status CountStart(DaemonState& state) {
  return WriteNumber(*state.jobs, kJobsMetaTable, kStarts, state.generation);
}

// All but state.jobs, with the pool at state.config's path.
absl::Status OpenWithPool(DaemonState& state) {
  const config::v1::DaemonConfig& config = state.config;
  LeftPool left;
  absl::Status status = OpenLeftPool(state, left);
  if (status.ok()) status = ReadJournal(state);
  if (status.ok()) status = ReadFirstJob(state);
  if (status.ok()) status = CountStart(state);
  if (status.ok()) status = ReadAdopted(state, left);
  if (!status.ok()) return status;

  if (left.adopted.ok()) {
    LOG(INFO) << "took over the pool " << config.pool().path() << " with "
              << state.workers.size() << " living workers and "
              << state.recovered.hand_outs.size() << " tasks in their hands";
    return absl::OkStatus();
  }
  if (left.exists) {
    LOG(WARNING) << "the pool " << config.pool().path()
                 << " is not taken over, and jobs go on from their "
                    "checkpoints: "
                 << left.adopted.message();
  }
  status = left.is_of_this_boot ? StartWithNewPool(state) : MakePool(state);
  if (!status.ok()) return status;
  LogWhereJobsGoOn(state.recovered);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> PoolPaths(const DaemonState& state) {
  const std::string& path = state.config.pool().path();
  if (!path.empty()) return std::vector<std::string>{path};
  const auto last = ReadText(*state.jobs, kJobsMetaTable, kPoolPathOfJobs);
  if (!last.ok()) return last.status();
  return DefaultPoolPaths(getuid(), *last);
}

}  // namespace

absl::StatusOr<DaemonState> OpenDaemonState(
    const config::v1::DaemonConfig& config) {
  DaemonState state;
  state.config = config;
  auto jobs = OpenJobsJournal(JobsJournalPath(config));
  if (!jobs.ok()) return jobs.status();
  state.jobs = *std::move(jobs);
  const auto paths = PoolPaths(state);
  if (!paths.ok()) return paths.status();
  absl::Status opened;
  for (const std::string& path : *paths) {
    state.config.mutable_pool()->set_path(path);
    opened = OpenWithPool(state);
    if (!absl::IsAlreadyExists(opened)) break;
    state.pool_records.reset();
    LOG_IF(INFO, paths->size() > 1) << opened.message();
  }
  if (!opened.ok()) return opened;
  return state;
}

absl::Status StartWithNewPool(DaemonState& state) {
  KillRecordedWorkers(*state.pool_records);
  state.workers.clear();
  DropPool(state.recovered);
  return MakePool(state);
}

}  // namespace hydra
