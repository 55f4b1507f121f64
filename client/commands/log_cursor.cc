#include "client/commands/log_cursor.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "client/render/format.h"
#include "common/status/proto_time.h"
#include "common/text/printable.h"

namespace hydra {

void LogCursor::Restart() {
  restarted_ = true;
  overlaps_ = false;
  seen_.clear();
}

bool LogCursor::Advance(const v1::LogLine& line) {
  const absl::Time time = FromProto(line.time());
  const size_t hash = std::hash<std::string>()(line.SerializeAsString());
  if (!started()) oldest_ = time;
  if (restarted_ && started()) {
    const bool is_old = time < oldest_;
    const auto shown = shown_.find(hash);
    if (is_old || (shown != shown_.end() && ++seen_[hash] <= shown->second)) {
      overlaps_ = true;
      return false;
    }
  }
  Remember(hash, time);
  return true;
}

void LogCursor::Remember(size_t hash, absl::Time time) {
  remembered_.push_back({hash, time});
  ++shown_[hash];
  if (remembered_.size() <= kMostRemembered) return;
  const Shown& forgotten = remembered_.front();
  oldest_ = std::max(oldest_, forgotten.time);
  if (--shown_[forgotten.hash] == 0) shown_.erase(forgotten.hash);
  remembered_.pop_front();
}

std::string LogText(const v1::LogLine& line, absl::TimeZone zone) {
  const std::string step =
      line.step() < 0 ? "" : absl::StrCat(" step ", line.step());
  return absl::StrCat(
      absl::FormatTime("%Y-%m-%d %H:%M:%E3S", FromProto(line.time()), zone),
      " ", Printable(line.severity()), " ", Printable(line.source()), step,
      ": ", Printable(line.text()));
}

}  // namespace hydra
