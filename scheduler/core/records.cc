#include "scheduler/core/records.h"

#include <algorithm>

#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/status/proto_time.h"
#include "scheduler/core/job_move.h"

namespace hydra {
namespace {

namespace cv1 = hydra::checkpoint::v1;
namespace jv1 = hydra::journal::v1;
namespace wv1 = hydra::worker::v1;
using Phase = ChainPosition::Phase;

// The record's phases follow the code's, one higher.
cv1::Position::Phase ToRecord(Phase phase) {
  return static_cast<cv1::Position::Phase>(static_cast<int>(phase) + 1);
}

// A time that was never set is not in the record.
absl::Time TimeOf(bool has, const google::protobuf::Timestamp& record) {
  return has ? FromProto(record) : absl::InfinitePast();
}

jv1::ShardTimes ToRecord(const TimeModel::Measured& times) {
  jv1::ShardTimes record;
  if (times.forward) *record.mutable_forward() = ToProto(*times.forward);
  if (times.backward) *record.mutable_backward() = ToProto(*times.backward);
  if (times.evaluate) *record.mutable_evaluate() = ToProto(*times.evaluate);
  return record;
}

}  // namespace

cv1::Position ToRecord(const ChainPosition& position) {
  cv1::Position record;
  record.set_phase(ToRecord(position.phase));
  record.set_step(position.step);
  record.set_task(position.task);
  record.set_split(position.split);
  record.set_first_batch(position.first_batch);
  record.set_visit_batches(position.visit_batches);
  return record;
}

ChainPosition FromRecord(const cv1::Position& record) {
  ChainPosition position;
  if (record.phase() != cv1::Position::PHASE_UNSPECIFIED) {
    position.phase = static_cast<Phase>(record.phase() - 1);
  }
  position.step = record.step();
  position.task = record.task();
  position.split = static_cast<wv1::Split>(record.split());
  position.first_batch = record.first_batch();
  position.visit_batches = record.visit_batches();
  return position;
}

jv1::CheckpointRecord ToRecord(const cv1::Manifest& manifest) {
  jv1::CheckpointRecord record;
  const ChainPosition place = FromRecord(manifest.position());
  record.mutable_info()->set_step(place.step);
  record.mutable_info()->set_inside_step(place.inside_step());
  *record.mutable_position() = manifest.position();
  *record.mutable_cut_points() = manifest.cut_points();
  record.set_nonfinite_in_a_row(manifest.nonfinite_in_a_row());
  record.set_last_nonfinite_step(manifest.last_nonfinite_step());
  *record.mutable_splits() = manifest.splits();
  record.set_rounds(manifest.rounds());
  record.set_task_format(manifest.task_format());
  *record.mutable_step_loss() = manifest.step_loss();
  if (manifest.has_loss_scale()) {
    *record.mutable_loss_scale() = manifest.loss_scale();
  }
  return record;
}

jv1::BlockRecord ToRecord(const BlockKey& key, const Version& version) {
  jv1::BlockRecord record;
  record.set_version(version.id.value());
  record.set_size_bytes(version.size_bytes);
  record.set_offset_bytes(version.slot.has_value() ? version.slot->offset : -1);
  SetBlockKey(key, record);
  return record;
}

bool FollowsInRecord(const BlockKey& before, const BlockKey& key) {
  return IsBoundary(key) && before.kind == key.kind &&
         before.index == key.index && before.micro_batch + 1 == key.micro_batch;
}

std::vector<jv1::BlockRecord> ToRecords(const KeyedVersions& blocks) {
  std::vector<jv1::BlockRecord> records;
  // The one before.
  BlockKey key;
  Version version;
  for (const auto& [next_key, next] : blocks) {
    const bool follows = !records.empty() && FollowsInRecord(key, next_key) &&
                         next.size_bytes == version.size_bytes &&
                         next.slot.has_value() && version.slot.has_value();
    if (follows) {
      records.back().add_next_versions(
          static_cast<int64_t>(next.id.value() - version.id.value()));
      records.back().add_next_offsets(next.slot->offset - version.slot->offset);
    } else {
      records.push_back(ToRecord(next_key, next));
    }
    key = next_key;
    version = next;
  }
  return records;
}

KeyedVersions BlocksOf(const jv1::BlockRecord& record) {
  BlockKey key = BlockKeyOf(record);
  Version version{VersionId(record.version()), record.size_bytes(), {}};
  if (record.offset_bytes() >= 0) {
    version.slot = Slot{record.offset_bytes(), record.size_bytes()};
  }
  KeyedVersions blocks = {{key, version}};
  const int following =
      std::min(record.next_versions_size(), record.next_offsets_size());
  for (int i = 0; i < following && version.slot.has_value(); ++i) {
    ++key.micro_batch;
    version.id = VersionId(version.id.value() + record.next_versions(i));
    version.slot->offset += record.next_offsets(i);
    blocks.emplace_back(key, version);
  }
  return blocks;
}

Version VersionOf(const wv1::BlockVersion& wire) {
  Version version{VersionId(wire.version()), wire.size_bytes(), {}};
  if (!wire.zero()) version.slot = Slot{wire.offset_bytes(), wire.size_bytes()};
  return version;
}

void FillVersion(const BlockKey& key, const Version& version,
                 wv1::BlockVersion& wire) {
  SetBlockKey(key, wire);
  wire.set_version(version.id.value());
  wire.set_size_bytes(version.size_bytes);
  if (version.slot.has_value()) {
    wire.set_offset_bytes(version.slot->offset);
  } else {
    wire.set_zero(true);
  }
}

jv1::JobProgress ProgressOf(const Job& job) {
  jv1::JobProgress record;
  record.set_state(job.state());
  record.set_reason(job.reason);
  if (job.started_at != absl::InfinitePast()) {
    *record.mutable_started_at() = ToProto(job.started_at);
  }
  if (job.ended_at != absl::InfinitePast()) {
    *record.mutable_ended_at() = ToProto(job.ended_at);
  }
  record.mutable_splits()->Assign(job.splits.begin(), job.splits.end());
  if (job.partition != nullptr) *record.mutable_partition() = *job.partition;
  record.set_total_steps(job.plan.total_steps);
  *record.mutable_totals() = job.totals;
  record.set_step(job.position.step);
  if (!job.steps.empty()) *record.mutable_newest_step() = job.steps.back();
  record.set_pause_requested(Pauses(job.intent) &&
                             job.state() != hydra::v1::JOB_STATE_PAUSED);
  record.set_pilot_reserve_bytes(job.pilot_reserve_bytes);
  record.mutable_prepare_warnings()->Assign(job.prepare_warnings->begin(),
                                            job.prepare_warnings->end());
  record.set_partition_limit_bytes(job.partition_limit_bytes);
  record.set_tokens_per_second(job.tokens_per_second);
  *record.mutable_traffic() = job.traffic;
  if (job.priority != job.submitted.spec.priority()) {
    record.set_priority(job.priority);
  }
  record.set_yields_room(job.yields);
  return record;
}

Job EndedJobOf(JobId id, const RecoveredJob& recovered) {
  Job job;
  SetSubmitted(id, recovered.submitted, job);
  job.evaluations = recovered.evaluations;
  job.checkpoints = recovered.checkpoints;
  SetProgress(recovered.progress, job);
  RestorePhase(job, hydra::v1::JOB_PHASE_ENDED);
  return job;
}

void SetSubmitted(JobId id, const jv1::SubmittedJob& record, Job& job) {
  job.id = id;
  job.sweep = SweepId(record.sweep_id());
  if (record.has_owner_user()) job.owner = Caller{record.owner_user()};
  if (record.has_project_group()) job.project_group = record.project_group();
  job.submitted.spec = record.spec();
  job.priority = record.spec().priority();
  job.submitted.parameters.assign(record.parameters().begin(),
                                  record.parameters().end());
  job.submitted.output_dir = record.output_dir();
  job.submitted.base_key = record.base_key();
  job.output_path = OutputPath(id, record.output_dir(), record.spec().name());
  job.submitted_at = FromProto(record.submitted_at());
  job.submitted.warnings.assign(record.warnings().begin(),
                                record.warnings().end());
}

void SetProgress(const jv1::JobProgress& record, Job& job) {
  RestoreState(job, record.state(), record.reason());
  job.started_at = TimeOf(record.has_started_at(), record.started_at());
  job.ended_at = TimeOf(record.has_ended_at(), record.ended_at());
  job.splits.assign(record.splits().begin(), record.splits().end());
  if (record.has_partition()) {
    job.partition =
        std::make_shared<const hydra::v1::Partition>(record.partition());
  }
  job.plan.total_steps = record.total_steps();
  job.totals = record.totals();
  job.position.step = record.step();
  const bool pauses =
      record.pause_requested() || record.state() == hydra::v1::JOB_STATE_PAUSED;
  job.intent = pauses ? Intent::kPause : Intent::kGoOn;
  job.pilot_reserve_bytes = record.pilot_reserve_bytes();
  job.prepare_warnings = std::vector<std::string>(
      record.prepare_warnings().begin(), record.prepare_warnings().end());
  job.partition_limit_bytes = record.partition_limit_bytes();
  if (record.has_priority()) job.priority = record.priority();
  job.yields = record.yields_room();
  job.traffic = record.traffic();
  job.tokens_per_second = record.tokens_per_second();
  if (job.steps.empty() && record.has_newest_step()) {
    job.steps.Assign({record.newest_step()});
  }
}

cv1::SplitTokens TokensOf(const wv1::PreparedSplit& split) {
  cv1::SplitTokens tokens;
  tokens.set_split(split.split());
  const absl::string_view file = split.token_file();
  // npos + 1 is 0: the whole name.
  tokens.set_key(std::string(
      absl::StripSuffix(file.substr(file.rfind('/') + 1), ".tokens")));
  tokens.set_token_count(split.token_count());
  return tokens;
}

std::vector<TimeModel::Measured> MeasuredOf(const jv1::PoolJob& record) {
  std::vector<TimeModel::Measured> measured;
  for (const jv1::ShardTimes& times : record.shard_times()) {
    TimeModel::Measured& shard = measured.emplace_back();
    if (times.has_forward()) shard.forward = FromProto(times.forward());
    if (times.has_backward()) shard.backward = FromProto(times.backward());
    if (times.has_evaluate()) shard.evaluate = FromProto(times.evaluate());
  }
  return measured;
}

jv1::PoolJob PoolJobOf(const Job& job) {
  jv1::PoolJob record;
  *record.mutable_position() = ToRecord(job.position);
  record.set_eval_loss_sum(job.eval_loss_sum);
  record.set_eval_tokens(job.eval_tokens);
  record.set_eval_correct(job.eval_correct);
  record.set_crashes_in_a_row(job.crashes_in_a_row);
  for (WorkerId worker : job.crashed_on) {
    record.add_crashed_on(worker.value());
  }
  record.set_nonfinite_in_a_row(job.nonfinite_in_a_row);
  record.set_last_nonfinite_step(job.last_nonfinite_step);
  if (job.training_since != absl::InfinitePast()) {
    *record.mutable_training_since() = ToProto(job.training_since);
    record.set_training_from_step(job.training_from_step);
  }
  if (job.step_under_way.has_value()) {
    *record.mutable_step_under_way() = *job.step_under_way;
  }
  record.set_tokens_per_second(job.tokens_per_second);
  *record.mutable_traffic() = job.traffic;
  *record.mutable_totals() = job.totals;
  record.set_rounds(job.shape.rounds);
  *record.mutable_step_loss() = job.step_loss;
  if (job.shape.scales_loss) *record.mutable_loss_scale() = job.loss_scale;
  if (job.plan.resume.has_value()) {
    *record.mutable_resume() = ToRecord(*job.plan.resume);
    record.set_restore_dir(job.restore_dir);
  }
  if (job.times.has_value()) {
    for (const TimeModel::Measured& times : job.times->measured()) {
      *record.add_shard_times() = ToRecord(times);
    }
  }
  return record;
}

void SetPoolJob(const jv1::PoolJob& record, Job& job) {
  job.position = FromRecord(record.position());
  job.eval_loss_sum = record.eval_loss_sum();
  job.eval_tokens = record.eval_tokens();
  job.eval_correct = record.eval_correct();
  job.crashes_in_a_row = record.crashes_in_a_row();
  for (uint64_t worker : record.crashed_on()) {
    job.crashed_on.insert(WorkerId(worker));
  }
  job.nonfinite_in_a_row = record.nonfinite_in_a_row();
  job.last_nonfinite_step = record.last_nonfinite_step();
  job.training_since =
      TimeOf(record.has_training_since(), record.training_since());
  job.training_from_step = record.training_from_step();
  if (record.has_step_under_way()) {
    job.step_under_way = record.step_under_way();
  }
  job.tokens_per_second = record.tokens_per_second();
  job.traffic = record.traffic();
  job.totals = record.totals();
  job.shape.rounds = std::max(1, record.rounds());
  job.step_loss = record.step_loss();
  job.loss_scale = record.loss_scale();
  if (record.has_resume()) {
    job.plan.resume = FromRecord(record.resume());
    job.restore_dir = record.restore_dir();
  }
}

}  // namespace hydra
