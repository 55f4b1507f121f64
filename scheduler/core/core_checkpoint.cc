// The part of Core that writes checkpoints, pauses jobs, and lets them go on
// from a checkpoint.

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "scheduler/core/core.h"
#include "scheduler/core/records.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;
using Phase = ChainPosition::Phase;

bool IsState(const BlockKey& key) {
  return key.kind == wv1::BLOCK_KIND_PARAMETERS ||
         key.kind == wv1::BLOCK_KIND_OPTIMIZER_STATE;
}

// A checkpoint inside a step, whose TURN and perhaps updates are done.
bool IsAfterTurn(const journal::v1::CheckpointRecord& checkpoint) {
  const ChainPosition place = FromRecord(checkpoint.position());
  return place.inside_step() && place.task > checkpoint.cut_points_size();
}

bool IsCutAs(const v1::Partition& partition,
             const journal::v1::CheckpointRecord& checkpoint) {
  return std::equal(
      partition.cut_points().begin(), partition.cut_points().end(),
      checkpoint.cut_points().begin(), checkpoint.cut_points().end());
}

// The number of the first evaluation that a job makes which goes on at `place`.
int64_t FirstEvaluationAfter(const ChainPosition& place) {
  if (place.phase == Phase::kInit) return EvaluationNumber(0, false);
  if (place.phase == Phase::kEvaluate) {
    return EvaluationNumber(place.step, place.split == wv1::SPLIT_TEST);
  }
  return EvaluationNumber(place.step + 1, false);
}

bool SamePlace(const ChainPosition& a, const ChainPosition& b) {
  return a.phase == b.phase && a.step == b.step && a.task == b.task &&
         a.split == b.split && a.first_batch == b.first_batch;
}

// Training replaces the last layers' blocks first.
std::vector<std::pair<BlockKey, Version>> BlocksToWrite(
    const JobShape& shape, const absl::btree_map<BlockKey, Version>& blocks,
    bool inside_step) {
  std::vector<std::pair<BlockKey, Version>> chosen;
  for (const auto& [key, version] : blocks) {
    if (IsState(key) || inside_step) chosen.emplace_back(key, version);
  }
  auto rank = [&](const BlockKey& key) {
    const int layer =
        IsState(key) ? shape.table->parameter_blocks[key.index].owner() : 0;
    return std::make_tuple(IsState(key) ? 0 : 1, -layer, key.index, key.kind,
                           key.micro_batch);
  };
  std::sort(chosen.begin(), chosen.end(), [&](const auto& a, const auto& b) {
    return rank(a.first) < rank(b.first);
  });
  return chosen;
}

std::string CheckpointPath(const Job& job, const ChainPosition& position) {
  return absl::StrCat(
      CheckpointFolder(job.output_path), "/",
      CheckpointDirectoryName({position.step, position.inside_step()}));
}

}  // namespace

// Called at every end of a step. Whoever is there takes a free writer. Of those
// that find it taken, some that must not miss it again stand still until it is
// free: the one that is due longest, and those to which that costs less time
// than their next step takes. The others go on, and try again at its end.
void Core::MaybeBeginCheckpoint(Job& job, absl::Time now) {
  const absl::Time due = job.CheckpointDue(job.position.step, now);
  const bool must_not_miss = MustNotMissTheWriter(job, due, now);
  const absl::Duration step = now - std::exchange(job.step_ended_at, now);
  if (now < due) return;
  job.checkpoint_due_at = std::min(job.checkpoint_due_at, due);
  if (writing_ == JobId()) {
    BeginCheckpoint(job, now);
    return;
  }
  const absl::Duration longest_wait =
      static_cast<int64_t>(writer_queue_.size() + 1) * last_write_;
  if (must_not_miss && job.outstanding.empty() &&
      now - writing_since_ < options_.longest_write &&
      (writer_queue_.WouldBeNext(due) || step > longest_wait)) {
    writer_queue_.Join(job.id, due);
    job.reason = "waits until checkpoints of other jobs are written";
    Touch(job);
  }
}

// It has been due for long, or will be before it comes by again. While its
// newest checkpoint is still being written, another one is not urgent.
bool Core::MustNotMissTheWriter(const Job& job, absl::Time due,
                                absl::Time end) const {
  return end >= due && !job.writing.has_value() &&
         (end - due >= options_.checkpoint_patience ||
          end - job.step_ended_at >= options_.checkpoint_patience);
}

