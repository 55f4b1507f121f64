#include "scheduler/sim/sim_daemon.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/recovery.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

std::vector<journal::v1::CheckpointRecord> CheckpointsOf(
    const SimCheckpoints& checkpoints, JobId job) {
  std::vector<journal::v1::CheckpointRecord> records;
  for (const auto& [path, checkpoint] : checkpoints) {
    if (checkpoint.job == job) records.push_back(checkpoint.record);
  }
  return records;
}

}  // namespace

SimDaemon::SimDaemon(
    Core::Options options, SimDisk* disk,
    std::function<void(const Action&)> carry_out,
    const std::function<bool(WorkerId, const std::string&)>& is_alive,
    absl::Time now)
    : disk_(disk), carry_out_(std::move(carry_out)) {
  const uint64_t last = *DeliverOutbox(disk->pool, disk->jobs);
  options.generation = *ReadNumber(disk->jobs, kJobsMetaTable, kStarts) + 1;
  CHECK(WriteNumber(disk->jobs, kJobsMetaTable, kStarts, options.generation)
            .ok());
  Recovered recovered = *ReadJobs(disk->jobs, options.kept_ended_jobs);
  CHECK(ReadPool(disk->pool, recovered).ok());
  for (auto& [id, job] : recovered.jobs) {
    if (job.progress.has_ended_at()) continue;
    UseCheckpoints(CheckpointsOf(disk->checkpoints, id), job);
  }
  const auto workers = recovered.workers;
  for (const auto& [id, process] : workers) {
    if (is_alive(id, process.session())) {
      sessions_[id] = process.session();
    } else {
      CHECK(ForgetWorker(id, disk->pool, recovered).ok());
    }
  }
  journal_ = std::make_unique<Journal>(last);
  core_ = std::make_unique<Core>(std::move(options), &policy_, journal_.get());
  const absl::Status status = core_->Restore(recovered, now);
  CHECK(status.ok()) << status;
}

void SimDaemon::Begin(absl::Time now) {
  CHECK(Turn([](Core&) {}, now, Crash::kNone));
}

bool SimDaemon::Turn(const std::function<void(Core&)>& event, absl::Time now,
                     Crash crash) {
  event(*core_);
  core_->EndTurn(now);
  core_->CheckInvariants();
  if (crash == Crash::kBeforeCommit) return false;
  CHECK(disk_->pool.Apply(journal_->pool_changes()).ok());
  for (Journal::Entry& entry : journal_->TakeEntries()) {
    unwritten_.push_back(std::move(entry));
  }
  if (crash == Crash::kAfterCommit) return false;
  for (const Action& action : core_->TakeActions()) carry_out_(action);
  return true;
}

bool SimDaemon::WriteJobs(absl::Time now, Crash crash) {
  uint64_t last = 0;
  for (const Journal::Entry& entry : std::exchange(unwritten_, {})) {
    last = entry.sequence;
    std::vector<journal::v1::Change> changes = entry.changes;
    changes.push_back(
        MakePut(kJobsMetaTable, 0, kLastSequence, absl::StrCat(last)));
    CHECK(disk_->jobs.Apply(changes).ok());
  }
  return Turn([&](Core& core) { core.Recorded(last); }, now, crash);
}

}  // namespace hydra
