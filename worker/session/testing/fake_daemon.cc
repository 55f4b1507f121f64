#include "worker/session/testing/fake_daemon.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "glog/logging.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"

namespace hydra {

using worker::v1::DesiredState;
using worker::v1::WorkerReport;

FakeDaemon::FakeDaemon(Options options, ModelDaemon model)
    : options_(std::move(options)),
      model_(std::move(model)),
      issued_(static_cast<int64_t>(model_.tasks().size())),
      silent_(options_.silent) {
  {
    absl::MutexLock lock(&mu_);
    next_break_ = options_.break_every;
    IssueTasks();
  }
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address(), grpc::InsecureServerCredentials());
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  CHECK(server_ != nullptr) << "cannot listen on " << options_.socket;
}

FakeDaemon::~FakeDaemon() {
  server_->Shutdown(std::chrono::system_clock::now());
}

void FakeDaemon::WithdrawAllButOne() {
  absl::MutexLock lock(&mu_);
  issuing_ = false;
  if (model_.listed_count() > 1) model_.Withdraw(1);
  Tell();
}

void FakeDaemon::Stop() {
  absl::MutexLock lock(&mu_);
  stop_ = true;
  Tell();
}

void FakeDaemon::BreakStream() {
  absl::MutexLock lock(&mu_);
  if (context_ != nullptr) context_->TryCancel();
}

void FakeDaemon::SetSilent(bool silent) {
  absl::MutexLock lock(&mu_);
  silent_ = silent;
  Tell();
}

ModelDaemon FakeDaemon::Vanish() {
  server_->Shutdown(std::chrono::system_clock::now());
  absl::MutexLock lock(&mu_);
  return model_;
}

void FakeDaemon::AwaitRecorded(int64_t tasks) {
  const auto recorded = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return model_.recorded_count() >= tasks;
  };
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(&recorded));
}

void FakeDaemon::AwaitWithdrawn(int64_t tasks) {
  const auto withdrawn = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return model_.withdrawn_count() >= tasks;
  };
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(&withdrawn));
}

void FakeDaemon::AwaitStreams(int64_t streams) {
  const auto attached = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return stream_count_ >= streams;
  };
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(&attached));
}

std::vector<std::string> FakeDaemon::log_texts() const {
  absl::MutexLock lock(&mu_);
  return log_texts_;
}

int64_t FakeDaemon::lines_behind() const {
  absl::MutexLock lock(&mu_);
  return lines_behind_;
}

int64_t FakeDaemon::stream_count() const {
  absl::MutexLock lock(&mu_);
  return stream_count_;
}

grpc::Status FakeDaemon::Attach(grpc::ServerContext* context, Stream* stream) {
  WorkerReport report;
  for (bool first = true; stream->Read(&report); first = false) {
    if (report.session() != options_.session) {
      return {grpc::StatusCode::PERMISSION_DENIED, "unknown session"};
    }
    absl::MutexLock lock(&mu_);
    if (first) {
      stream_ = stream;
      context_ = context;
      ++stream_count_;
      told_.clear();
    }
    if (stream_ != stream) return {grpc::StatusCode::ABORTED, "taken over"};
    Receive(report);
    Tell();
  }
  absl::MutexLock lock(&mu_);
  if (stream_ == stream) {
    stream_ = nullptr;
    context_ = nullptr;
  }
  return grpc::Status::OK;
}

void FakeDaemon::Receive(const WorkerReport& report) {
  model_.Receive(report);
  TakeLogLines(report);
  lines_behind_ =
      std::max(lines_behind_, model_.recorded_count() - line_count_);
  IssueTasks();
  newest_report_ = report;
  if (options_.break_every > 0 && model_.recorded_count() >= next_break_) {
    next_break_ += options_.break_every;
    context_->TryCancel();
  }
}

void FakeDaemon::TakeLogLines(const WorkerReport& report) {
  for (const auto& line : report.log_lines()) {
    if (line.sequence() <= log_sequence_) continue;
    log_sequence_ = line.sequence();
    log_texts_.push_back(line.text());
    if (!line.text().empty()) ++line_count_;
  }
}

void FakeDaemon::IssueTasks() {
  while (issuing_ && issued_ < options_.task_count &&
         model_.listed_count() < options_.listed) {
    model_.Issue(/*job_id=*/1);
    ++issued_;
  }
}

void FakeDaemon::Tell() {
  if (stream_ == nullptr || silent_) return;
  DesiredState desired = model_.MakeDesired();
  const uint64_t sequence = desired.sequence();
  desired.clear_sequence();
  desired.set_stop(stop_);
  desired.set_acknowledged_log_sequence(log_sequence_);
  std::string content = desired.SerializeAsString();
  if (content == told_) return;
  told_ = std::move(content);
  desired.set_sequence(sequence);
  stream_->Write(desired);
}

}  // namespace hydra