// Whether the job, whose last task out ends a step, gets no task of the next
// one, since it may have to stand still between them.
bool Core::HoldsBeforeStep(const Job& job, const ChainPosition& next,
                           absl::Time now) const {
  const std::optional<ChainPosition>& last = job.outstanding.back().position;
  if (!last.has_value() || !CompletesStep(job.shape, *last)) return false;
  const absl::Time end =
      now + job.RemainingFrom(job.position) - job.RemainingFrom(next);
  return MustNotMissTheWriter(job, job.CheckpointDue(next.step, end), end);
}

// The disk may stand still for ever: then those that would only be saved go on.
void Core::LeaveStuckWriter(absl::Time now) {
  if (writing_ == JobId() || now - writing_since_ < options_.longest_write) {
    return;
  }
  for (JobId id : writer_queue_.Jobs()) {
    Job& job = JobOf(id);
    if (job.pause_requested || job.restart_requested) continue;
    writer_queue_.Leave(id);
    job.reason.clear();
    Touch(job);
    Advance(job, now);
  }
}

// The writer is free.
void Core::OfferWriter(absl::Time now) {
  while (writing_ == JobId() && !writer_queue_.empty()) {
    Job& job = JobOf(*writer_queue_.Next());
    writer_queue_.Leave(job.id);
    if (!job.pause_requested && !job.restart_requested) {
      job.reason.clear();
      BeginCheckpoint(job, now);
      Touch(job);
    }
    Advance(job, now);
  }
}

void Core::BeginCheckpoint(Job& job, absl::Time now) {
  const ChainPosition place = ResumePlace(job.position);
  CheckpointRequest request;
  request.manifest.set_job_id(JobName(job.id));
  *request.manifest.mutable_submitted_at() = ToProto(job.submitted_at);
  *request.manifest.mutable_spec() = job.submitted.spec;
  *request.manifest.mutable_position() = ToRecord(place);
  if (place.inside_step()) {
    *request.manifest.mutable_cut_points() = job.partition->cut_points();
  }
  for (const wv1::PreparedSplit& split : job.splits) {
    *request.manifest.add_splits() = TokensOf(split);
  }
  request.manifest.set_nonfinite_in_a_row(job.nonfinite_in_a_row);
  request.manifest.set_last_nonfinite_step(job.last_nonfinite_step);
  request.job = job.id;
  request.table = *job.shape.table;
  request.model_config_json = *job.submitted.model_config_json;
  request.tokenizer_dir = job.submitted.spec.model().tokenizer_path();
  request.path = CheckpointPath(job, place);
  request.blocks =
      BlocksToWrite(job.shape, *blocks_.BlocksOf(job.id), place.inside_step());
  for (const auto& [key, version] : request.blocks) {
    blocks_.Pin(job.id, version);
  }

  CheckpointRun run;
  run.record = ToRecord(request.manifest);
  run.record.mutable_info()->set_path(request.path);
  *run.record.mutable_info()->mutable_time() = ToProto(now);
  run.blocks = request.blocks;

  writing_ = job.id;
  writing_since_ = now;
  job.writing = std::move(run);
  job.checkpoint_due_at = absl::InfiniteFuture();
  job.checkpoint_again_at = absl::InfiniteFuture();
  job.checkpointed_at = now;
  Do(std::move(request));
}

void Core::CheckpointBlockWritten(JobId id, size_t index) {
  CheckpointRun& run = *JobOf(id).writing;
  CHECK_EQ(index, run.written);
  blocks_.Unpin(run.blocks[run.written++].second);
}

