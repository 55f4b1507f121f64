#include "scheduler/core/lane_window.h"

#include <algorithm>

#include "common/status/proto_time.h"

namespace hydra {
namespace {

constexpr absl::Duration kWindow = absl::Seconds(5);
// A worker with short tasks reports very often.
constexpr absl::Duration kSpacing = absl::Milliseconds(250);
// Of less than that nothing is told: a report may be late.
constexpr absl::Duration kLeast = absl::Seconds(1);

std::optional<double> Share(const std::optional<absl::Duration>& from,
                            const std::optional<absl::Duration>& to,
                            absl::Duration length) {
  if (!from.has_value() || !to.has_value()) return std::nullopt;
  return std::clamp(absl::FDivDuration(*to - *from, length), 0.0, 1.0);
}

}  // namespace

void LaneWindow::Clear() {
  newest_ = Sample();
  earlier_.clear();
}

void LaneWindow::Add(absl::Time now, const worker::v1::DeviceStatus& status) {
  newest_ = Sample();
  newest_.at = now;
  if (status.has_copy_wait()) {
    newest_.compute = FromProto(status.busy()) - FromProto(status.copy_wait());
  }
  if (status.has_promote()) newest_.promote = FromProto(status.promote());
  if (status.has_demote()) newest_.demote = FromProto(status.demote());
  if (earlier_.empty() || now - earlier_.back().at >= kSpacing) {
    earlier_.push_back(newest_);
  }
  while (earlier_.size() > 1 && now - earlier_[1].at >= kWindow) {
    earlier_.pop_front();
  }
}

LaneWindow::Shares LaneWindow::Now() const {
  if (earlier_.empty()) return {};
  const Sample& begin = earlier_.front();
  const absl::Duration length = newest_.at - begin.at;
  if (length < kLeast) return {};
  return {Share(begin.compute, newest_.compute, length),
          Share(begin.promote, newest_.promote, length),
          Share(begin.demote, newest_.demote, length)};
}

}  // namespace hydra
