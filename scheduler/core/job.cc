#include "scheduler/core/job.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/chain/split.h"
#include "common/data/data_format.h"
#include "common/data/step_count.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "scheduler/core/account_of.h"
#include "scheduler/core/early_stopping.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

// Of a split; null: there is none.
const v1::EvaluationMetrics* NewestEvaluation(const Job& job,
                                              worker::v1::Split split) {
  for (auto it = job.evaluations->rbegin(); it != job.evaluations->rend();
       ++it) {
    if (SplitOf(*it) == split) return &*it;
  }
  return nullptr;
}

void FillMetrics(const Job& job, v1::JobStatus& status) {
  if (!job.steps.empty()) {
    status.set_train_loss(job.steps.back().train_loss());
  }
  if (const auto* found = NewestEvaluation(job, worker::v1::SPLIT_VALIDATION)) {
    status.set_validation_loss(found->loss());
    if (found->has_accuracy()) {
      status.set_validation_accuracy(found->accuracy());
    } else {
      status.set_validation_perplexity(std::exp(found->loss()));
    }
  }
  if (const auto* found = NewestEvaluation(job, worker::v1::SPLIT_TEST)) {
    status.set_test_loss(found->loss());
    if (found->has_accuracy()) {
      status.set_test_accuracy(found->accuracy());
    } else {
      status.set_test_perplexity(std::exp(found->loss()));
    }
  }
}

void FillTimes(const Job& job, v1::JobStatus& status) {
  *status.mutable_submitted_at() = ToProto(job.submitted_at);
  if (job.started_at != absl::InfinitePast()) {
    *status.mutable_started_at() = ToProto(job.started_at);
  }
  if (job.ended_at != absl::InfinitePast()) {
    *status.mutable_ended_at() = ToProto(job.ended_at);
  }
  status.set_tokens_per_second(job.tokens_per_second);
  if (job.in_chain()) {
    *status.mutable_remaining() = ToProto(job.RemainingFrom(job.position));
  }
  if (!job.steps.empty() && job.training_since != absl::InfinitePast()) {
    const absl::Duration since =
        FromProto(job.steps.back().time()) - job.training_since;
    if (since > absl::ZeroDuration()) {
      status.set_overall_tokens_per_second(
          static_cast<double>(job.steps.back().step() + 1 -
                              job.training_from_step) *
          job.StepTokens() / absl::ToDoubleSeconds(since));
    }
  }
}

// Whether nothing that is out may change the scale of the loss at `place`.
// Forward passes need none.
bool KnowsLossScale(const Job& job, const ChainPosition& place) {
  if (!job.shape.scales_loss || place.phase != ChainPosition::Phase::kTrain ||
      place.task < FirstTurn(job.shape)) {
    return true;
  }
  // INIT or an evaluation may be out before the step that decides.
  return std::none_of(job.outstanding.begin(), job.outstanding.end(),
                      [&](const OutstandingTask& task) {
                        return task.position.has_value() &&
                               task.position->phase ==
                                   ChainPosition::Phase::kTrain &&
                               task.position->step < place.step;
                      });
}

// clear() would keep the memory.
template <typename Container>
void Free(Container& container) {
  Container empty;
  std::swap(container, empty);
}

}  // namespace

v1::JobPhase ChainPhase(const ChainPosition& position) {
  switch (position.phase) {
    case ChainPosition::Phase::kInit:
      return v1::JOB_PHASE_INIT;
    case ChainPosition::Phase::kTrain:
      return v1::JOB_PHASE_TRAIN;
    default:
      return v1::JOB_PHASE_EVALUATE;
  }
}

const OutstandingTask* Job::FindOutstanding(TaskId id) const {
  for (const OutstandingTask& task : outstanding) {
    if (task.id == id) return &task;
  }
  return nullptr;
}

ChainPosition Job::NextPosition() const {
  if (outstanding.empty() || !outstanding.back().position.has_value()) {
    return position;
  }
  return Next(shape, plan, *outstanding.back().position);
}

bool Job::MayGoOn(const ChainPosition& place) const {
  if (GoesBack(intent)) return false;
  const bool is_decided = outstanding.empty() ||
                          !outstanding.back().position.has_value() ||
                          !DecidesOnStop(submitted.spec.evaluation(), shape,
                                         plan, *outstanding.back().position);
  if (!is_decided || !KnowsLossScale(*this, place)) return false;
  return !Pauses(intent) || place.inside_step();
}

void Job::Hear(IntentEvent event) {
  const std::optional<Intent> after = After(intent, event);
  CHECK(after.has_value()) << JobName(id) << ": event "
                           << static_cast<int>(event)
                           << " cannot happen with the intent "
                           << static_cast<int>(intent);
  intent = *after;
}

