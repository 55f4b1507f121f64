#ifndef HYDRA_SCHEDULER_STORAGE_LOG_SEGMENT_H_
#define HYDRA_SCHEDULER_STORAGE_LOG_SEGMENT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/ids/ids.h"
#include "hydra/v1/hydra.pb.h"

// A file with some of a job's log lines, whose numbers follow each other. Its
// name says the job and the first number. Blocks on the disk.
namespace hydra {

struct LogSegmentName {
  JobId job;
  int64_t first = 0;
};
// "j12.00000000000000000001.log".
std::string ToString(const LogSegmentName& name);
// None: it is no such file.
std::optional<LogSegmentName> ParseLogSegmentName(absl::string_view name);

// A place in a segment: behind it comes the line with this number.
struct LogPlace {
  int64_t number = 0;
  int64_t offset_bytes = 0;
};

struct LogPiece {
  using LinePtr = std::shared_ptr<const v1::LogLine>;
  std::vector<LinePtr> lines;
  // Behind them.
  LogPlace end;
  // What comes there is no line with the next number: it was broken off, or is
  // damaged.
  bool is_broken = false;
};

// Lines from `place` on, as they lie in the file's first `bytes`: about
// `most_bytes` of them, but at least one if there is one.
//
// NOT_FOUND: there is no such file any more. Others: what the system said.
absl::StatusOr<LogPiece> ReadLogPiece(const std::string& path, LogPlace place,
                                      int64_t bytes, int64_t most_bytes);

// Writes records behind the file's first `bytes`; what else is there goes. For
// 0 it makes the file, for its owner alone, if there is none.
//
// NOT_FOUND, ABORTED: somebody removed or shortened it; begin another one.
// After an error the file ends there as before, unless that fails, too.
absl::Status AppendToLogSegment(const std::string& path, int64_t bytes,
                                absl::string_view records);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_STORAGE_LOG_SEGMENT_H_
