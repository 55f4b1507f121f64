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
  work_.push_back(std::move(work));
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  return done_ + work_.size();
}

bool HostThread::IsDone(uint64_t number) const {
  absl::MutexLock lock(&mu_);
  return done_ >= number;
}

void HostThread::Await(uint64_t number) {
  absl::MutexLock lock(&mu_);
  const auto is_done = [this, number]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return done_ >= number;
  };
  mu_.Await(absl::Condition(&is_done));
  const std::string failure = std::exchange(failure_, {});
  TORCH_CHECK(failure.empty(), failure);
}

void HostThread::AwaitAll() {
  uint64_t newest;
  {
    absl::MutexLock lock(&mu_);
    newest = done_ + work_.size();
  }
  Await(newest);
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
    if (failure_.empty()) failure_ = std::move(failure);
    work_.pop_front();
    ++done_;
  }
}

}  // namespace hydra
