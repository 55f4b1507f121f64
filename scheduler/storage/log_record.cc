#include "scheduler/storage/log_record.h"

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace hydra {
namespace {

constexpr int64_t kNanos = 1'000'000'000;

std::string Escaped(absl::string_view text) {
  return absl::StrReplaceAll(
      text, {{"\\", "\\\\"}, {"\n", "\\n"}, {"\r", "\\r"}, {"\t", "\\t"}});
}

std::string Unescaped(absl::string_view text) {
  return absl::StrReplaceAll(
      text, {{"\\\\", "\\"}, {"\\n", "\n"}, {"\\r", "\r"}, {"\\t", "\t"}});
}

}  // namespace

std::string LogRecord(int64_t number, const v1::LogLine& line) {
  return absl::StrCat(number, "\t", line.time().seconds(), ".",
                      absl::Dec(line.time().nanos(), absl::kZeroPad9), "\t",
                      Escaped(line.severity()), "\t", Escaped(line.source()),
                      "\t", line.step(), "\t", line.task_id(), "\t",
                      Escaped(line.text()), "\n");
}

std::optional<v1::LogLine> ParseLogRecord(absl::string_view record) {
  const std::vector<absl::string_view> parts = absl::StrSplit(record, '\t');
  if (parts.size() != 7) return std::nullopt;
  const std::vector<absl::string_view> time = absl::StrSplit(parts[1], '.');
  int64_t number;
  int64_t seconds;
  int32_t nanos;
  int64_t step;
  uint64_t task;
  if (time.size() != 2 || !absl::SimpleAtoi(parts[0], &number) ||
      !absl::SimpleAtoi(time[0], &seconds) ||
      !absl::SimpleAtoi(time[1], &nanos) || nanos < 0 || nanos >= kNanos ||
      !absl::SimpleAtoi(parts[4], &step) ||
      !absl::SimpleAtoi(parts[5], &task)) {
    return std::nullopt;
  }
  v1::LogLine line;
  line.set_sequence(number);
  line.mutable_time()->set_seconds(seconds);
  line.mutable_time()->set_nanos(nanos);
  line.set_severity(Unescaped(parts[2]));
  line.set_source(Unescaped(parts[3]));
  line.set_step(step);
  line.set_task_id(task);
  line.set_text(Unescaped(parts[6]));
  return line;
}

}  // namespace hydra
