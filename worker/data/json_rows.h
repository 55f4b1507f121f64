#ifndef HYDRA_WORKER_DATA_JSON_ROWS_H_
#define HYDRA_WORKER_DATA_JSON_ROWS_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// JSON Lines: each line of a file is a row, a JSON object, of which one field
// is a text to be trained on. Lines of white space alone are no rows.
namespace hydra {

// A row of more bytes is refused.
inline constexpr int64_t kMaxRowBytes = int64_t{64} << 20;

// The text of a row, which is strict JSON; other fields may hold anything, and
// take no memory. INVALID_ARGUMENT: it is no JSON object, its `field` is
// missing or no text, or its values lie too deep in each other; the message
// does not say where the row stands.
absl::StatusOr<std::string> TextOfRow(absl::string_view row,
                                      const std::string& field);

// Rows of a file that arrives in pieces, cut anywhere. Not thread-safe.
class RowReader {
 public:
  // Takes a row, without its end of line.
  using Take = absl::FunctionRef<absl::Status(absl::string_view row)>;

  // Hands the rows to `take` whose lines have ended, and returns its first
  // error. INVALID_ARGUMENT: a row is too long.
  absl::Status Add(absl::string_view piece, Take take);
  // Keeps the piece: its rows come with the next one.
  void Keep(absl::string_view piece);
  // Hands out the last row, if its line has no end.
  absl::Status Finish(Take take);

  // The line of the row that was handed out last, from 1.
  int64_t line() const { return line_; }
  // Bytes whose rows were not handed out yet.
  int64_t kept_bytes() const { return static_cast<int64_t>(kept_.size()); }

 private:
  absl::Status TakeLine(absl::string_view line, Take take);

  std::string kept_;
  int64_t line_ = 0;
};

// Rows of a file.
struct RowCounts {
  int64_t rows = 0;
  // Those whose text is empty: there is nothing in them to train on.
  int64_t empty = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_JSON_ROWS_H_
