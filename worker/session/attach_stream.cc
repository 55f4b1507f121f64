#include "worker/session/attach_stream.h"

namespace hydra {

void AttachStream::Start(worker::v1::WorkerService::Stub& stub) {
  stub.async()->Attach(&context_, this);
  // Keeps gRPC from ending the call while another thread starts a write.
  AddHold();
  StartRead(&desired_);
  StartCall();
}

void AttachStream::Send() { SendReport(/*last=*/false); }

void AttachStream::SendLast() { SendReport(/*last=*/true); }

void AttachStream::SendReport(bool last) {
  {
    absl::MutexLock lock(&mu_);
    last_ = last_ || last;
    if (broken_ || closed_) return;
    if (writing_) {
      wanted_ = true;
      return;
    }
    writing_ = true;
  }
  Write();
}

grpc::Status AttachStream::status() const {
  absl::MutexLock lock(&mu_);
  return status_;
}

void AttachStream::Write() {
  endpoint_->MakeReport(report_);
  StartWrite(&report_);
}

void AttachStream::OnReadDone(bool ok) {
  if (ok) {
    endpoint_->OnDesired(desired_);
    StartRead(&desired_);
    return;
  }
  {
    absl::MutexLock lock(&mu_);
    broken_ = true;
  }
  ReleaseIfEnded();
}

void AttachStream::OnWriteDone(bool ok) {
  bool again = false;
  bool close = false;
  {
    absl::MutexLock lock(&mu_);
    broken_ = broken_ || !ok;
    again = wanted_ && !broken_;
    wanted_ = false;
    writing_ = again;
    close = last_ && !again && !broken_;
    closed_ = closed_ || close;
  }
  if (again) return Write();
  if (close) StartWritesDone();
  ReleaseIfEnded();
}

void AttachStream::ReleaseIfEnded() {
  {
    absl::MutexLock lock(&mu_);
    if (!broken_ || writing_ || released_) return;
    released_ = true;
  }
  RemoveHold();
}

void AttachStream::OnDone(const grpc::Status& status) {
  {
    absl::MutexLock lock(&mu_);
    status_ = status;
  }
  done_.Notify();
}

}  // namespace hydra
