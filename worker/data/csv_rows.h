#ifndef HYDRA_WORKER_DATA_CSV_ROWS_H_
#define HYDRA_WORKER_DATA_CSV_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hydra {

// Rows of a CSV file (RFC 4180) that arrives in pieces, cut anywhere: fields
// are parted by commas, rows by LF or CR LF; a field in quotes may hold both,
// and quotes, which are doubled there. Empty lines are no rows, and neither is
// a byte order mark before the first one. Not thread-safe.
class CsvReader {
 public:
  static constexpr size_t kMaxFields = 10'000;

  // Takes the fields of a row. An error ends the reading.
  using Take =
      absl::FunctionRef<absl::Status(absl::Span<const std::string> fields)>;

  // Hands the rows to `take` that have ended, and returns its first error.
  // INVALID_ARGUMENT: a quote stands where none may; a row has more than
  // kMaxRowBytes (json_rows.h); the first row has more than kMaxFields, or
  // another one more than that. The message does not say where.
  absl::Status Add(absl::string_view piece, Take take);
  // Hands out the last row, if its line has no end. INVALID_ARGUMENT: a quote
  // is open.
  absl::Status Finish(Take take);

  // The line in which the row begins that was handed out last, or that is
  // wrong, from 1.
  int64_t line() const { return row_line_; }

 private:
  enum class Place { kFieldStart, kPlain, kQuoted, kQuoteInQuoted, kReturn };

  absl::Status AddCharacter(char character, Take take);
  void EndField();
  absl::Status EndRow(Take take);

  Place place_ = Place::kFieldStart;
  std::vector<std::string> fields_;
  std::string field_;
  // Of the row.
  int64_t bytes_ = 0;
  int64_t row_line_ = 1;
  // Where the reading is.
  int64_t line_ = 1;
  // Bytes of a byte order mark that may still come.
  int mark_bytes_ = 0;
  // Of a row: the first one's, once there is one.
  size_t most_fields_ = kMaxFields;
  bool has_row_ = false;
  bool has_begun_ = false;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_CSV_ROWS_H_
