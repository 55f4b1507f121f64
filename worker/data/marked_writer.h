#ifndef HYDRA_WORKER_DATA_MARKED_WRITER_H_
#define HYDRA_WORKER_DATA_MARKED_WRITER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/hash/sha256.h"
#include "worker/data/posix_file.h"
#include "worker/data/token_header.h"

namespace hydra {

// Writes a prepared token file whose ids have marks (token_header.h). Begin,
// any number of Append, Finish; after an error the file is worthless. Keeps 8
// bytes of memory for each row, and 8 for its class. Not thread-safe.
class MarkedWriter {
 public:
  // `file` is open for writing and outlives the writer. `has_rows`: each row is
  // a sequence of its own; else they follow each other as one long row.
  MarkedWriter(PosixFile* file, bool has_rows)
      : file_(*file), has_rows_(has_rows) {}
  // Of rows that are taken whole.
  MarkedWriter(PosixFile* file, const WholeRows& whole)
      : file_(*file), has_rows_(true), whole_(whole) {}

  // Throws away what the file has.
  absl::Status Begin();

  // The ids of one row, with their marks.
  absl::Status Append(absl::Span<const uint32_t> ids);
  // The same of whole rows with classes.
  absl::Status Append(absl::Span<const uint32_t> ids, int64_t row_class);

  // Writes index and header, and waits until all is on the medium. Of `counts`
  // the rows that were read, cut and dropped are taken as they are. Until then
  // the file is not taken for a prepared one.
  absl::Status Finish(MarkedTokens counts);

 private:
  absl::Status Write(absl::string_view bytes);
  absl::Status Flush();

  PosixFile& file_;
  const bool has_rows_;
  const std::optional<WholeRows> whole_;
  Sha256 sha_;
  // What is not in the file yet.
  std::string pending_;
  std::vector<uint64_t> row_ends_ = {0};
  std::vector<int64_t> classes_;
  uint32_t max_token_id_ = 0;
  int64_t trained_count_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_MARKED_WRITER_H_
