#include "worker/exec/host_thread.h"

#include <exception>
#include <utility>

#include "c10/util/Exception.h"

namespace hydra {

HostThread::~HostThread() {
  std::thread thread;
  {
    absl::MutexLock lock(&mu_);
    ending_ = true;
    thread = std::move(thread_);
  }
  if (thread.joinable()) thread.join();
}

uint64_t HostThread::Do(absl::AnyInvocable<void()> work) {
  absl::MutexLock lock(&mu_);
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  work_.push_back(std::move(work));
  return done_ + work_.size();
}

bool HostThread::IsDone(uint64_t number) const {
  absl::MutexLock lock(&mu_);
  return done_ >= number;
}

void HostThread::Await(uint64_t after, uint64_t last) {
  absl::MutexLock lock(&mu_);
  const auto is_done = [this, last]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return done_ >= last;
  };
  mu_.Await(absl::Condition(&is_done));
  const auto failed = failures_.upper_bound(after);
  if (failed == failures_.end() || failed->first > last) return;
  TORCH_CHECK(false, failed->second);
}

void HostThread::Run() {
  const auto may_go_on = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return !work_.empty() || ending_;
  };
  while (true) {
    absl::AnyInvocable<void()>* work;
    {
      absl::MutexLock lock(&mu_);
      mu_.Await(absl::Condition(&may_go_on));
      if (work_.empty()) return;
      work = &work_.front();
    }
    std::string failure;
    try {
      (*work)();
    } catch (const c10::Error& error) {
      failure = error.what_without_backtrace();
    } catch (const std::exception& error) {
      failure = error.what();
    }
    // What it holds is dropped before anybody takes it for done.
    absl::AnyInvocable<void()>().swap(*work);
    absl::MutexLock lock(&mu_);
    work_.pop_front();
    ++done_;
    if (!failure.empty()) failures_[done_] = std::move(failure);
  }
}

}  // namespace hydra
