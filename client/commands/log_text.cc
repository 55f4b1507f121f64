#include "client/commands/log_text.h"

#include "absl/strings/str_cat.h"
#include "common/status/proto_time.h"
#include "common/text/printable.h"

namespace hydra {

std::string LogText(const v1::LogLine& line, absl::TimeZone zone) {
  const std::string step =
      line.step() < 0 ? "" : absl::StrCat(" step ", line.step());
  return absl::StrCat(
      absl::FormatTime("%Y-%m-%d %H:%M:%E3S", FromProto(line.time()), zone),
      " ", Printable(line.severity()), " ", Printable(line.source()), step,
      ": ", Printable(line.text()));
}

}  // namespace hydra
