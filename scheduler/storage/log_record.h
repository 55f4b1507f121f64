#ifndef HYDRA_SCHEDULER_STORAGE_LOG_RECORD_H_
#define HYDRA_SCHEDULER_STORAGE_LOG_RECORD_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "hydra/v1/hydra.pb.h"

// A job's log lines as lines of a file: number, time, severity, source, step,
// task and text, with tabs between them. Pure.
namespace hydra {

// With its line end. The number is the line's own, whatever `line` has.
std::string LogRecord(int64_t number, const v1::LogLine& line);

// The line of such a record, without its line end; its number is `sequence`.
// None: it is no such record.
std::optional<v1::LogLine> ParseLogRecord(absl::string_view record);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_STORAGE_LOG_RECORD_H_
