#include "scheduler/core/job_start.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/chain/split.h"
#include "scheduler/core/finer_cuts.h"
#include "scheduler/core/job_move.h"
#include "scheduler/core/plan.h"
#include "scheduler/core/records.h"
#include "scheduler/core/resume_place.h"
#include "scheduler/core/rounds.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

using Kind = JobStart::Outcome::Kind;

// Whether it is a partition of this model; what a file said need not be.
bool Fits(const v1::Partition& partition, const ModelTable& table) {
  int last = 0;
  for (int cut : partition.cut_points()) {
    if (cut <= last || cut >= table.layer_count()) return false;
    last = cut;
  }
  return true;
}

}  // namespace

void JobStart::TakePrepared(Job& job, const wv1::PrepareResult& prepared,
                            absl::Time now) {
  job.splits.assign(prepared.splits().begin(), prepared.splits().end());
  job.prepare_warnings = std::vector<std::string>(prepared.warnings().begin(),
                                                  prepared.warnings().end());
  // Not before: a sweep that waits would push others' lines out of the log.
  for (const std::string& warning : job.submitted.warnings) {
    parts_.book->Log(job, "W", warning, now);
  }
}

// What the worker wrote into the log of the job that did it.
void JobStart::LogSharedPreparation(const Job& job, absl::Time now) {
  for (const std::string& warning : *job.prepare_warnings) {
    parts_.book->Log(job, "W", warning, now);
  }
  const bool takes_examples = job.shape.table->examples.has_value();
  for (const wv1::PreparedSplit& split : job.splits) {
    parts_.book->Log(
        job, "I",
        absl::StrCat(SplitName(split.split()), ": ", split.token_count(),
                     takes_examples ? " examples" : " tokens",
                     split.row_count() > 0 && !takes_examples
                         ? absl::StrCat(" in ", split.row_count(), " rows")
                         : "",
                     ", prepared with another job of the sweep"),
        now);
  }
}

JobStart::Outcome JobStart::FromPrepare(Job& job, absl::Time now) {
  if (job.splits.empty()) {
    const wv1::PrepareResult* prepared = parts_.claims->Prepared(job);
    if (prepared == nullptr) {
      const JobId owner = parts_.claims->ClaimPrepare(job);
      if (owner == job.id) parts_.queue->Enqueue(job, now);
      return {Kind::kWaits, ""};
    }
    TakePrepared(job, *prepared, now);
    LogSharedPreparation(job, now);
  }
  if (std::string changed = ChangedDataOf(job);
      !changed.empty() && !job.insists) {
    return {Kind::kHolds,
            absl::StrCat("paused: ", changed,
                         "; resume the job to go on all the same")};
  }
  // A pilot may take long, and would find no data that suffice.
  if (const absl::StatusOr<ChainPlan> plan = PlanOf(job); !plan.ok()) {
    return {Kind::kFails, std::string(plan.status().message())};
  }
  return {Kind::kGoesOn, ""};
}

JobStart::Outcome JobStart::FromPilot(Job& job, absl::Time now) {
  if (job.partition != nullptr) return {Kind::kGoesOn, ""};
  const auto& given = job.submitted.spec.partition().cut_points();
  if (!given.empty()) {
    v1::Partition partition;
    *partition.mutable_cut_points() = given;
    partition.set_source("given");
    SetPartition(job, std::move(partition), /*limit_bytes=*/0);
    return {Kind::kGoesOn, ""};
  }
  const DeviceOptions& device = parts_.roster->PilotDevice(job);
  const v1::Partition* known = parts_.claims->Known(job, device);
  if (known != nullptr && Fits(*known, *job.shape.table)) {
    v1::Partition partition = *known;
    partition.set_source("reused");
    SetFoundPartition(job, std::move(partition), device.memory_limit_bytes,
                      now);
    return {Kind::kGoesOn, ""};
  }
  if (parts_.claims->ClaimPilot(job, device) == job.id)
    parts_.queue->Enqueue(job, now);
  return {Kind::kWaits, ""};
}

void JobStart::SetFoundPartition(Job& job, v1::Partition partition,
                                 int64_t limit_bytes, absl::Time now) {
  SetPartition(job, partition, limit_bytes);
  const absl::Status fits = parts_.admission->CanEverFit(*job.demand);
  if (fits.ok()) return;
  JobShape shape = job.shape;
  // Finer shards may need fewer.
  shape.rounds = FewestRounds(job.submitted.spec.train());
  const auto finer = FinerCuts(std::move(shape), [this](const auto& demand) {
    return parts_.admission->CanEverFit(demand).ok();
  });
  if (!finer.has_value()) return;
  partition.mutable_cut_points()->Assign(finer->begin(), finer->end());
  // Predicted of other shards.
  partition.clear_step();
  partition.clear_step_of_longest_shards();
  SetPartition(job, std::move(partition), limit_bytes);
  parts_.book->Log(job, "I",
                   absl::StrCat("cut finer than for the device: ",
                                fits.message(), ", in longer shards"),
                   now);
}

