#include "worker/session/log_buffer.h"

#include <string>
#include <utility>

#include "common/status/proto_time.h"
#include "common/text/utf8.h"

namespace hydra {
namespace {

using worker::v1::JobLogLine;

const char* Letter(LogSeverity severity) {
  switch (severity) {
    case LogSeverity::kInfo:
      return "I";
    case LogSeverity::kWarning:
      return "W";
    case LogSeverity::kError:
      return "E";
  }
  return "E";
}

// A protobuf string must be UTF-8: one bad byte, perhaps quoted from a user's
// file, would make the daemon refuse the whole message.
std::string CutUtf8(absl::string_view text, int64_t max_bytes) {
  std::string storage;
  const absl::string_view valid = RepairUtf8(text, &storage);
  if (valid.size() <= max_bytes) return std::string(valid);
  int64_t end = max_bytes;
  while (end > 0 && (valid[end] & 0xC0) == 0x80) --end;
  return std::string(valid.substr(0, end));
}

}  // namespace

void LogBuffer::Add(LogSeverity severity, const LogContext& context,
                    absl::string_view text, absl::Time now) {
  JobLogLine line;
  line.set_job_id(context.job.value());
  *line.mutable_time() = ToProto(now);
  line.set_severity(Letter(severity));
  line.set_step(context.step);
  line.set_task_id(context.task.value());
  line.set_text(CutUtf8(text, options_.max_bytes));
  const int64_t line_bytes = line.text().size();

  absl::MutexLock lock(&mu_);
  line.set_sequence(next_sequence_++);
  while (!lines_.empty() && (lines_.size() >= options_.max_lines ||
                             bytes_ + line_bytes > options_.max_bytes)) {
    DropOldest();
  }
  line.set_dropped_before(std::exchange(dropped_, 0));
  bytes_ += line_bytes;
  lines_.push_back(std::move(line));
}

void LogBuffer::Acknowledge(uint64_t sequence) {
  absl::MutexLock lock(&mu_);
  while (!lines_.empty() && lines_.front().sequence() <= sequence) {
    bytes_ -= lines_.front().text().size();
    lines_.pop_front();
  }
}

void LogBuffer::Fill(int64_t max_bytes,
                     worker::v1::WorkerReport& report) const {
  absl::MutexLock lock(&mu_);
  int64_t bytes = 0;
  for (const JobLogLine& line : lines_) {
    bytes += line.text().size();
    if (bytes > max_bytes && report.log_lines_size() > 0) break;
    *report.add_log_lines() = line;
  }
}

void LogBuffer::DropOldest() {
  const JobLogLine& oldest = lines_.front();
  const int64_t lost = oldest.dropped_before() + 1;
  bytes_ -= oldest.text().size();
  lines_.pop_front();
  if (lines_.empty()) {
    dropped_ = lost;
  } else {
    lines_.front().set_dropped_before(lost);
  }
}

}  // namespace hydra
