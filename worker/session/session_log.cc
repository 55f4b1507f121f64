#include "worker/session/session_log.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "glog/logging.h"

namespace hydra {
namespace {

std::string WithContext(const LogContext& context, absl::string_view text) {
  const std::string step =
      context.step < 0 ? "" : absl::StrCat(" step=", context.step);
  return absl::StrCat("job=", context.job.value(), step,
                      " task=", context.task.value(), " ", text);
}

}  // namespace

void SessionLog::Log(LogSeverity severity, const LogContext& context,
                     absl::string_view text) {
  const std::string line = WithContext(context, text);
  switch (severity) {
    case LogSeverity::kInfo:
      LOG(INFO) << line;
      break;
    case LogSeverity::kWarning:
      LOG(WARNING) << line;
      break;
    case LogSeverity::kError:
      LOG(ERROR) << line;
      break;
  }
  buffer_->Add(severity, context, text, absl::Now());
}

}  // namespace hydra
