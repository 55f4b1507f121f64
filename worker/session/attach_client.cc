#include "worker/session/attach_client.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/clock/steady_time.h"
#include "common/failpoint/fail_point.h"
#include "common/protocol/message_size.h"
#include "common/protocol/task_format.h"
#include "glog/logging.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"

namespace hydra {
namespace {

using worker::v1::DesiredState;
using worker::v1::DeviceStatus;
using worker::v1::TaskReport;
using worker::v1::WorkerReport;
using worker::v1::WorkerService;

// What one report carries of a long log.
constexpr int64_t kMaxLogBytes = 64 << 10;
// How long the daemon may take to end the stream that the worker is done with.
constexpr absl::Duration kFarewell = absl::Seconds(1);

// A new connection each time: a shared one would keep to gRPC's own, longer
// pauses between attempts.
std::unique_ptr<WorkerService::Stub> Connect(const std::string& daemon) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxWorkerMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxWorkerMessageBytes);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return WorkerService::NewStub(grpc::CreateCustomChannel(
      daemon, grpc::InsecureChannelCredentials(), arguments));
}

std::string Describe(const grpc::Status& status) {
  return absl::StrCat("code ", status.error_code(), " ",
                      status.error_message());
}

}  // namespace

AttachClient::AttachClient(Options options, LogBuffer* log)
    : options_(std::move(options)), log_(log) {}

absl::Status AttachClient::Run(Runner run) {
  {
    absl::MutexLock lock(&mu_);
    compute_clock_.emplace();
    unanswered_since_ = SteadyNow();
  }
  std::thread attached(&AttachClient::StayAttached, this);
  std::thread host([this, run] { RunLane(Lane::kHost, run); });
  std::thread written(&AttachClient::EndWritten, this);
  RunLane(Lane::kDevice, run);
  host.join();
  {
    absl::MutexLock lock(&mu_);
    lanes_ended_ = true;
  }
  written.join();
  Detach();
  attached.join();
  absl::MutexLock lock(&mu_);
  return lost_;
}

LatencyRecorder AttachClient::control_latency() const {
  absl::MutexLock lock(&mu_);
  return control_latency_;
}

std::optional<TaskQueue::BegunTask> AttachClient::NextDeviceTask(
    int index) const {
  absl::MutexLock lock(&mu_);
  const TaskQueue::BegunTask* const next = queue_.Next(Lane::kDevice, index);
  return next == nullptr ? std::nullopt : std::optional(*next);
}

void AttachClient::RunLane(Lane lane, Runner run) {
  do {
    while (const auto begun = Begin(lane)) {
      // One report tells of the task before and of this one.
      Send();
      Outcome outcome = run(begun->task, *begun->job, *begun->control);
      outcome.report.set_task_id(begun->task.task_id());
      FailPoint("worker.before_report", begun->task.job_id());
      EndLane(lane, std::move(outcome));
    }
    Send();
  } while (AwaitTask(lane));
}

void AttachClient::EndLane(Lane lane, Outcome outcome) {
  {
    absl::MutexLock lock(&mu_);
    if (lane == Lane::kDevice) compute_clock_->EndTask(SteadyNow());
    // Reports keep the order of the tasks, which may follow on each other.
    if (outcome.finish || (lane == Lane::kDevice && queue_.has_computed())) {
      queue_.Compute(lane);
      unwritten_.push_back(std::move(outcome));
      return;
    }
  }
  End(std::move(outcome.report));
}

void AttachClient::End(TaskReport report) {
  absl::MutexLock lock(&mu_);
  queue_.Finish(std::move(report));
  end_untold_ = true;
}

void AttachClient::EndWritten() {
  const auto may_go_on = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return !unwritten_.empty() || lanes_ended_;
  };
  while (true) {
    std::optional<Outcome> outcome;
    {
      absl::MutexLock lock(&mu_);
      mu_.Await(absl::Condition(&may_go_on));
      if (unwritten_.empty()) return;
      outcome = std::move(unwritten_.front());
      unwritten_.pop_front();
    }
    if (outcome->finish) outcome->finish(outcome->report);
    End(std::move(outcome->report));
    Send();
  }
}

std::optional<TaskQueue::BegunTask> AttachClient::Begin(Lane lane) {
  absl::MutexLock lock(&mu_);
  if (!lost_.ok() || !MayBegin(lane)) return std::nullopt;
  const absl::Time now = SteadyNow();
  auto begun = queue_.Begin(lane, now);
  if (begun && lane == Lane::kDevice) compute_clock_->BeginTask(now);
  return begun;
}

bool AttachClient::AwaitTask(Lane lane) {
  const auto may_go_on = [this, lane]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return MayBegin(lane) || queue_.stopping() || !lost_.ok();
  };
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(&may_go_on));
  return lost_.ok() && !queue_.stopping();
}