absl::Time Job::CheckpointDue(int64_t steps, absl::Time end) const {
  const v1::CheckpointSpec& spec = submitted.spec.checkpoint();
  const absl::Duration every = absl::Minutes(spec.every_minutes());
  absl::Time due = std::min(checkpoint_due_at, checkpoint_again_at);
  if (every > absl::ZeroDuration())
    due = std::min(due, checkpointed_at + every);
  if (spec.every_steps() > 0 && steps % spec.every_steps() == 0) {
    due = std::min(due, end);
  }
  return due;
}

absl::Duration Job::RemainingFrom(const ChainPosition& place) const {
  if (!times.has_value()) return absl::InfiniteDuration();
  return times->Remaining(shape, plan, place, TimeModel::Measure::kWall);
}

bool HaveSameBase(const Job& a, const Job& b) {
  return !a.submitted.base_key.empty() &&
         a.submitted.base_key == b.submitted.base_key;
}

Account AccountOf(const Job& job) { return AccountOf(job.owner); }

JobView ViewAt(const Job& job, const ChainPosition& place) {
  JobView view;
  view.id = job.id;
  view.submitted = job.submitted_at;
  view.account = AccountOf(job);
  view.priority = job.priority;
  view.waits_since = job.queued_since;
  view.remaining = absl::InfiniteDuration();
  if (!job.times.has_value()) return view;
  constexpr auto kMeasure = TimeModel::Measure::kWithoutWaits;
  view.step = job.times->StepTime(kMeasure);
  // Others may wait for what it fills, whatever they have left to do.
  if (place.phase == ChainPosition::Phase::kInit &&
      !job.submitted.base_key.empty()) {
    return view;
  }
  view.remaining = job.times->Remaining(job.shape, job.plan, place, kMeasure);
  return view;
}

v1::UpdatePlace UpdatePlaceOf(const Job& job) {
  if (job.partition != nullptr && job.partition->has_updates()) {
    return job.partition->updates().place();
  }
  return job.submitted.spec.train().update_on();
}

void Job::DropWorkingData() {
  shape.table = {};
  Free(shape.shards);
  submitted.table = {};
  submitted.model_config_json = {};
  submitted.chat_template = {};
  Free(splits);
  Free(last_lines);
  times.reset();
}

void Job::KeepSummaryOnly() {
  summary_only = true;
  steps.KeepNewestOnly();
  if (partition != nullptr && partition->layers_size() > 0) {
    auto summary = std::make_shared<v1::Partition>(*partition);
    summary->mutable_layers()->Clear();
    partition = std::make_shared<const v1::Partition>(*summary);
  }
}

int64_t Job::StepTokens() const {
  const v1::TrainSpec& train = submitted.spec.train();
  const int64_t sequences = SequencesPerStep(train);
  for (const worker::v1::PreparedSplit& split : splits) {
    if (split.split() != worker::v1::SPLIT_TRAIN || split.row_count() == 0) {
      continue;
    }
    return sequences * split.token_count() / split.row_count();
  }
  return sequences * train.context_length();
}

std::string OutputPath(JobId id, const std::string& output_dir,
                       const std::string& name) {
  return absl::StrCat(output_dir, "/", JobName(id), "-", name);
}

std::string CheckpointFolder(const std::string& output_path) {
  return absl::StrCat(output_path, "/checkpoints");
}

std::string KindName(worker::v1::TaskKind kind) {
  return worker::v1::TaskKind_Name(kind).substr(sizeof("TASK_KIND"));
}

std::string JobName(JobId id) { return absl::StrCat("j", id.value()); }
std::string SweepName(SweepId id) { return absl::StrCat("s", id.value()); }

v1::JobStatus StatusOf(const Job& job) {
  v1::JobStatus status;
  status.set_job_id(JobName(job.id));
  status.set_sweep_id(SweepName(job.sweep));
  status.set_name(job.submitted.spec.name());
  status.set_state(job.state());
  status.set_phase(job.phase());
  status.set_reason(job.reason);
  status.set_step(job.position.step);
  status.set_total_steps(job.plan.total_steps);
  status.set_shard_count(
      job.partition != nullptr ? job.partition->cut_points_size() + 1 : 0);
  status.set_counts_examples(HasExamples(job.submitted.spec.data().format()));
  if (const std::optional<uid_t> owner = job.owner.known()) {
    status.set_owner_user(*owner);
  }
  status.set_project(job.submitted.spec.project());
  if (job.project_group.has_value()) {
    status.set_project_group(*job.project_group);
  }
  status.set_priority(job.priority);
  FillMetrics(job, status);
  FillTimes(job, status);
  status.mutable_parameters()->Assign(job.submitted.parameters.begin(),
                                      job.submitted.parameters.end());
  return status;
}

v1::JobDetail DetailOf(const Job& job, int max_steps) {
  v1::JobDetail detail;
  *detail.mutable_status() = StatusOf(job);
  *detail.mutable_spec() = job.submitted.spec;
  detail.set_output_path(job.output_path);
  detail.mutable_warnings()->Assign(job.submitted.warnings.begin(),
                                    job.submitted.warnings.end());
  AddParts(job, max_steps, detail);
  return detail;
}

}  // namespace hydra