void Core::CheckpointWritten(JobId id, const absl::StatusOr<int64_t>& bytes,
                             absl::Time now) {
  Job& job = JobOf(id);
  CheckpointRun run = *std::exchange(job.writing, std::nullopt);
  writing_ = JobId();
  last_write_ = now - writing_since_;
  for (size_t i = run.written; i < run.blocks.size(); ++i) {
    blocks_.Unpin(run.blocks[i].second);
  }
  if (bytes.ok()) {
    Log(job, "I",
        absl::StrCat("checkpoint of step ", run.record.info().step(), ", ",
                     *bytes, " bytes: ", run.record.info().path()),
        now);
    KeepCheckpoint(job, std::move(run), *bytes);
  } else {
    job.checkpoint_again_at = now + options_.checkpoint_retry;
    Log(job, "W",
        absl::StrCat("a checkpoint could not be written; the older ones are "
                     "as they were, and training goes on: ",
                     bytes.status().message()),
        now);
    job.save_before_restart = false;
    if (parking_) unsaved_.insert(id);
    if (std::exchange(job.pause_requested, false)) {
      job.reason = absl::StrCat("did not pause, since it could not be saved: ",
                                bytes.status().message());
      NoteChange(job);
    }
  }
  waiting_.OfferRoom();
  OfferWriter(now);
  if (!job.ended() && job.outstanding.empty()) waiting_.Wake(id);
}

void Core::KeepCheckpoint(Job& job, CheckpointRun run, int64_t bytes) {
  v1::CheckpointInfo& info = *run.record.mutable_info();
  info.set_bytes(bytes);
  for (const v1::EvaluationMetrics& metrics : job.evaluations) {
    if (metrics.step() == info.step() && metrics.split() == "validation") {
      info.set_validation_loss(metrics.loss());
    }
  }
  if (job.delete_checkpoints) {
    Do(CheckpointRemoval{job.id, info.path()});
    return;
  }
  journal_->CheckpointRecorded(job.id, run.record);
  // The same place was saved before, and its directory was replaced.
  job.checkpoints.erase(
      std::remove_if(job.checkpoints.begin(), job.checkpoints.end(),
                     [&](const journal::v1::CheckpointRecord& older) {
                       return older.info().path() == info.path();
                     }),
      job.checkpoints.end());
  job.checkpoints.push_back(std::move(run.record));
  RemoveOldCheckpoints(job);
  Touch(job);
}

void Core::RemoveOldCheckpoints(Job& job) {
  const v1::CheckpointSpec& spec = job.submitted.spec.checkpoint();
  int best = -1;
  for (int i = 0; i < job.checkpoints.size(); ++i) {
    const v1::CheckpointInfo& info = job.checkpoints[i].info();
    if (!spec.keep_best() || !info.has_validation_loss() ||
        std::isnan(info.validation_loss())) {
      continue;
    }
    if (best < 0 || info.validation_loss() <
                        job.checkpoints[best].info().validation_loss()) {
      best = i;
    }
  }
  const int newest = static_cast<int>(job.checkpoints.size()) - 1;
  // From the newest to the oldest; what is inside a step is of use only while
  // it is the newest.
  int kept = 0;
  for (int i = newest; i >= 0; --i) {
    const bool inside = job.checkpoints[i].info().inside_step();
    if (inside ? i == newest : kept < spec.keep_last() || i == best) {
      if (!inside) ++kept;
      continue;
    }
    RemoveCheckpoint(job, i);
  }
}

void Core::RemoveCheckpoint(Job& job, size_t index) {
  const v1::CheckpointInfo info = job.checkpoints[index].info();
  job.checkpoints.erase(job.checkpoints.begin() + index);
  journal_->CheckpointErased(job.id, info);
  Do(CheckpointRemoval{job.id, info.path()});
  Touch(job);
}

bool Core::IsSaved(const Job& job) const {
  if (job.ended() || job.state == v1::JOB_STATE_PAUSED) return true;
  if (!job.in_chain() || job.position.phase == Phase::kInit) return true;
  return !job.checkpoints.empty() &&
         SamePlace(FromRecord(job.checkpoints.back().position()),
                   ResumePlace(job.position));
}

std::vector<JobId> Core::Pause(const std::vector<JobId>& jobs, absl::Time now) {
  std::vector<JobId> pausing;
  for (JobId id : jobs) {
    auto job = jobs_.find(id);
    if (job != jobs_.end() && PauseOne(job->second, now)) pausing.push_back(id);
  }
  return pausing;
}

