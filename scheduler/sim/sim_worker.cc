#include "scheduler/sim/sim_worker.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "common/hash/split_mix.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "scheduler/journal/tables.h"
#include "scheduler/sim/delays.h"

namespace hydra {

namespace wv1 = hydra::worker::v1;

namespace {

// Every bit of both numbers matters.
uint64_t Mix(uint64_t a, uint64_t b) { return SplitMix(a * kSplitMixStep + b); }

}  // namespace

void SimWorker::Apply(const wv1::DesiredState& desired) {
  if (desired.sequence() <= desired_sequence_) return;
  desired_sequence_ = desired.sequence();
  held_.clear();
  cancelled_ = {desired.cancelled_tasks().begin(),
                desired.cancelled_tasks().end()};
  auto kept = std::exchange(contexts_, {});
  for (uint64_t number : desired.contexts()) {
    if (kept.count(number) > 0) contexts_[number] = kept[number];
  }
  for (const wv1::JobContext& job : desired.jobs()) {
    contexts_[job.number()] = job;
  }
  std::set<uint64_t> listed;
  for (const wv1::Task& task : desired.tasks()) {
    listed.insert(task.task_id());
    if (begun_.count(task.task_id()) == 0) held_.push_back(task);
  }
  for (auto it = failed_.begin(); it != failed_.end();) {
    it = listed.count(it->first) == 0 ? failed_.erase(it) : std::next(it);
  }
  for (uint64_t acknowledged : desired.acknowledged_tasks()) {
    reports_.erase(std::remove_if(reports_.begin(), reports_.end(),
                                  [&](const wv1::TaskReport& report) {
                                    return report.task_id() == acknowledged;
                                  }),
                   reports_.end());
  }
}

std::optional<uint64_t> SimWorker::Begin(absl::Time now) {
  while (!computing_.has_value() && !held_.empty()) {
    wv1::Task task = held_.front();
    held_.erase(held_.begin());
    CHECK(begun_.insert(task.task_id()).second)
        << "task " << task.task_id() << " began twice";
    if (HasFailed(task.job_id())) {
      failed_[task.task_id()] = task.job_id();
      wv1::TaskReport report;
      report.set_task_id(task.task_id());
      report.mutable_error()->set_code(
          static_cast<int>(absl::StatusCode::kAborted));
      report.mutable_error()->set_layer(-1);
      reports_.push_back(report);
      continue;
    }
    CheckReads(task);
    reserve_ = ContextOf(task).prefetch_bytes();
    computing_ = std::move(task);
    begun_at_ = now;
    return computing_->task_id();
  }
  return std::nullopt;
}

const wv1::JobContext& SimWorker::ContextOf(const wv1::Task& task) const {
  const auto found = std::find_if(
      contexts_.begin(), contexts_.end(), [&](const auto& context) {
        return context.second.job_id() == task.job_id();
      });
  CHECK(found != contexts_.end())
      << "nothing is known of job " << task.job_id() << ", whose task "
      << task.task_id() << " begins";
  return found->second;
}

bool SimWorker::HasFailed(uint64_t job) const {
  return std::any_of(failed_.begin(), failed_.end(),
                     [&](const auto& entry) { return entry.second == job; });
}

void SimWorker::CheckReads(const wv1::Task& task) const {
  for (const wv1::BlockVersion& read : task.reads()) {
    if (read.zero()) continue;
    auto found = pool_->find(read.offset_bytes());
    CHECK(found != pool_->end() && found->second.version == read.version())
        << "task " << task.task_id() << " reads version " << read.version()
        << " at " << read.offset_bytes() << " and finds "
        << (found == pool_->end() ? 0 : found->second.version);
  }
}

wv1::TaskReport SimWorker::ResultOf(const wv1::Task& task) const {
  wv1::TaskReport report;
  report.set_task_id(task.task_id());
  report.mutable_cost()->mutable_wall()->set_seconds(1);
  if (task.kind() == wv1::TASK_KIND_PREPARE) {
    for (wv1::Split split :
         {wv1::SPLIT_TRAIN, wv1::SPLIT_VALIDATION, wv1::SPLIT_TEST}) {
      wv1::PreparedSplit* prepared = report.mutable_prepare()->add_splits();
      prepared->set_split(split);
      prepared->set_token_file(setup_->token_file);
      prepared->set_token_count(setup_->token_count);
    }
    report.mutable_prepare()->add_warnings("the data is simulated");
  } else if (task.kind() == wv1::TASK_KIND_PILOT) {
    const bool leaves_free = reserve_ > 0;
    const int layers = leaves_free ? 1 : setup_->layers_per_shard;
    for (int layer = 0; layer < task.last_layer(); ++layer) {
      if (layer > 0 && layer % layers == 0) {
        report.mutable_pilot()->add_cut_points(layer);
      }
      report.mutable_pilot()->add_layers()->mutable_forward()->set_seconds(1);
    }
  } else {
    // From 0 to 2^20, so that sums are exact.
    report.mutable_pass()->set_loss_sum(InputOf(task) >> 44);
    report.mutable_pass()->set_loss_tokens(1);
  }
  return report;
}

uint64_t SimWorker::InputOf(const wv1::Task& task) const {
  uint64_t input = Mix(Mix(task.kind(), task.step()),
                       Mix(task.split(), task.first_micro_batch()));
  for (const wv1::BlockVersion& read : task.reads()) {
    input =
        Mix(input, read.zero() ? 0 : pool_->at(read.offset_bytes()).content);
  }
  return input;
}

absl::Status SimWorker::Write(const wv1::Task& task) {
  const SimCheckpoint* checkpoint = nullptr;
  if (!task.restore_dir().empty()) {
    auto found = checkpoints_->find(task.restore_dir());
    if (found == checkpoints_->end()) return absl::NotFoundError("");
    if (found->second.damaged) return absl::DataLossError("");
    if (found->second.unreadable) return absl::PermissionDeniedError("");
    checkpoint = &found->second;
  }
  const uint64_t input = InputOf(task);
  for (const wv1::BlockVersion& write : task.writes()) {
    const BlockKey key = BlockKeyOf(write);
    uint64_t content = Mix(input, BlockNumber(key));
    if (checkpoint != nullptr) content = checkpoint->contents.at(key);
    (*pool_)[write.offset_bytes()] = {write.version(), content};
  }
  return absl::OkStatus();
}

bool SimWorker::ShouldStop() const {
  return setup_->stops_when_told && computing_.has_value() &&
         cancelled_.count(computing_->task_id()) > 0;
}

void SimWorker::Finish(const absl::Status& failure, bool nonfinite) {
  CHECK(computing_.has_value());
  CheckReads(*computing_);
  wv1::TaskReport report = ResultOf(*computing_);
  absl::Status written = Write(*computing_);
  if (!failure.ok()) written = failure;
  const bool on_device = computing_->kind() != wv1::TASK_KIND_PREPARE &&
                         computing_->kind() != wv1::TASK_KIND_PILOT &&
                         computing_->kind() != wv1::TASK_KIND_INIT;
  if (on_device && setup_->layers_in_device > 0 &&
      computing_->last_layer() - computing_->first_layer() >
          setup_->layers_in_device) {
    written = absl::ResourceExhaustedError("");
  }
  if (nonfinite && (computing_->kind() == wv1::TASK_KIND_TURN ||
                    computing_->kind() == wv1::TASK_KIND_BACKWARD)) {
    report.mutable_pass()->add_skipped_blocks(0);
  }
  if (!written.ok()) {
    report.mutable_error()->set_code(static_cast<int>(written.code()));
    report.mutable_error()->set_layer(-1);
    failed_[computing_->task_id()] = computing_->job_id();
  }
  reports_.push_back(std::move(report));
  computing_.reset();
}

wv1::WorkerReport SimWorker::Report(absl::Time now) {
  wv1::WorkerReport report;
  report.set_sequence(++sequence_);
  report.set_desired_sequence(desired_sequence_);
  if (computing_.has_value()) {
    wv1::HeldTask* held = report.add_held();
    held->set_task_id(computing_->task_id());
    held->set_begun(true);
    *held->mutable_running() = ToProto(now - begun_at_);
    if (!hung_) held->set_progress((now - begun_at_) / kSecond);
  }
  for (const wv1::Task& task : held_) {
    report.add_held()->set_task_id(task.task_id());
  }
  for (const auto& [number, context] : contexts_) report.add_contexts(number);
  report.mutable_reports()->Assign(reports_.begin(), reports_.end());
  return report;
}

}  // namespace hydra
