#include "scheduler/core/resume_place.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/chain/split.h"
#include "common/protocol/task_format.h"
#include "scheduler/core/early_stopping.h"
#include "scheduler/core/records.h"
#include "scheduler/journal/tables.h"

namespace hydra {

namespace wv1 = hydra::worker::v1;
using Phase = ChainPosition::Phase;

namespace {

int RoundsOf(const journal::v1::CheckpointRecord& checkpoint) {
  return std::max(1, checkpoint.rounds());
}

}  // namespace

bool SamePlace(const ChainPosition& a, const ChainPosition& b) {
  return a.phase == b.phase && a.step == b.step && a.task == b.task &&
         a.split == b.split && a.first_batch == b.first_batch;
}

bool IsAfterTurn(const Job& job,
                 const journal::v1::CheckpointRecord& checkpoint) {
  const ChainPosition place = FromRecord(checkpoint.position());
  if (!place.inside_step()) return false;
  JobShape then = job.shape;
  then.shards =
      ShardsOf({checkpoint.cut_points().begin(), checkpoint.cut_points().end()},
               job.shape.table->layer_count());
  then.rounds = RoundsOf(checkpoint);
  return place.task > LastTurn(then);
}

bool IsCutAs(const Job& job, const journal::v1::CheckpointRecord& checkpoint) {
  const v1::Partition& partition = *job.partition;
  if (checkpoint.task_format() != kTaskFormat) return false;
  if (job.shape.rounds != RoundsOf(checkpoint)) return false;
  return std::equal(
      partition.cut_points().begin(), partition.cut_points().end(),
      checkpoint.cut_points().begin(), checkpoint.cut_points().end());
}

ChainPosition ResumePlaceOf(const Job& job) {
  const journal::v1::CheckpointRecord& newest = job.checkpoints->back();
  ChainPosition place = FromRecord(newest.position());
  if (place.inside_step() && !IsCutAs(job, newest)) place.task = 0;
  // At the end of a plan that had fewer steps: there are more to train.
  const bool trains_on = place.phase == Phase::kEvaluate &&
                         place.split == wv1::SPLIT_TEST &&
                         place.step < job.plan.total_steps &&
                         !HasStopped(job.submitted.spec.evaluation(), job.plan,
                                     place, *job.evaluations);
  if (!trains_on) return place;
  ChainPosition next_step;
  next_step.phase = Phase::kTrain;
  next_step.step = place.step;
  return next_step;
}

int64_t FirstEvaluationAfter(const ChainPosition& place) {
  if (place.phase == Phase::kInit) {
    return EvaluationNumber(0, wv1::SPLIT_VALIDATION);
  }
  if (place.phase == Phase::kEvaluate) {
    return EvaluationNumber(place.step, place.split);
  }
  return EvaluationNumber(place.step + 1, wv1::SPLIT_VALIDATION);
}

std::string ChangedDataOf(const Job& job) {
  if (job.checkpoints->empty()) return "";
  const absl::string_view what =
      job.shape.table->examples.has_value() ? " examples" : " tokens";
  for (const checkpoint::v1::SplitTokens& then :
       job.checkpoints->back().splits()) {
    for (const wv1::PreparedSplit& split : job.splits) {
      const checkpoint::v1::SplitTokens now = TokensOf(split);
      if (now.split() != then.split() || now.key() == then.key()) continue;
      return absl::StrCat("the data of ", SplitName(split.split()), " has ",
                          now.token_count(), what,
                          " and is not that of the checkpoint, ",
                          then.token_count(), what);
    }
  }
  return "";
}

}  // namespace hydra