bool Core::PauseOne(Job& job, absl::Time now) {
  const bool going_on =
      job.state == v1::JOB_STATE_PENDING || job.state == v1::JOB_STATE_RUNNING;
  if (!going_on || job.pause_requested || job.phase == v1::JOB_PHASE_SAVE) {
    return false;
  }
  job.pause_requested = true;
  job.reason = "pauses at the end of its step";
  NoteChange(job);
  if (job.outstanding.empty()) {
    policy_->Remove(job.id);
    waiting_.Remove(job.id);
    Advance(job, now);
  } else {
    // What has begun ends; what lies behind the end of the step comes back.
    Withdraw(job);
  }
  return true;
}

// Called while nothing of the job is outstanding.
bool Core::PauseHere(Job& job, absl::Time now) {
  if (job.phase == v1::JOB_PHASE_SAVE || job.position.inside_step()) {
    return false;
  }
  if (IsSaved(job)) {
    EnterPause(job);
  } else if (writing_ == JobId()) {
    BeginCheckpoint(job, now);
    Touch(job);
  } else {
    writer_queue_.Join(job.id, now);
  }
  return true;
}

void Core::EnterPause(Job& job) {
  policy_->Remove(job.id);
  waiting_.Remove(job.id);
  AbandonClaims(job);
  LeavePool(job);
  ResetToCheckpoint(job, v1::JOB_STATE_PAUSED);
}

std::vector<JobId> Core::Resume(const std::vector<JobId>& jobs,
                                absl::Time now) {
  std::vector<JobId> resumed;
  for (JobId id : jobs) {
    auto job = jobs_.find(id);
    if (job != jobs_.end() && ResumeOne(job->second, now)) {
      resumed.push_back(id);
    }
  }
  return resumed;
}

bool Core::ResumeOne(Job& job, absl::Time now) {
  if (job.state != v1::JOB_STATE_PAUSED) {
    // It has not come to rest yet: then it need not.
    if (!std::exchange(job.pause_requested, false)) return false;
    job.reason.clear();
    writer_queue_.Leave(job.id);
    NoteChange(job);
    if (job.outstanding.empty() && !job.writing.has_value()) Advance(job, now);
  } else {
    job.state = v1::JOB_STATE_PENDING;
    job.reason.clear();
    job.insists = !std::exchange(job.hold_reason, "").empty();
    NoteChange(job);
    Advance(job, now);
  }
  return true;
}

// Once its TURN is done a step can only go on in its partition.
bool Core::SavesBeforeRestart(Job& job, absl::Time now) {
  const bool turned = job.position.inside_step() &&
                      job.position.task >= job.shape.shard_count();
  if (!job.save_before_restart || !job.in_chain() || turned || IsSaved(job)) {
    return false;
  }
  if (writing_ == JobId()) {
    BeginCheckpoint(job, now);
  } else {
    writer_queue_.Join(job.id, now);
  }
  return true;
}

void Core::RestartFromCheckpoint(Job& job, absl::Time now) {
  if (!job.hold_reason.empty()) {
    EnterPause(job);
    return;
  }
  policy_->Remove(job.id);
  LeavePool(job);
  ResetToCheckpoint(job, v1::JOB_STATE_PENDING);
  Advance(job, now);
}

void Core::LeavePool(Job& job) {
  writer_queue_.Leave(job.id);
  blocks_.EndAll(job.id);
  admission_.Release(job.id);
  // Before its admission it has no record there.
  if (job.times.has_value()) journal_->PoolJobErased(job.id);
  waiting_.OfferRoom();
}

void Core::ResetToCheckpoint(Job& job, v1::JobState state) {
  job.restart_requested = false;
  job.save_before_restart = false;
  job.state = state;
  job.reason.clear();
  if (state == v1::JOB_STATE_PAUSED) {
    job.pause_requested = false;
    job.reason = job.hold_reason.empty() ? "paused" : job.hold_reason;
  }
  job.phase = v1::JOB_PHASE_PREPARE;
  job.splits.clear();
  job.partition.reset();
  job.partition_limit_bytes = 0;
  job.demand.reset();
  job.times.reset();
  job.shape.shards.clear();
  job.plan.resume.reset();
  job.restore_dir.clear();
  job.position = {};
  job.eval_loss_sum = 0;
  job.eval_tokens = 0;
  job.training_since = absl::InfinitePast();
  job.nonfinite_in_a_row = 0;
  job.last_nonfinite_step = -1;
  ChainPosition place;
  bool turned = false;
  if (!job.checkpoints.empty()) {
    const journal::v1::CheckpointRecord& newest = job.checkpoints.back();
    place = FromRecord(newest.position());
    turned = IsAfterTurn(newest);
    job.nonfinite_in_a_row = newest.nonfinite_in_a_row();
    if (newest.nonfinite_in_a_row() > 0) {
      job.last_nonfinite_step = newest.last_nonfinite_step();
    }
  }
  job.position.step = place.step;
  // The loss of a step is known when its TURN is done, in the middle.
  EraseMetricsFrom(job, place.step + (turned ? 1 : 0),
                   FirstEvaluationAfter(place));
  NoteChange(job);
}

