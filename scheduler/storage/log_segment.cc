#include "scheduler/storage/log_segment.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/file/file.h"
#include "scheduler/storage/log_record.h"

namespace hydra {

std::string ToString(const LogSegmentName& name) {
  return absl::StrFormat("j%d.%020d.log", name.job.value(), name.first);
}

std::optional<LogSegmentName> ParseLogSegmentName(absl::string_view name) {
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '.');
  uint64_t job;
  LogSegmentName parsed;
  if (parts.size() != 3 || parts[2] != "log" ||
      !absl::SimpleAtoi(absl::StripPrefix(parts[0], "j"), &job) ||
      !absl::SimpleAtoi(parts[1], &parsed.first)) {
    return std::nullopt;
  }
  parsed.job = JobId(job);
  if (ToString(parsed) != name) return std::nullopt;
  return parsed;
}

absl::StatusOr<LogPiece> ReadLogPiece(const std::string& path, LogPlace place,
                                      int64_t bytes, int64_t most_bytes) {
  LogPiece piece;
  piece.end = place;
  if (place.offset_bytes >= bytes) return piece;
  const absl::StatusOr<UniqueFd> file = OpenRegularFile(path);
  if (!file.ok()) return file.status();
  std::string text;
  // A line may be longer than asked for.
  for (int64_t wanted = most_bytes;; wanted *= 2) {
    text.resize(std::min(wanted, bytes - place.offset_bytes));
    absl::Status read =
        ReadExactly(*file, path, place.offset_bytes,
                    static_cast<int64_t>(text.size()), text.data());
    if (!read.ok()) return read;
    const bool is_all =
        place.offset_bytes + static_cast<int64_t>(text.size()) == bytes;
    if (is_all || text.find('\n') != std::string::npos) break;
  }
  absl::string_view rest = text;
  while (true) {
    const size_t length = rest.find('\n');
    if (length == absl::string_view::npos) {
      // In the middle of the file it only did not fit any more.
      piece.is_broken =
          !rest.empty() &&
          place.offset_bytes + static_cast<int64_t>(text.size()) == bytes;
      return piece;
    }
    std::optional<v1::LogLine> line = ParseLogRecord(rest.substr(0, length));
    if (!line.has_value() || line->sequence() != piece.end.number) {
      piece.is_broken = true;
      return piece;
    }
    piece.lines.push_back(
        std::make_shared<const v1::LogLine>(*std::move(line)));
    ++piece.end.number;
    piece.end.offset_bytes += static_cast<int64_t>(length) + 1;
    rest.remove_prefix(length + 1);
  }
}

absl::Status AppendToLogSegment(const std::string& path, int64_t bytes,
                                absl::string_view records) {
  const int make = bytes == 0 ? O_CREAT : 0;
  const UniqueFd file(
      open(path.c_str(), O_WRONLY | make | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.is_open()) {
    return FileError(errno, absl::StrCat("cannot open ", path));
  }
  const absl::StatusOr<int64_t> there = FileBytes(file, path);
  if (!there.ok()) return there.status();
  if (*there < bytes) {
    return absl::AbortedError(
        absl::StrCat(path, " has ", *there, " B where ", bytes, " B were"));
  }
  if (*there > bytes && ftruncate(file.get(), bytes) != 0) {
    return FileError(errno, absl::StrCat("cannot shorten ", path));
  }
  absl::Status written = WriteExactly(
      file, path, bytes, static_cast<int64_t>(records.size()), records.data());
  if (!written.ok() && ftruncate(file.get(), bytes) != 0) {
    return FileError(errno, absl::StrCat("cannot shorten ", path,
                                         " after: ", written.message()));
  }
  return written;
}

}  // namespace hydra
