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
  Stream(WorkerStreams* owner, pid_t pid) : owner_(owner), pid_(pid) {}

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
    if (worker_ == WorkerId()) {
      const absl::StatusOr<WorkerId> worker =
          owner_->Register(report_.session(), pid_, self_);
      if (!worker.ok()) {
        Close({static_cast<grpc::StatusCode>(worker.status().code()),
               std::string(worker.status().message())});
        return;
      }
      worker_ = *worker;
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
  const pid_t pid_;
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
  auto stream = std::make_shared<Stream>(this, pid_of_peer_(context->peer()));
  Stream* const reactor = stream.get();
  reactor->Begin(std::move(stream));
  return reactor;
}

void WorkerStreams::Expect(WorkerId worker, const std::string& session,
                           pid_t pid) {
  std::shared_ptr<Stream> older;
  {
    absl::MutexLock lock(&mu_);
    expected_[worker] = {session, pid};
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

void WorkerStreams::Started(WorkerId worker, pid_t pid) {
  absl::MutexLock lock(&mu_);
  expected_[worker].pid = pid;
}

absl::StatusOr<WorkerId> WorkerStreams::OwnerOf(const std::string& session,
                                                pid_t pid) const {
  for (const auto& [id, expected] : expected_) {
    if (expected.session != session) continue;
    if (expected.pid == 0) {
      return absl::UnavailableError("the worker is being started");
    }
    if (expected.pid == pid) return id;
    LOG(WARNING) << "process " << pid << " has the session of the worker that "
                 << "is process " << expected.pid << ", and is refused";
  }
  return absl::PermissionDeniedError(
      "this daemon started no worker with this session");
}

absl::StatusOr<WorkerId> WorkerStreams::Register(
    const std::string& session, pid_t pid, std::shared_ptr<Stream> stream) {
  std::shared_ptr<Stream> older;
  absl::StatusOr<WorkerId> worker;
  {
    absl::MutexLock lock(&mu_);
    worker = OwnerOf(session, pid);
    if (!worker.ok()) return worker;
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
  return worker;
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
    expected_.clear();
  }
  for (const auto& [worker, stream] : streams) {
    stream->Close(grpc::Status::OK);
  }
}

}  // namespace hydra
