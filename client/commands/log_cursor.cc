#include "client/commands/log_cursor.h"

#include "absl/strings/str_cat.h"
#include "client/render/format.h"
#include "common/status/proto_time.h"

namespace hydra {

bool LogCursor::Advance(const v1::LogLine& line) {
  const absl::Time time = FromProto(line.time());
  if (time < newest_) return false;
  if (time > newest_) {
    newest_ = time;
    shown_of_newest_ = 0;
    seen_of_newest_ = 0;
  }
  if (++seen_of_newest_ <= shown_of_newest_) return false;
  shown_of_newest_ = seen_of_newest_;
  return true;
}

std::string LogText(const v1::LogLine& line, absl::TimeZone zone) {
  const std::string step =
      line.step() < 0 ? "" : absl::StrCat(" step ", line.step());
  return absl::StrCat(
      absl::FormatTime("%Y-%m-%d %H:%M:%E3S", FromProto(line.time()), zone),
      " ", EscapeControl(line.severity()), " ", EscapeControl(line.source()),
      step, ": ", EscapeControl(line.text()));
}

}  // namespace hydra
