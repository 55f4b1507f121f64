#include "scheduler/core/checkpoints.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/chain/split.h"
#include "common/checkpoint/block_layout.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/protocol/task_format.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "scheduler/core/model_to_write.h"
#include "scheduler/core/records.h"
#include "scheduler/core/resume_place.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;
using Phase = ChainPosition::Phase;

// Training replaces the last layers' blocks first.
std::vector<std::pair<BlockKey, Version>> BlocksToWrite(
    const JobShape& shape, const std::map<BlockKey, Version>& blocks,
    bool inside_step) {
  std::vector<std::pair<BlockKey, Version>> chosen;
  for (const auto& [key, version] : blocks) {
    if (IsTrained(key) ? IsInFile(*shape.table, key.index) : inside_step) {
      chosen.emplace_back(key, version);
    }
  }
  auto rank = [&](const BlockKey& key) {
    const int layer =
        IsTrained(key) ? shape.table->parameter_blocks[key.index].owner() : 0;
    return std::make_tuple(IsTrained(key) ? 0 : 1, -layer, key.index, key.kind,
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
void Checkpoints::EndOfStep(Job& job, absl::Time now) {
  const absl::Time due = job.CheckpointDue(job.position.step, now);
  const bool must_not_miss = MustNotMissTheWriter(job, due, now);
  const absl::Duration step = now - std::exchange(job.step_ended_at, now);
  if (now < due) return;
  job.checkpoint_due_at = std::min(job.checkpoint_due_at, due);
  if (free()) {
    Begin(job, now);
    return;
  }
  const absl::Duration longest_wait =
      static_cast<int64_t>(writer_queue_.size() + 1) * last_write_;
  if (must_not_miss && job.outstanding.empty() &&
      now - writing_since_ < options_->longest_write &&
      (writer_queue_.WouldBeNext(due) || step > longest_wait)) {
    writer_queue_.Join(job.id, due);
    job.reason = "waits until checkpoints of other jobs are written";
    book_->Touch(job);
  }
}

// It has been due for long, or will be before it comes by again. While its
// newest checkpoint is still being written, another one is not urgent.
bool Checkpoints::MustNotMissTheWriter(const Job& job, absl::Time due,
                                       absl::Time end) const {
  return end >= due && !job.writing.has_value() &&
         (end - due >= options_->checkpoint_patience ||
          end - job.step_ended_at >= options_->checkpoint_patience);
}

// Whether the job, whose last task out ends a step, gets no task of the next
// one, since it may have to stand still between them.
bool Checkpoints::HoldsBeforeStep(const Job& job, const ChainPosition& next,
                                  absl::Time now) const {
  const std::optional<ChainPosition>& last = job.outstanding.back().position;
  if (!last.has_value() || !CompletesStep(job.shape, *last)) return false;
  const absl::Time end =
      now + job.RemainingFrom(job.position) - job.RemainingFrom(next);
  return MustNotMissTheWriter(job, job.CheckpointDue(next.step, end), end);
}

// The disk may stand still for ever: then those that would only be saved go on.
void Checkpoints::LeaveStuckWriter(absl::Time now) {
  if (free() || now - writing_since_ < options_->longest_write) {
    return;
  }
  for (JobId id : writer_queue_.Jobs()) {
    Job& job = book_->At(id);
    if (job.intent != Intent::kGoOn) continue;
    writer_queue_.Leave(id);
    job.reason.clear();
    book_->Touch(job);
    queue_->Wake(id);
  }
}

// The writer is free. Who pauses, or is to begin again, waits until it is
// saved; the others go on while they are.
void Checkpoints::OfferWriter(absl::Time now) {
  while (free() && !writer_queue_.empty()) {
    Job& job = book_->At(*writer_queue_.Next());
    writer_queue_.Leave(job.id);
    const bool rests = job.intent != Intent::kGoOn;
    if (!rests) job.reason.clear();
    if (!rests || !IsSaved(job)) Begin(job, now);
    if (!rests || IsSaved(job)) queue_->Wake(job.id);
    book_->Touch(job);
  }
}

void Checkpoints::Save(Job& job, absl::Time now) {
  if (free()) {
    Begin(job, now);
    book_->Touch(job);
  } else {
    writer_queue_.Join(job.id, now);
  }
}

void Checkpoints::Begin(Job& job, absl::Time now) {
  const ChainPosition place = ResumePlace(job.position);
  CheckpointRequest request{ModelToWriteOf(job, CheckpointPath(job, place))};
  request.manifest.set_job_id(JobName(job.id));
  *request.manifest.mutable_submitted_at() = ToProto(job.submitted_at);
  *request.manifest.mutable_spec() = job.submitted.spec;
  *request.manifest.mutable_position() = ToRecord(place);
  if (place.inside_step()) {
    *request.manifest.mutable_cut_points() = job.partition->cut_points();
    request.manifest.set_rounds(job.shape.rounds);
    request.manifest.set_task_format(kTaskFormat);
    *request.manifest.mutable_step_loss() = job.step_loss;
  }
  for (const wv1::PreparedSplit& split : job.splits) {
    *request.manifest.add_splits() = TokensOf(split);
  }
  request.manifest.set_nonfinite_in_a_row(job.nonfinite_in_a_row);
  request.manifest.set_last_nonfinite_step(job.last_nonfinite_step);
  if (job.shape.scales_loss) {
    *request.manifest.mutable_loss_scale() = job.loss_scale;
  }
  request.blocks =
      BlocksToWrite(job.shape, *blocks_->BlocksOf(job.id), place.inside_step());
  for (const auto& [key, version] : request.blocks) {
    blocks_->Pin(job.id, version);
  }

  CheckpointRun run;
  run.record = ToRecord(request.manifest);
  run.record.mutable_info()->set_path(request.directory);
  *run.record.mutable_info()->mutable_time() = ToProto(now);
  run.blocks = request.blocks;

  book_->Trace(job, v1::DECISION_KIND_CHECKPOINT_BEGUN, now);
  writing_ = job.id;
  writing_since_ = now;
  job.writing = std::move(run);
  job.checkpoint_due_at = absl::InfiniteFuture();
  job.checkpoint_again_at = absl::InfiniteFuture();
  job.checkpointed_at = now;
  actions_->push_back(std::move(request));
}

void Checkpoints::BlockWritten(JobId id, size_t index) {
  CheckpointRun& run = *book_->At(id).writing;
  CHECK_EQ(index, run.written);
  blocks_->Unpin(run.blocks[run.written++].second);
}

void Checkpoints::Written(JobId id, const absl::StatusOr<int64_t>& bytes,
                          absl::Time now) {
  Job& job = book_->At(id);
  CheckpointRun run = *std::exchange(job.writing, std::nullopt);
  writing_ = JobId();
  last_write_ = now - writing_since_;
  for (size_t i = run.written; i < run.blocks.size(); ++i) {
    blocks_->Unpin(run.blocks[i].second);
  }
  if (bytes.ok()) {
    book_->Trace(job, v1::DECISION_KIND_CHECKPOINT_WRITTEN, now);
    book_->Log(job, "I",
               absl::StrCat("checkpoint of step ", run.record.info().step(),
                            ", ", *bytes, " bytes: ", run.record.info().path()),
               now);
    Keep(job, std::move(run), *bytes);
  } else {
    job.checkpoint_again_at = now + options_->checkpoint_retry;
    book_->Log(
        job, "W",
        absl::StrCat("a checkpoint could not be written; the older ones are "
                     "as they were, and training goes on: ",
                     bytes.status().message()),
        now);
    if (stopping_) unsaved_.insert(id);
  }
  queue_->OfferRoom();
  OfferWriter(now);
  if (!job.ended() && job.outstanding.empty()) queue_->Wake(id);
}

void Checkpoints::Keep(Job& job, CheckpointRun run, int64_t bytes) {
  v1::CheckpointInfo& info = *run.record.mutable_info();
  info.set_bytes(bytes);
  for (const v1::EvaluationMetrics& metrics : *job.evaluations) {
    if (metrics.step() == info.step() &&
        SplitOf(metrics) == wv1::SPLIT_VALIDATION) {
      info.set_validation_loss(metrics.loss());
    }
  }
  if (job.delete_checkpoints) {
    actions_->push_back(
        CheckpointRemoval{job.id, info.path(), job.owner.known()});
    return;
  }
  journal_->CheckpointRecorded(job.id, run.record);
  // The same place was saved before, and its directory was replaced.
  auto& checkpoints = job.checkpoints.Fresh();
  checkpoints.erase(
      std::remove_if(checkpoints.begin(), checkpoints.end(),
                     [&](const journal::v1::CheckpointRecord& older) {
                       return older.info().path() == info.path();
                     }),
      checkpoints.end());
  checkpoints.push_back(std::move(run.record));
  RemoveOld(job);
  book_->Touch(job);
}

void Checkpoints::RemoveOld(Job& job) {
  const v1::CheckpointSpec& spec = job.submitted.spec.checkpoint();
  int best = -1;
  const auto& checkpoints = *job.checkpoints;
  for (int i = 0; i < checkpoints.size(); ++i) {
    const v1::CheckpointInfo& info = checkpoints[i].info();
    if (!spec.keep_best() || !info.has_validation_loss() ||
        std::isnan(info.validation_loss())) {
      continue;
    }
    if (best < 0 ||
        info.validation_loss() < checkpoints[best].info().validation_loss()) {
      best = i;
    }
  }
  const int newest = static_cast<int>(job.checkpoints->size()) - 1;
  // From the newest to the oldest; what is inside a step is of use only while
  // it is the newest.
  int kept = 0;
  for (int i = newest; i >= 0; --i) {
    const bool inside = (*job.checkpoints)[i].info().inside_step();
    if (inside ? i == newest : kept < spec.keep_last() || i == best) {
      if (!inside) ++kept;
      continue;
    }
    Remove(job, i);
  }
}

void Checkpoints::Remove(Job& job, size_t index) {
  const v1::CheckpointInfo info = (*job.checkpoints)[index].info();
  auto& checkpoints = job.checkpoints.Fresh();
  checkpoints.erase(checkpoints.begin() + index);
  journal_->CheckpointErased(job.id, info);
  actions_->push_back(
      CheckpointRemoval{job.id, info.path(), job.owner.known()});
  book_->Touch(job);
}

void Checkpoints::RemoveAll(Job& job) {
  while (!job.checkpoints->empty()) Remove(job, 0);
}

bool Checkpoints::IsSaved(const Job& job) {
  if (job.ended() || job.state() == v1::JOB_STATE_PAUSED) return true;
  if (!job.in_chain() || job.position.phase == Phase::kInit) return true;
  return !job.checkpoints->empty() &&
         SamePlace(FromRecord(job.checkpoints->back().position()),
                   ResumePlace(job.position));
}

const Job* Checkpoints::NextToSave() const {
  for (const auto& [id, job] : book_->all()) {
    if (job.outstanding.empty() && !IsSaved(job) && !unsaved_.contains(id) &&
        job.phase() != v1::JOB_PHASE_SAVE) {
      return &job;
    }
  }
  return nullptr;
}

void Checkpoints::SaveForStop(absl::Time now) {
  stopping_ = true;
  if (!free()) return;
  if (const Job* next = NextToSave()) Begin(book_->At(next->id), now);
}

bool Checkpoints::all_saved_for_stop() const {
  return free() && NextToSave() == nullptr;
}

bool AllSaved(const JobBook& book) {
  return std::all_of(
      book.all().begin(), book.all().end(),
      [](const auto& entry) { return Checkpoints::IsSaved(entry.second); });
}

}  // namespace hydra