bool AttachClient::MayBegin(Lane lane) const {
  return answered_ && queue_.CanBegin(lane);
}

void AttachClient::Detach() {
  RefreshDeviceStatus();
  // First: a stream that is published later sees it.
  detaching_.Notify();
  std::shared_ptr<AttachStream> stream;
  {
    absl::MutexLock lock(&mu_);
    stream = stream_;
  }
  if (stream == nullptr) return;
  stream->SendLast();
  if (!stream->WaitForEnd(kFarewell)) stream->Cancel();
}

void AttachClient::StayAttached() {
  absl::Duration backoff = options_.min_backoff;
  while (true) {
    const StreamEnd end = FollowOneStream();
    if (detaching_.HasHappened()) return;
    if (absl::Status lost = WhyLost(end.status); !lost.ok()) {
      options_.on_lost(lost);
      absl::MutexLock lock(&mu_);
      lost_ = std::move(lost);
      queue_.StopBegun();
      return;
    }
    if (end.answered) backoff = options_.min_backoff;
    LOG(WARNING) << "the stream to " << options_.daemon << " ended ("
                 << Describe(end.status) << "); connecting again in "
                 << backoff;
    if (detaching_.WaitFor(backoff)) return;
    backoff = std::min(2 * backoff, options_.max_backoff);
  }
}

AttachClient::StreamEnd AttachClient::FollowOneStream() {
  RefreshDeviceStatus();
  const std::unique_ptr<WorkerService::Stub> stub = Connect(options_.daemon);
  const auto stream = std::make_shared<AttachStream>(
      static_cast<AttachStream::Endpoint*>(this));
  stream->Start(*stub);
  Publish(stream);
  if (detaching_.HasHappened()) stream->Cancel();
  // Not before it is published: a change in between would be told of late.
  stream->Send();
  while (!stream->WaitForEnd(options_.heartbeat)) {
    if (IsOutOfPatience()) stream->Cancel();
    RefreshDeviceStatus();
    stream->Send();
  }
  const bool answered = Unpublish();
  return {stream->status(), answered};
}

absl::Status AttachClient::WhyLost(const grpc::Status& ended) const {
  if (ended.error_code() == grpc::StatusCode::PERMISSION_DENIED) {
    return absl::PermissionDeniedError(
        absl::StrCat("the daemon at ", options_.daemon,
                     " refuses this worker: ", ended.error_message()));
  }
  if (IsOutOfPatience()) {
    return absl::UnavailableError(absl::StrCat(
        "no daemon has answered at ", options_.daemon, " for ",
        absl::FormatDuration(options_.patience), "; last: ", Describe(ended)));
  }
  return absl::OkStatus();
}

bool AttachClient::IsOutOfPatience() const {
  absl::MutexLock lock(&mu_);
  return !answered_ && SteadyNow() - unanswered_since_ >= options_.patience;
}

void AttachClient::Publish(std::shared_ptr<AttachStream> stream) {
  absl::MutexLock lock(&mu_);
  stream_ = std::move(stream);
}

bool AttachClient::Unpublish() {
  absl::MutexLock lock(&mu_);
  stream_ = nullptr;
  if (answered_) unanswered_since_ = SteadyNow();
  return std::exchange(answered_, false);
}

void AttachClient::Send() {
  std::shared_ptr<AttachStream> stream;
  {
    absl::MutexLock lock(&mu_);
    stream = stream_;
  }
  if (stream != nullptr) stream->Send();
}

void AttachClient::RefreshDeviceStatus() {
  absl::MutexLock one_at_a_time(&device_status_mu_);
  DeviceStatus status = options_.device_status();
  absl::MutexLock lock(&mu_);
  device_status_ = std::move(status);
}

void AttachClient::MakeReport(WorkerReport& report) {
  report.set_session(options_.session);
  report.set_task_format(kTaskFormat);
  report.clear_log_lines();
  {
    absl::MutexLock lock(&mu_);
    const absl::Time now = SteadyNow();
    queue_.FillReport(report, now);
    *report.mutable_device() = device_status_;
    options_.fill_status(*report.mutable_device());
    compute_clock_->Fill(now, *report.mutable_device());
    if (std::exchange(end_untold_, false) && !told_at_) told_at_ = now;
  }
  // After the ended tasks, so that their last lines go with them: nobody waits
  // for lines of a job that has ended.
  log_->Fill(kMaxLogBytes, report);
}

void AttachClient::OnDesired(const DesiredState& desired) {
  {
    absl::MutexLock lock(&mu_);
    const bool brings_new_task = queue_.BringsNewTask(desired);
    if (!queue_.ApplyDesired(desired)) return;
    answered_ = true;
    if (brings_new_task && told_at_) {
      control_latency_.Add(SteadyNow() - *told_at_);
      told_at_.reset();
    }
  }
  log_->Acknowledge(desired.acknowledged_log_sequence());
  Send();
}

}  // namespace hydra
