#include "tests/chaos/submitter.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/e2e/cluster.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr absl::Duration kDeadline = absl::Seconds(60);
constexpr absl::Duration kRetryPause = absl::Milliseconds(5);

}  // namespace

Submitter::Submitter(Options options) : options_(std::move(options)) {
  for (int i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([this, i] { Submit(i); });
  }
}

Submitter::~Submitter() { Stop(); }

void Submitter::Stop() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::vector<Submitter::Acknowledged> Submitter::AcknowledgedFrom(
    size_t first) const {
  absl::MutexLock lock(&mu_);
  return {acknowledged_.begin() + first, acknowledged_.end()};
}

void Submitter::Submit(int thread) {
  auto stub = ConnectTo(options_.address);
  v1::SubmitRequest request = options_.request;
  for (int64_t count = 0; !stopping_; ++count) {
    Acknowledged acknowledged;
    acknowledged.request_id = absl::StrCat("c", thread, "-", count);
    request.set_request_id(acknowledged.request_id);
    request.mutable_job()->set_name(acknowledged.request_id);
    v1::SubmitResponse response;
    const absl::Time start = absl::Now();
    while (true) {
      grpc::ClientContext context;
      context.set_deadline(absl::ToChronoTime(absl::Now() + kDeadline));
      if (stub->Submit(&context, request, &response).ok()) break;
      ++failed_calls_;
      absl::SleepFor(kRetryPause);
      // One that could not connect waits before it tries again.
      stub = ConnectTo(options_.address);
    }
    acknowledged.milliseconds = absl::ToDoubleMilliseconds(absl::Now() - start);
    acknowledged.sweep_id = response.sweep_id();
    for (const v1::JobStatus& job : response.jobs()) {
      acknowledged.job_ids.push_back(job.job_id());
    }
    absl::MutexLock lock(&mu_);
    acknowledged_.push_back(std::move(acknowledged));
  }
}

}  // namespace hydra
