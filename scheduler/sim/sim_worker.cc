#include "scheduler/sim/sim_worker.h"

#include <algorithm>

#include "absl/status/status.h"
#include "glog/logging.h"

namespace hydra {

namespace wv1 = hydra::worker::v1;

void SimWorker::Apply(const wv1::DesiredState& desired) {
  if (desired.sequence() <= desired_sequence_) return;
  desired_sequence_ = desired.sequence();
  held_.clear();
  std::set<uint64_t> listed_jobs;
  for (const wv1::Task& task : desired.tasks()) {
    listed_jobs.insert(task.job_id());
    if (begun_.count(task.task_id()) == 0) held_.push_back(task);
  }
  std::set<uint64_t> still_failed;
  std::set_intersection(failed_jobs_.begin(), failed_jobs_.end(),
                        listed_jobs.begin(), listed_jobs.end(),
                        std::inserter(still_failed, still_failed.end()));
  failed_jobs_ = still_failed;
  for (uint64_t acknowledged : desired.acknowledged_tasks()) {
    reports_.erase(std::remove_if(reports_.begin(), reports_.end(),
                                  [&](const wv1::TaskReport& report) {
                                    return report.task_id() == acknowledged;
                                  }),
                   reports_.end());
  }
}

std::optional<uint64_t> SimWorker::Begin() {
  while (!computing_.has_value() && !held_.empty()) {
    wv1::Task task = held_.front();
    held_.erase(held_.begin());
    CHECK(begun_.insert(task.task_id()).second)
        << "task " << task.task_id() << " began twice";
    if (failed_jobs_.count(task.job_id()) > 0) {
      wv1::TaskReport report;
      report.set_task_id(task.task_id());
      report.mutable_error()->set_code(
          static_cast<int>(absl::StatusCode::kAborted));
      report.mutable_error()->set_layer(-1);
      reports_.push_back(report);
      continue;
    }
    CheckReads(task);
    computing_ = std::move(task);
    return computing_->task_id();
  }
  return std::nullopt;
}

void SimWorker::CheckReads(const wv1::Task& task) const {
  for (const wv1::BlockVersion& read : task.reads()) {
    if (read.zero()) continue;
    auto found = pool_->find(read.offset_bytes());
    CHECK(found != pool_->end() && found->second == read.version())
        << "task " << task.task_id() << " reads version " << read.version()
        << " at " << read.offset_bytes() << " and finds "
        << (found == pool_->end() ? 0 : found->second);
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
      prepared->set_token_count(200);
    }
  } else if (task.kind() == wv1::TASK_KIND_PILOT) {
    for (int layer = 0; layer < task.last_layer(); ++layer) {
      if (layer > 0) report.mutable_pilot()->add_cut_points(layer);
      report.mutable_pilot()->add_layers()->mutable_forward()->set_seconds(1);
    }
  } else {
    report.mutable_pass()->set_loss_sum(2);
    report.mutable_pass()->set_loss_tokens(1);
  }
  return report;
}

void SimWorker::Finish(bool fail) {
  CHECK(computing_.has_value());
  CheckReads(*computing_);
  for (const wv1::BlockVersion& write : computing_->writes()) {
    (*pool_)[write.offset_bytes()] = write.version();
  }
  wv1::TaskReport report = ResultOf(*computing_);
  if (fail) {
    report.mutable_error()->set_code(
        static_cast<int>(absl::StatusCode::kInternal));
    report.mutable_error()->set_layer(-1);
    failed_jobs_.insert(computing_->job_id());
  }
  reports_.push_back(std::move(report));
  computing_.reset();
}

wv1::WorkerReport SimWorker::Report() {
  wv1::WorkerReport report;
  report.set_sequence(++sequence_);
  report.set_desired_sequence(desired_sequence_);
  if (computing_.has_value()) {
    wv1::HeldTask* held = report.add_held();
    held->set_task_id(computing_->task_id());
    held->set_begun(true);
  }
  for (const wv1::Task& task : held_) {
    report.add_held()->set_task_id(task.task_id());
  }
  report.mutable_reports()->Assign(reports_.begin(), reports_.end());
  return report;
}

}  // namespace hydra
