#ifndef HYDRA_WORKER_DATA_TOKEN_SOURCE_H_
#define HYDRA_WORKER_DATA_TOKEN_SOURCE_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hydra/v1/job.pb.h"
#include "worker/data/csv_rows.h"
#include "worker/data/json_rows.h"
#include "worker/data/posix_file.h"
#include "worker/data/text_tokenizer.h"
#include "worker/data/utf8_census.h"
#include "worker/task/task_control.h"

// Reads a data file from front to end, a piece at a time. `control` is told of
// each, and may end the reading with ABORTED.
//
// Text and rows may be packed (input_text.h): then all that is said here of a
// file, its digest, places and offsets too, is meant of its text. Whatever
// comes out of such a file, no more of it is in memory than of any other.
namespace hydra {

// How a file's bytes become ids.
struct TokenReading {
  // None of conversations, whose tokens chat_build.h makes.
  hydra::v1::DataFormat format = hydra::v1::DATA_FORMAT_TEXT;
  // Of text and rows.
  TextTokenizer* tokenizer = nullptr;
  // Of rows: the field with a row's text. Behind each text that is not empty
  // comes the tokenizer's end_of_text_id, which there must be.
  std::string text_field = {};
};

// Says which content a file has.
struct FileDigest {
  std::string sha256;  // Raw bytes.
  int64_t size_bytes = 0;
  // Of DigestText alone.
  Utf8Faults faults;
  // Of DigestRows, and the number of all of ReadRows.
  RowCounts rows;
};

// Reads `file`, which stands at its start and is taken as it is, to its end.
absl::StatusOr<FileDigest> DigestFile(PosixFile* file, TaskControl& control);
// Reads the text of one, and says what in it is no text.
absl::StatusOr<FileDigest> DigestText(PosixFile* file, TaskControl& control);
// And checks all rows of JSON Lines, with a text in `text_field`.
// INVALID_ARGUMENT: a row is wrong, which the message names by file and line.
absl::StatusOr<FileDigest> DigestRows(PosixFile* file,
                                      const std::string& text_field,
                                      TaskControl& control);
// And hands each row of JSON Lines to `take`. To an error of that, and to one
// of the rows themselves, the file and the line are added.
absl::StatusOr<FileDigest> ReadRows(PosixFile* file, TaskControl& control,
                                    RowReader::Take take);

// And hands the fields of each row of CSV to `take`, in the same way.
absl::StatusOr<FileDigest> ReadCsvRows(PosixFile* file, TaskControl& control,
                                       CsvReader::Take take);

// How far a reading got.
struct SourcePlace {
  // The tokens of all bytes before this one were handed out.
  int64_t end_bytes = 0;
  // So many bytes were read, and this is the SHA-256 of them, raw bytes.
  int64_t read_bytes = 0;
  std::string read_sha256;
};

// Takes the next tokens, those of the file's bytes before `end_bytes`. `place`
// computes the whole place, which takes microseconds. An error ends the
// reading.
using TokenSink = absl::FunctionRef<absl::Status(
    absl::Span<const uint32_t> ids, int64_t end_bytes,
    absl::FunctionRef<SourcePlace()> place)>;

// Hands all tokens of `file`, which stands at its start, to `sink`, in order,
// and returns the digest of what was read.
//
// `start` is a place that an earlier reading of the same content came to; then
// only the tokens behind it are handed out, and the same ones. What lies before
// it is read for the digest alone.
//
// Memory: a few MiB, or for text a small multiple of its longest stretch
// without a safe cut, which may have 64 MiB.
// INVALID_ARGUMENT: the file has 0 tokens, a size that is no multiple of the
//   format's, a longer such stretch, or a row as DigestRows refuses it. Errors
//   name the file.
// FAILED_PRECONDITION: what lies before `start` is not what was read then.
absl::StatusOr<FileDigest> ReadTokens(PosixFile* file, const SourcePlace& start,
                                      const TokenReading& reading,
                                      TaskControl& control, TokenSink sink);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_TOKEN_SOURCE_H_
