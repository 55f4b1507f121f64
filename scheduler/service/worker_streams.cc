#include "scheduler/service/worker_streams.h"

#include <optional>
#include <utility>

#include "glog/logging.h"

namespace hydra {

namespace wv1 = hydra::worker::v1;

// Keeps itself alive until gRPC is done with it.
class WorkerStreams::Stream final
    : public grpc::ServerBidiReactor<wv1::WorkerReport, wv1::DesiredState> {
 public:
  explicit Stream(WorkerStreams* owner) : owner_(owner) {}

  void Begin(std::shared_ptr<Stream> self) {
    self_ = std::move(self);
    StartRead(&report_);
  }

  void Send(const wv1::DesiredState& desired) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    if (finished_) return;
    if (writing_) {
      newest_ = desired;
      return;
    }
    written_ = desired;
    writing_ = true;
    StartWrite(&written_);
  }

  void Close(grpc::Status status) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    if (std::exchange(finished_, true)) return;
    Finish(std::move(status));
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      Close(grpc::Status::OK);
      return;
    }
    if (worker_ == WorkerId() &&
        !owner_->Register(report_.session(), self_, &worker_)) {
      Close({grpc::StatusCode::PERMISSION_DENIED,
             "this daemon started no worker with this session"});
      return;
    }
    if (owner_->IsCurrent(worker_, this)) {
      owner_->core_->Post([worker = worker_, report = std::move(report_)](
                              Core& core, absl::Time now) {
        core.WorkerReported(worker, report, now);
      });
    }
    report_.Clear();
    StartRead(&report_);
  }

  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    writing_ = false;
    if (!ok || finished_ || !newest_.has_value()) return;
    written_ = *std::exchange(newest_, std::nullopt);
    writing_ = true;
    StartWrite(&written_);
  }

  void OnDone() override {
    if (worker_ != WorkerId()) owner_->Unregister(worker_, this);
    // May be the last reference.
    const std::shared_ptr<Stream> self = std::move(self_);
  }

 private:
  WorkerStreams* const owner_;
  // Only touched between OnReadDone and the next StartRead, and in OnDone.
  WorkerId worker_;
  wv1::WorkerReport report_;
  std::shared_ptr<Stream> self_;

  absl::Mutex mu_;
  wv1::DesiredState written_ ABSL_GUARDED_BY(mu_);
  std::optional<wv1::DesiredState> newest_ ABSL_GUARDED_BY(mu_);
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
};

grpc::ServerBidiReactor<wv1::WorkerReport, wv1::DesiredState>*
WorkerStreams::Attach(grpc::CallbackServerContext* context) {
  auto stream = std::make_shared<Stream>(this);
  Stream* const reactor = stream.get();
  reactor->Begin(std::move(stream));
  return reactor;
}

void WorkerStreams::Expect(WorkerId worker, const std::string& session) {
  std::shared_ptr<Stream> older;
  {
    absl::MutexLock lock(&mu_);
    sessions_[worker] = session;
    auto found = streams_.find(worker);
    if (found != streams_.end()) {
      older = std::move(found->second);
      streams_.erase(found);
    }
  }
  if (older != nullptr) {
    older->Close({grpc::StatusCode::ABORTED, "the worker was started again"});
  }
}

bool WorkerStreams::Register(const std::string& session,
                             std::shared_ptr<Stream> stream, WorkerId* worker) {
  std::shared_ptr<Stream> older;
  {
    absl::MutexLock lock(&mu_);
    for (const auto& [id, expected] : sessions_) {
      if (expected == session) *worker = id;
    }
    if (*worker == WorkerId()) return false;
    older = std::exchange(streams_[*worker], std::move(stream));
  }
  if (older != nullptr) {
    older->Close(
        {grpc::StatusCode::ABORTED, "a newer stream of this worker took over"});
  }
  // What was on its way on an older stream is lost; the core sends all again.
  core_->Post([id = *worker](Core& core, absl::Time now) {
    core.WorkerStreamEnded(id, now);
  });
  return true;
}

bool WorkerStreams::IsCurrent(WorkerId worker, const Stream* stream) {
  absl::MutexLock lock(&mu_);
  auto found = streams_.find(worker);
  return found != streams_.end() && found->second.get() == stream;
}

void WorkerStreams::Unregister(WorkerId worker, const Stream* stream) {
  {
    absl::MutexLock lock(&mu_);
    auto found = streams_.find(worker);
    if (found == streams_.end() || found->second.get() != stream) return;
    streams_.erase(found);
  }
  core_->Post([worker](Core& core, absl::Time now) {
    core.WorkerStreamEnded(worker, now);
  });
}

void WorkerStreams::Send(WorkerId worker, const wv1::DesiredState& desired) {
  std::shared_ptr<Stream> stream;
  {
    absl::MutexLock lock(&mu_);
    auto found = streams_.find(worker);
    if (found == streams_.end()) return;
    stream = found->second;
  }
  stream->Send(desired);
}

void WorkerStreams::CloseAll() {
  absl::flat_hash_map<WorkerId, std::shared_ptr<Stream>> streams;
  {
    absl::MutexLock lock(&mu_);
    streams = streams_;
    sessions_.clear();
  }
  for (const auto& [worker, stream] : streams) {
    stream->Close(grpc::Status::OK);
  }
}

}  // namespace hydra
