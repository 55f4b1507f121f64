#ifndef HYDRA_WORKER_DATA_LABELED_ROWS_H_
#define HYDRA_WORKER_DATA_LABELED_ROWS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hydra/v1/job.pb.h"
#include "worker/data/posix_file.h"
#include "worker/data/token_source.h"
#include "worker/task/task_control.h"

namespace hydra {

// Rows of texts with their classes.

// What to take of a row.
struct LabeledReading {
  // JSON Lines, or CSV, whose first row names the columns.
  hydra::v1::DataFormat format = hydra::v1::DATA_FORMAT_LABELED;
  // Names of fields, or columns.
  std::string text_field = "text";
  // Empty: rows have one text.
  std::string text_pair_field = {};
  std::string label_field = "label";
  // A label is a class's number, from 0 to below this, or its name.
  int64_t class_count = 0;
  std::map<std::string, int64_t> class_numbers = {};
};

struct LabeledText {
  std::string text;
  std::string text_pair;
  int64_t row_class = 0;
};

// The class that a label names. INVALID_ARGUMENT: none; the message begins
// behind the label's field.
absl::StatusOr<int64_t> ClassOfLabel(absl::string_view label,
                                     const LabeledReading& reading);

// Of a row of JSON Lines. INVALID_ARGUMENT: as TextOfRow, for each field, and
// ClassOfLabel.
absl::StatusOr<LabeledText> LabeledTextOfRow(absl::string_view row,
                                             const LabeledReading& reading);

// Reads `file`, which stands at its start, and hands each row to `take`, whose
// texts may be empty. FileDigest::rows counts them all, and those without a
// text.
//
// INVALID_ARGUMENT: a row is wrong, or has not as many fields as the first one
//   of a CSV file names columns, or a column is missing there; the message
//   names file and line. To an error of `take` both are added.
absl::StatusOr<FileDigest> ReadLabeledRows(
    PosixFile* file, const LabeledReading& reading, TaskControl& control,
    absl::FunctionRef<absl::Status(const LabeledText& row)> take);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_LABELED_ROWS_H_
