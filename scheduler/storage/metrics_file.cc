#include "scheduler/storage/metrics_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/file/file.h"
#include "scheduler/storage/metrics_line.h"

namespace hydra {
namespace {

// A longer line is none of ours.
constexpr int64_t kMostLineBytes = 4096;

// A line of a file: where it begins, and where the next one does.
struct Extent {
  int64_t begin;
  int64_t end;
};

// The part of an open file that nothing is known of yet.
class LineSearch {
 public:
  LineSearch(const UniqueFd& file, const std::string& path, int64_t bytes)
      : file_(file), path_(path), unknown_{0, bytes} {}

  // Where the lines end that `row_at` has.
  absl::StatusOr<MetricsFileEnd> FindEnd(RowAt row_at) {
    MetricsFileEnd end;
    while (unknown_.begin < unknown_.end) {
      Extent line;
      absl::StatusOr<std::string> text = LineInTheMiddle(line);
      if (!text.ok()) return text.status();
      const std::optional<int64_t> place = PlaceOfLine(*text);
      std::optional<MetricsRow> row;
      if (place.has_value()) {
        absl::StatusOr<std::optional<MetricsRow>> found = row_at(*place);
        if (!found.ok()) return found.status();
        row = *std::move(found);
      }
      if (row.has_value() && IsLineOf(*text, *row)) {
        end = {line.end, *place + 1};
        unknown_.begin = line.end;
      } else {
        unknown_.end = line.begin;
      }
    }
    return end;
  }

 private:
  // The line around the middle of what is unknown, without its line end. Empty
  // if it has none, or is too long.
  absl::StatusOr<std::string> LineInTheMiddle(Extent& line) {
    const int64_t middle = unknown_.begin + (unknown_.end - unknown_.begin) / 2;
    const int64_t first = std::max(unknown_.begin, middle - kMostLineBytes);
    const int64_t last = std::min(unknown_.end, middle + kMostLineBytes);
    std::string around(last - first, '\0');
    absl::Status read =
        ReadExactly(file_, path_, first, last - first, around.data());
    if (!read.ok()) return read;
    size_t begin = 0;
    if (middle > first) {
      // npos + 1 is 0.
      begin = around.rfind('\n', middle - first - 1) + 1;
    }
    const size_t end = around.find('\n', middle - first);
    line.begin = first + static_cast<int64_t>(begin);
    if (end == std::string::npos) {
      line.end = last;
      return "";
    }
    line.end = first + static_cast<int64_t>(end) + 1;
    return around.substr(begin, end - begin);
  }

  const UniqueFd& file_;
  const std::string& path_;
  Extent unknown_;
};

}  // namespace

absl::StatusOr<MetricsFileEnd> CutMetricsFile(const HeldDirectory& folder,
                                              RowAt row_at) {
  const absl::StatusOr<UniqueFd> file = folder.OpenToAppend(kMetricsFile);
  if (absl::IsNotFound(file.status())) return MetricsFileEnd();
  if (!file.ok()) return file.status();
  const std::string path = folder.PathOf(kMetricsFile);
  const absl::StatusOr<int64_t> bytes = FileBytes(*file, path);
  if (!bytes.ok()) return bytes.status();
  const absl::StatusOr<MetricsFileEnd> end =
      LineSearch(*file, path, *bytes).FindEnd(row_at);
  if (!end.ok() || end->bytes == *bytes) return end;
  if (ftruncate(file->get(), end->bytes) == 0) return end;
  return FileError(errno, absl::StrCat("cannot shorten ", path));
}

absl::Status AppendToMetricsFile(const HeldDirectory& folder,
                                 absl::string_view lines, int64_t next,
                                 MetricsFileEnd& end) {
  absl::StatusOr<UniqueFd> file = folder.OpenToAppend(kMetricsFile);
  if (absl::IsNotFound(file.status()) && end.bytes == 0) {
    file = folder.CreateFile(kMetricsFile);
  }
  const std::string path = folder.PathOf(kMetricsFile);
  if (!file.ok()) return file.status();
  const absl::StatusOr<int64_t> bytes = FileBytes(*file, path);
  if (!bytes.ok()) return bytes.status();
  if (*bytes != end.bytes) {
    return absl::AbortedError(absl::StrCat(path, " has ", *bytes, " B where ",
                                           end.bytes, " B were written"));
  }
  const auto more = static_cast<int64_t>(lines.size());
  absl::Status written =
      WriteExactly(*file, path, end.bytes, more, lines.data());
  if (written.ok()) end = {end.bytes + more, next};
  return written;
}

absl::Status SyncMetricsFile(const HeldDirectory& folder) {
  const absl::StatusOr<UniqueFd> file = folder.OpenToAppend(kMetricsFile);
  if (!file.ok()) return file.status();
  if (fdatasync(file->get()) == 0) return absl::OkStatus();
  return FileError(errno,
                   absl::StrCat("cannot sync ", folder.PathOf(kMetricsFile)));
}

}  // namespace hydra
