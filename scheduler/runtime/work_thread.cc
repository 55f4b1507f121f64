#include "scheduler/runtime/work_thread.h"

#include <utility>

namespace hydra {

WorkThread::WorkThread() : thread_([this] { Loop(); }) {}

WorkThread::~WorkThread() { Stop(); }

void WorkThread::Add(Work work) {
  absl::MutexLock lock(&mu_);
  if (!stopping_) work_.push_back(std::move(work));
}

void WorkThread::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void WorkThread::Loop() {
  while (true) {
    Work work;
    {
      absl::MutexLock lock(&mu_);
      auto wake = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
        return stopping_ || !work_.empty();
      };
      mu_.Await(absl::Condition(&wake));
      if (work_.empty()) return;
      work = std::move(work_.front());
      work_.pop_front();
    }
    work();
  }
}

}  // namespace hydra