void JobStart::SetPartition(Job& job, v1::Partition partition,
                            int64_t limit_bytes) {
  job.partition_limit_bytes = limit_bytes;
  job.shape.shards =
      ShardsOf({partition.cut_points().begin(), partition.cut_points().end()},
               job.shape.table->layer_count());
  job.partition = parts_.models->Partition(partition);
  // As if it were alone there: a job that waits for others goes no other way.
  job.shape.rounds = FewestRounds(job.submitted.spec.train());
  job.shape.rounds = RoundsThatFit(job.shape, [this](const auto& demand) {
    return parts_.admission->CanEverFit(demand).ok();
  });
  job.demand = DemandOf(job.shape);
}

JobStart::Outcome JobStart::FromAdmission(Job& job, absl::Time now) {
  const absl::StatusOr<ChainPlan> plan = PlanOf(job);
  if (!plan.ok()) {
    return {Kind::kFails, std::string(plan.status().message())};
  }
  job.plan = *plan;
  if (!job.checkpoints->empty()) {
    job.plan.resume = ResumePlaceOf(job);
    job.restore_dir = job.checkpoints->back().info().path();
  }
  if (absl::Status fits = parts_.admission->CanEverFit(*job.demand);
      !fits.ok()) {
    return {Kind::kFails, std::string(fits.message())};
  }
  if (parts_.bases->Waits(job)) return {Kind::kWaits, ""};
  // Of one user, first come, first served: a small job does not slip past a
  // large one.
  if (parts_.queue->WaitsBehindOthers(job)) {
    parts_.queue->WaitForRoom(
        job, "waits behind earlier jobs for room in the pool", now);
    return {Kind::kWaits, ""};
  }
  if (absl::Status may =
          parts_.quotas->CheckRoom(AccountOf(job), job.demand->total_bytes());
      !may.ok()) {
    if (!absl::IsResourceExhausted(may)) {
      return {Kind::kFails, std::string(may.message())};
    }
    parts_.queue->WaitForRoom(job, std::string(may.message()),
                              absl::InfiniteFuture());
    return {Kind::kWaits, ""};
  }
  if (parts_.queue->IsRoomKept(job, now)) {
    parts_.queue->WaitForRoom(
        job,
        "waits for room in the pool, which is kept for the job of another user "
        "that has waited longest",
        now);
    return {Kind::kWaits, ""};
  }
  if (absl::Status admitted =
          parts_.admission->Admit(job.id, *job.demand, job.submitted.base_key,
                                  parts_.blocks->kept_bytes());
      !admitted.ok()) {
    parts_.queue->WaitForRoom(job, std::string(admitted.message()), now);
    return {Kind::kWaits, ""};
  }
  BeginChain(job, now);
  return {Kind::kGoesOn, ""};
}

void JobStart::BeginChain(Job& job, absl::Time now) {
  parts_.queue->GotRoom(job);
  parts_.quotas->NoteAdmitted(job.id, AccountOf(job),
                              job.demand->total_bytes());
  job.reason.clear();
  BeginTimes(job);
  parts_.bases->Join(job);
  // INIT makes other versions of state that does not begin as zero.
  for (int i = 0; i < job.shape.table->parameter_blocks.size(); ++i) {
    if (job.shape.StateBytes(i) == 0) continue;
    const BlockKey key = StateKey(i);
    parts_.blocks->CommitZero(job.id, key, job.shape.StateBytes(i));
    parts_.journal->BlockChanged(
        job.id, ToRecord(key, *parts_.blocks->Find(job.id, key)));
  }
  parts_.book->Log(
      job, "I",
      absl::StrCat(
          "admitted with ", job.demand->total_bytes(), " pool bytes; ",
          job.shape.shard_count(), " shards, cut before layers [",
          absl::StrJoin(job.partition->cut_points(), ", "), "] (",
          job.partition->source(), "); ", job.plan.total_steps, " steps",
          job.shape.rounds > 1
              ? absl::StrCat(" in ", job.shape.rounds, " rounds of at most ",
                             job.shape.LargestRound(), " micro-batches each")
              : "",
          job.plan.resume.has_value()
              ? absl::StrCat("; goes on from ", job.restore_dir)
              : ""),
      now);
  parts_.book->Trace(job, v1::DECISION_KIND_ADMITTED, now);
  MoveTo(job, v1::JOB_PHASE_INIT);
  job.admitted_at = now;
  job.checkpointed_at = now;
  job.step_ended_at = now;
  parts_.journal->PoolJobChanged(job.id, PoolJobOf(job));
}

void JobStart::BeginTimes(Job& job) {
  const auto& layers = job.partition->layers();
  job.times.emplace(
      job.shape, std::vector<v1::LayerProfile>(layers.begin(), layers.end()));
  job.estimated_step = job.times->StepTime(TimeModel::Measure::kWall);
}

}  // namespace hydra