// These will be measured again.
void Core::EraseMetricsFrom(Job& job, int64_t first_step,
                            int64_t first_evaluation) {
  job.steps.EraseFrom(first_step);
  while (!job.evaluations.empty() &&
         EvaluationNumber(job.evaluations.back()) >= first_evaluation) {
    job.evaluations.pop_back();
  }
  journal_->MetricsErased(job.id, first_step, first_evaluation);
}

std::string Core::ChangedDataOf(const Job& job) const {
  if (job.checkpoints.empty()) return "";
  for (const checkpoint::v1::SplitTokens& then :
       job.checkpoints.back().splits()) {
    for (const wv1::PreparedSplit& split : job.splits) {
      const checkpoint::v1::SplitTokens now = TokensOf(split);
      if (now.split() != then.split() || now.key() == then.key()) continue;
      return absl::StrCat("the data of ", wv1::Split_Name(split.split()),
                          " has ", now.token_count(),
                          " tokens and is not that of the checkpoint, ",
                          then.token_count(), " tokens");
    }
  }
  return "";
}

bool Core::CanResumeInPartition(Job& job, absl::Time now) {
  if (job.checkpoints.empty()) return true;
  const journal::v1::CheckpointRecord newest = job.checkpoints.back();
  // Before TURN nothing has been updated: the step can begin again.
  if (!IsAfterTurn(newest) || IsCutAs(*job.partition, newest)) return true;
  RemoveCheckpoint(job, job.checkpoints.size() - 1);
  ResetToCheckpoint(job, v1::JOB_STATE_PENDING);
  Log(job, "W",
      absl::StrCat("the newest checkpoint lies inside step ",
                   newest.info().step(),
                   " of a model that was cut before layers [",
                   absl::StrJoin(newest.cut_points(), ", "),
                   "], and fits no other cut; the job goes on from step ",
                   job.position.step),
      now);
  return false;
}

ChainPosition Core::ResumePlaceOf(const Job& job) const {
  const journal::v1::CheckpointRecord& newest = job.checkpoints.back();
  ChainPosition place = FromRecord(newest.position());
  if (place.inside_step() && !IsCutAs(*job.partition, newest)) place.task = 0;
  return place;
}

void Core::Park() {
  parking_ = true;
  for (auto& [id, job] : jobs_) Withdraw(job);
}

const Job* Core::NextToSave() const {
  for (const auto& [id, job] : jobs_) {
    if (job.outstanding.empty() && !IsSaved(job) && !unsaved_.contains(id) &&
        job.phase != v1::JOB_PHASE_SAVE) {
      return &job;
    }
  }
  return nullptr;
}

void Core::ContinueParking(absl::Time now) {
  if (!parking_ || writing_ != JobId()) return;
  if (const Job* next = NextToSave()) BeginCheckpoint(JobOf(next->id), now);
}

bool Core::parked() const {
  return parking_ && writing_ == JobId() && NextToSave() == nullptr &&
         std::all_of(
             workers_.begin(), workers_.end(),
             [](const WorkerRecord& worker) { return worker.hand.empty(); }) &&
         std::all_of(jobs_.begin(), jobs_.end(), [&](const auto& entry) {
           return entry.second.phase != v1::JOB_PHASE_SAVE ||
                  save_again_.contains(entry.first);
         });
}

bool Core::AllSaved() const {
  return std::all_of(jobs_.begin(), jobs_.end(), [this](const auto& entry) {
    return IsSaved(entry.second);
  });
}

}  // namespace hydra
