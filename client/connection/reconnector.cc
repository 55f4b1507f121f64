#include "client/connection/reconnector.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/render/format.h"
#include "common/clock/steady_time.h"

namespace hydra {
namespace {

// A server that stops may also cancel a stream, end it early (OK), or cut it in
// the middle of a frame, which gRPC reports as UNKNOWN.
bool ServerMayHaveGone(absl::StatusCode code) {
  return code == absl::StatusCode::kUnavailable ||
         code == absl::StatusCode::kCancelled ||
         code == absl::StatusCode::kUnknown || code == absl::StatusCode::kOk;
}

}  // namespace

Reconnector::Reconnector(const ReconnectPolicy& policy,
                         const Interrupt* interrupt,
                         std::function<void(const std::string&)> notice)
    : policy_(policy),
      interrupt_(interrupt),
      notice_(std::move(notice)),
      pause_(policy.first_pause) {}

void Reconnector::Connected() {
  if (away_since_ != absl::InfiniteFuture()) notice_("connected again");
  away_since_ = absl::InfiniteFuture();
  pause_ = policy_.first_pause;
}

absl::Status Reconnector::WaitToRetry(const absl::Status& status) {
  if (interrupt_->triggered()) return absl::CancelledError("interrupted");
  if (!ServerMayHaveGone(status.code())) return status;
  const std::string reason(status.ok() ? "the server ended the stream"
                                       : status.message());
  const absl::Time now = SteadyNow();
  const bool first = away_since_ == absl::InfiniteFuture();
  if (first) away_since_ = now;
  const absl::Duration left = away_since_ + policy_.give_up_after - now;
  if (left <= absl::ZeroDuration()) {
    return absl::UnavailableError(absl::StrCat("lost the server: ", reason));
  }
  if (first) {
    notice_(absl::StrCat("lost the server, trying again for ",
                         DurationText(left), ": ", reason));
  }
  if (interrupt_->WaitFor(std::min(pause_, left))) {
    return absl::CancelledError("interrupted");
  }
  pause_ = std::min(2 * pause_, policy_.longest_pause);
  return absl::OkStatus();
}

}  // namespace hydra
